"""What the benchmarks share: interleaved timing, peak memory, and results with the machine beside them."""

import json
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx
from transformers import AutoConfig, AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from leco.data import TextDataset, encode, load_data, minilm_folder
from leco.evaluation.speedup import in_turn
from leco.export.graph import MICROSOFT
from leco.files import write_text
from leco.model import load_backbone, load_tokenizer
from leco.runs import machine, versions

RESULTS = Path(__file__).parent / "results"
BACKBONES = {
    "6 layers, hidden 384": None,  # all-MiniLM-L6-v2 itself
    "12 layers, hidden 768": {
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
    },
}


def backbone(name: str) -> PreTrainedModel:
    """A BERT encoder of the named size: the pretrained one, or one with random weights."""
    size = BACKBONES[name]
    if size is None:
        return load_backbone(str(minilm_folder()))
    return AutoModel.from_config(AutoConfig.from_pretrained(minilm_folder(), **size))


def reviews(rows: int) -> tuple[TextDataset, PreTrainedTokenizerBase]:
    """Tokenized film reviews with labels, and their tokenizer."""
    tokenizer = load_tokenizer(str(minilm_folder()))
    split = load_data("demo/rotten_tomatoes", train_rows=rows).train
    return TextDataset(encode(tokenizer, split.texts, 128), split.labels), tokenizer


def with_fused_norms(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model with the operator that ONNX Runtime's optimizer makes of a sum and its norm in what PyTorch exports."""
    nodes = model.graph.node
    sums = {node.output[0]: node for node in nodes if node.op_type == "Sum"}
    norms = [node for node in nodes if node.op_type == "LayerNormalization" and node.input[0] in sums]
    for norm in norms:
        its_sum = sums[norm.input[0]]
        norm.op_type, norm.domain = "SkipLayerNormalization", MICROSOFT
        norm.input[:] = [*its_sum.input, *norm.input[1:]]
        nodes.remove(its_sum)
    return model


def interleaved(ways: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each way in each round; within a round each runs once, in an order that rotates."""
    names = list(ways)
    for name in names:  # warm up
        ways[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in in_turn(names, rounds):
        started = time.perf_counter()
        ways[name]()
        seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, to: str) -> dict[str, float]:
    """Round by round `name` over `to`: median, smallest and largest."""
    ratios = [a / b for a, b in zip(seconds[name], seconds[to], strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def peak_memory(*arguments: str) -> float:
    """The peak resident memory, in MiB, of this script run on its own with `arguments`, which calls `print_peak`."""
    command = [sys.executable, *sys.argv[:1], *arguments]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def print_peak() -> None:
    """Print the peak resident memory of this process, in MiB.

    Linux' own figure of a finished process counts that of the process which started it; this one does not.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """Print the rows and write them, with the machine, to results/NAME.json."""
    arguments = [argument.rstrip("/").rsplit("/", 1)[-1] for argument in sys.argv[1:]]  # folders without where they lie
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *arguments])
    about = {**machine(), **versions(), "onnxruntime": version("onnxruntime")}
    result = {"command": command, "machine": about, "rows": rows}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    for row in rows:
        print(
            "  ".join(
                f"{key}={value:.3f}" if isinstance(value, float) else f"{key}={value}" for key, value in row.items()
            )
        )


def write_between(page: Path, begin: str, end: str, text: str) -> None:
    """Put `text` into a page in place of what stands between its two markers."""
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    write_text(page, f"{before}{begin}\n\n{text}\n\n{end}{after}")
