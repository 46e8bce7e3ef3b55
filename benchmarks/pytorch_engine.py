"""In which case bfloat16 and compiled layers pay in the PyTorch engine, at full depth and with early exits.

python -m benchmarks.pytorch_engine sst2 --glue-dir GLUE    # writes benchmarks/results/pytorch_engine.json

common/sst2.py says what sst2 is.
"""

from itertools import product

from benchmarks.common.early import timed
from benchmarks.common.recording import report
from benchmarks.common.sst2 import on_sst2
from leco import PredictorSpec
from leco.bench import Way

PREPARED = {
    "": {},
    "-bf16": {"precision": "bf16"},
    "-compile": {"compile": True},
    "-bf16-compile": {"precision": "bf16", "compile": True},
}


def main():
    arguments, _, data = on_sst2(texts=100, rounds=5)
    ways = []
    for full_depth, (name, settings) in product((True, False), PREPARED.items()):
        kind = f"torch{'-full' if full_depth else ''}{name}"
        predictor = PredictorSpec(arguments.model, device="cpu", **settings)
        ways.append(Way("plain" if kind == "torch-full" else kind, predictor, full_depth=full_depth))
    report("benchmarks/pytorch_engine", timed(ways, data, arguments))


if __name__ == "__main__":
    main()
