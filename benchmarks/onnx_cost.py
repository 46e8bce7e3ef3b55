"""What early exits cost and gain inside ONNX Runtime, against the plain model there.

python -m benchmarks.onnx_cost        # writes benchmarks/results/onnx_cost.json

Each way is one session with the settings of ONNX Runtime itself, in a process of its own; they run in turn, a block of
texts at a time. The processes are started several times, since what one is given of the machine stays with it, and
the rounds of all count together. The plain model is written as ours are (`plain`), with the norms that ONNX Runtime's
optimizer makes of it (`fused`), and traced (`unfused`). The control is `plain` once more.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.common.backbones import BACKBONES, backbone
from benchmarks.common.early import NEVER
from benchmarks.common.fused_norms import with_fused_norms
from benchmarks.common.recording import ROOT, report, result_path
from benchmarks.common.timing import ratio
from leco.bench.processes import serving
from leco.data import load_data, minilm_folder
from leco.evaluation.speedup import in_turn
from leco.exits.architecture import load_architectures
from leco.exits.published import published_architectures
from leco.export import ModelWriter
from leco.export.traced import TracedBackbone
from leco.model import build_model, load_tokenizer
from leco.problems import SINGLE_LABEL
from leco.runtime.session import open_session

EXITS = {
    "the paper's": None,
    "found in the whole space": ROOT / "results" / "table6_sst-2.json",
    "found with 2 heads": result_path("benchmarks/sst2_exits"),
}
"""Exits for SST-2: most of the paper's have one operation; most of those found here two attentions, of 2 to 8 heads in
the whole space, or of 2 where no others were allowed (see common/sst2.py)."""
LENGTHS = (16, 32, 64, 128)
STREAM = 100
"""Texts of the mixed stream."""
BLOCK = 20
"""Texts that a way runs before it is the next one's turn."""
TAUS = (0, 1e-4, 1e-3, 3e-3, 1e-2, 2e-2, 4e-2, 8e-2, 0.2, 2)
"""Thresholds that are tried to make a text leave at another layer."""
WAYS = {"early": "early", "plain": "plain", "fused": "fused", "unfused": "unfused", "control": "plain"}
"""What is timed, and the file of each."""
STOCK = "fused", "unfused"
"""The plain models as ONNX Runtime runs them by itself."""


def model_of(name, exits):
    """The backbone with exits of a kind named in EXITS, untrained: it costs the same."""
    encoder, found = backbone(name), EXITS[exits]
    layers = encoder.config.num_hidden_layers
    exits = load_architectures(found, layers) if found else published_architectures("paper:sst-2", layers)
    model = build_model(encoder, exits, ["no", "yes"], problem_type=SINGLE_LABEL).eval()
    model.tokenizer = load_tokenizer(str(minilm_folder()))
    return model


def unfused(model, int8):
    """The plain model as PyTorch's exporter traces it."""
    writer = ModelWriter(model, int8=int8)
    writer.backbone = TracedBackbone(model.backbone, int8=int8, opset=writer.opset)
    return writer.full_depth()


def write(folder, name, int8, exits):
    model = model_of(name, exits)
    graphs = {
        "early": ModelWriter(model, int8=int8).early_exit(NEVER),
        "plain": ModelWriter(model, int8=int8).full_depth(),
        "fused": with_fused_norms(ModelWriter(model, int8=int8).full_depth()),
        "unfused": unfused(model, int8),
    }
    for way, graph in graphs.items():
        Path(folder, f"{way}.onnx").write_bytes(graph.SerializeToString())


def prepare(path):
    """Load a file; the function answers a list of inputs with the seconds of each and the layers at which they left."""
    session = open_session(path)

    def answer(inputs):
        seconds, layers = [], []
        for given in inputs:
            started = time.perf_counter()
            _, (layer,) = session.run(None, given)
            seconds.append(time.perf_counter() - started)
            layers.append(int(layer))
        return seconds, layers

    return answer


