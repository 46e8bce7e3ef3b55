"""In which case bfloat16 and compiled layers pay in the PyTorch engine, at full depth and with early exits.

python -m benchmarks.pytorch_engine sst2 --glue-dir GLUE    # writes benchmarks/results/pytorch_engine.json

common/sst2.py says what sst2 is.
"""

from benchmarks.common.recording import report
from benchmarks.common.sst2 import bench_sst2, on_sst2
from leco.bench import Way

OPTIONS = ("", "-bf16", "-compile", "-bf16-compile")


def main():
    arguments, _, data = on_sst2(texts=100, rounds=5)
    kinds = [f"torch{depth}{option}" for depth in ("-full", "") for option in OPTIONS]
    ways = [Way("plain" if kind == "torch-full" else kind, kind, arguments.model) for kind in kinds]
    report("benchmarks/pytorch_engine", bench_sst2(ways, data, arguments))


if __name__ == "__main__":
    main()
