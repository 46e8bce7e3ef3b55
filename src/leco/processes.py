"""Several processes that train one model together, each with its share of every batch.

All run the same program and hold the same weights. Here is what they tell each other: gradients, whose mean all of them
take; what the first process finds or does for all; and that one of them fails, which ends all. A process that is alone
does everything by itself, and nothing here does anything.
"""

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import parse_flag_from_env
from torch import Tensor, distributed, nn

from leco.errors import LecoError, first_line, parameter
from leco.launcher import count, is_first, number
from leco.progress import console

T = TypeVar("T")
UNLIMITED = timedelta(days=365)
"""How long the others wait for what the first process does alone. One that ends is noticed at once."""
SHORTLY = timedelta(seconds=10)
FAILED, KNOWN = "leco-failed", "leco-failed-known"
"""What the processes' common store counts those under that failed, and what is there once the first of them knows."""


@contextmanager
def together(device: torch.device) -> Iterator[torch.device]:
    """A block in which all processes train one model; gives the device of this one, of the same kind as `device`.

    LecoError where they cannot be brought together, or where another one ends in the middle. Of all errors by which
    they end, the command line shows the first.
    """
    if count() == 1:
        yield device
        return
    own = _join(device)
    try:
        yield own
    except Exception as error:
        console.quiet = not _fails_first()
        if not is_lost(error):
            raise
        raise LecoError(
            f"Another of the {count()} processes has ended, and with it all others. The same command goes on where "
            "they stopped."
        ) from error


def on_first(work: Callable[[], T]) -> T:
    """What `work` gives on the first process, which alone does it, for all: the others wait. So with its LecoError."""
    if count() == 1:
        return work()
    found: list[Any] = [None, None]
    failed = None
    if is_first():
        try:
            found[0] = work()
        except LecoError as error:
            failed, found[1] = error, str(error)
    distributed.broadcast_object_list(found, group=_waiting())
    if found[1] is not None:
        raise LecoError(found[1]) from failed
    return found[0]


@contextmanager
def alike() -> Iterator[None]:
    """A block that all processes run, and that ends on all of them alike: where it fails on one, with its LecoError."""
    if count() == 1:
        yield
        return
    failed = None
    try:
        yield
    except LecoError as error:
        failed = error
    messages: list[str | None] = [None] * count()
    distributed.all_gather_object(messages, None if failed is None else str(failed), group=_waiting())
    for message in messages:
        if message is not None:
            raise LecoError(message) from failed


def wait_for_all() -> None:
    """Return once all processes have come here."""
    if count() > 1:
        distributed.barrier(group=_waiting())


def means(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The mean of each tensor over all processes, without a gradient; they are of one type, on one device."""
    if count() == 1:
        return [tensor.detach() for tensor in tensors]
    flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    parts = (flat / count()).split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


def weight_of(labels: Tensor) -> float:
    """What this process's mean over its rows, of which these are the labels, weighs in the `means` over all processes.

    They may have different numbers of rows: the mean over all rows is the mean of what each has, times its weight.
    """
    if count() == 1:
        return 1.0
    rows = torch.tensor(float(len(labels)), device=labels.device)
    distributed.all_reduce(rows)
    return len(labels) * count() / float(rows)


@torch.no_grad()
def copy_first(module: nn.Module) -> None:
    """Give all processes the first one's weights and statistics."""
    if count() > 1:
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                distributed.broadcast(tensor, 0)


@contextmanager
def drawing_alike(device: torch.device) -> Iterator[None]:
    """A block in which all processes draw the random numbers that the first would; afterwards each its own again."""
    if count() == 1:
        yield
        return
    own = _random_states(device)
    common = [state.clone() for state in own]
    for state in common:
        distributed.broadcast(state, 0, group=_waiting())
    _set_random_states(common, device)
    try:
        yield
    finally:
        if not is_first():
            _set_random_states(own, device)


def own_seed(seed: int) -> int:
    """A seed for what each process draws for itself, such as dropout: of the first it is `seed`."""
    return seed + (number() << 50)


def is_lost(error: Exception) -> bool:
    """Whether an error says that another process cannot be reached any more."""
    return isinstance(error, distributed.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))


def _join(device: torch.device) -> torch.device:
    """Bring the processes together, unless they are; the device of this one."""
    cpu = device.type == "cpu" or parse_flag_from_env("ACCELERATE_USE_CPU")
    here = int(os.environ.get("LOCAL_WORLD_SIZE", count()))
    gpus = torch.cuda.device_count()
    if not cpu and (device.type != "cuda" or gpus < here):
        raise LecoError(
            f"{here} processes were started on this machine, which has {gpus} GPUs that they could use. "
            f"Start as many processes as GPUs, or give {parameter('device')} cpu."
        )
    try:
        state = PartialState(cpu=cpu)
    except (ValueError, RuntimeError) as error:
        raise LecoError(
            f"The {count()} processes do not find each other ({first_line(error)}). Start them by torchrun or "
            "accelerate launch, with an address that all of them reach."
        ) from error
    atexit.register(_leave)
    return torch.device("cpu") if cpu else state.device


def _leave() -> None:
    """Without this, threads of the group now and then abort the process when it ends."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


@cache
def _waiting() -> Any:
    """The group by which processes wait for each other, on the processor, where gradients may go over GPUs."""
    return distributed.new_group(backend="gloo", timeout=UNLIMITED)


def _fails_first() -> bool:
    """Whether no other process has failed before this one, as far as they can still be asked."""
    try:
        store = distributed.distributed_c10d._get_default_store()
        first = store.add(FAILED, 1) == 1
    except (RuntimeError, ValueError):
        return is_first()
    with suppress(RuntimeError):  # the store may be in another one: that ends once the first knows that it is the first
        if first:
            store.set(KNOWN, "")
        else:
            store.wait([KNOWN], SHORTLY)
    return first


def _random_states(device: torch.device) -> list[Tensor]:
    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state(device)] if device.type == "cuda" else states


def _set_random_states(states: Sequence[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)