def feed(tokens, tau=None):
    ids = np.array([tokens], np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    return inputs if tau is None else {**inputs, "tau": np.array(tau, np.float32)}


def costs(ask, rounds):
    """By number of tokens, of each way the seconds of a text (the median of its block) in each round, none leaving.

    Short texts have more rounds: their times are noisier, and cost less.
    """
    random, result = np.random.default_rng(0), {}
    for length in LENGTHS:
        inputs = [feed(random.integers(1000, 20000, length)) for _ in range(BLOCK)]
        more = rounds * max(1, 64 // length)
        result[length] = timed(ask, dict.fromkeys(WAYS, inputs), more, statistics.median)
    return result


def timed(ask, inputs, rounds, summary):
    """The `summary` of each way's seconds in each round; the first round, a warm-up, is left out."""
    values = {way: [] for way in inputs}
    for way in in_turn(list(inputs), rounds + 1):
        seconds, _ = ask[way](inputs[way])
        values[way].append(summary(seconds))
    return {way: kept[1:] for way, kept in values.items()}


def stream(ask, rounds):
    """Each way's seconds, in each round, over a stream of real texts that leave at layers drawn evenly, which the plain
    models run at full depth; and what the ideal is.

    Where a text leaves is made by a threshold of its own, so that untrained exits leave as widely as trained ones do.
    """
    tokenizer = load_tokenizer(str(minilm_folder()))
    texts = load_data("demo/rotten_tomatoes").test.texts[:STREAM]
    random, early, layers = np.random.default_rng(0), [], []
    for text in texts:
        settings = [feed(tokenizer(text)["input_ids"], tau) for tau in TAUS]
        by_layer = dict(zip(ask["early"](settings)[1], settings, strict=True))
        layers.append(int(random.choice(sorted(by_layer))))
        early.append(by_layer[layers[-1]])
    full = [{name: value for name, value in given.items() if name != "tau"} for given in early]
    tokens = np.array([given["input_ids"].size for given in early])
    shares = np.array(layers) / max(layers)
    ideal = {"ideal": float(shares.mean()), "ideal_by_tokens": float((shares * tokens).sum() / tokens.sum())}
    return (
        timed(ask, {way: early if way == "early" else full for way in WAYS}, rounds, sum),
        {**ideal, "tokens": float(tokens.mean())},
    )


def ratios(seconds):
    """Round by round early exiting over the best plain model, and over the better of those of ONNX Runtime itself.

    The control is held against the model that it repeats.
    """
    best, stock = (min(ways, key=lambda way: statistics.median(seconds[way])) for ways in (("plain", *STOCK), STOCK))
    return {
        "plain": best,
        "stock": stock,
        "early": ratio(seconds, "early", best),
        "early_to_stock": ratio(seconds, "early", stock),
        "control": ratio(seconds, "control", "plain"),
    }


MEMORY = """
import json, sys, time
import numpy as np, onnxruntime

options = onnxruntime.SessionOptions()
options.log_severity_level = 3
started = time.perf_counter()
session = onnxruntime.InferenceSession(sys.argv[1], options)
seconds = time.perf_counter() - started
for length in (16, 32, 64, 128):
    ids = np.full((1, length), 2000)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    session.run(["probabilities"], inputs)
lines = open("/proc/self/status").read().splitlines()
resident = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
print(json.dumps({"mib": resident, "load_seconds": seconds}))
"""
"""A process with nothing but ONNX Runtime in it, that loads a file and answers texts of all lengths."""


def memory(folder, file):
    """Resident MiB and seconds of loading of a process that has nothing but ONNX Runtime and a file in it."""
    command = [sys.executable, "-c", MEMORY, str(Path(folder, f"{file}.onnx"))]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def row(name, exits, int8, rounds, starts):
    lengths, streams = defaultdict(lambda: defaultdict(list)), defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, name, int8, exits)
        files = {way: str(Path(folder, f"{file}.onnx")) for way, file in WAYS.items()}
        for _ in range(starts):
            with ExitStack() as stack:
                ask = {way: stack.enter_context(serving(prepare, path)) for way, path in files.items()}
                for length, seconds in costs(ask, rounds).items():
                    add(lengths[length], seconds)
                seconds, ideal = stream(ask, rounds)
                add(streams, seconds)
        resident = {file: memory(folder, file) for file in ("early", "plain", *STOCK)}
    return {
        "backbone": name,
        "exits": exits,
        "precision": "int8" if int8 else "float32",
        "lengths": {
            length: {"plain_ms": 1000 * statistics.median(seconds["plain"]), **ratios(seconds)}
            for length, seconds in lengths.items()
        },
        "stream": {**ratios(streams), **ideal},
        "memory": {"ratio": resident["early"]["mib"] / resident["plain"]["mib"], **resident},
    }


def add(seconds, more):
    """Add the rounds of processes that were started anew."""
    for way, rounds in more.items():
        seconds[way] += rounds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2, help="of each start, of the longer texts and the stream")
    parser.add_argument("--starts", type=int, default=3, help="how many times the processes are started")
    arguments = parser.parse_args()
    small, large = BACKBONES
    models = [*((small, exits) for exits in EXITS), (large, "the paper's")]  # 6 layers were searched here
    rows = [row(*model, int8, arguments.rounds, arguments.starts) for model in models for int8 in (False, True)]
    report("benchmarks/onnx_cost", rows)


if __name__ == "__main__":
    main()
