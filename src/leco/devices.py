"""Where a model runs: the processor or a GPU, and in which precision."""

from typing import TYPE_CHECKING

from leco.errors import LecoError, parameter
from leco.progress import say

if TYPE_CHECKING:
    import torch

AUTO = "auto"
DEVICE_HELP = "Where to run: auto (a GPU if there is one), cpu, cuda, cuda:N or mps."


def pick_device(name: str = AUTO) -> "torch.device":
    """The device of that name; `auto` is a GPU if there is one. LecoError for one that this machine lacks.

    >>> pick_device("cpu")
    device(type='cpu')
    """
    import torch  # which the command line imports only where a model runs

    if not isinstance(name, str):
        raise _unknown(name)
    if name == AUTO:
        name = next((kind for kind, there in _gpus().items() if there), "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", *_gpus()) or (number and not (kind == "cuda" and number.isdecimal())):
        raise _unknown(name)
    there = 1 if kind == "cpu" else _gpus()[kind]
    if int(number or 0) >= there:
        found = f"it has {there} of them, counted from 0" if there else "PyTorch finds none here"
        raise LecoError(f"The device '{name}' is not there: {found}. Choose another one, or auto.")
    return torch.device(kind, int(number or 0)) if kind == "cuda" else torch.device(kind)


def has_bf16(device: "torch.device") -> bool:
    """Whether the device multiplies in bfloat16."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def picked_bf16(wanted: bool, device: "torch.device") -> bool:
    """Whether to run in bfloat16: where it is wanted and the device has it; a line says so where it has not."""
    if wanted and not has_bf16(device):
        say(f"warning: {parameter('bf16')}: the device '{device}' has no bfloat16; running in float32.")
        return False
    return wanted


def _unknown(name: object) -> LecoError:
    return LecoError(f"The device must be auto, cpu, cuda, cuda:N or mps, not '{name!s:.80}'.")


def _gpus() -> dict[str, int]:
    """How many devices of each kind beside the processor there are, the preferred kind first."""
    import torch

    return {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
