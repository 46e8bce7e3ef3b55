"""In which case bfloat16 and compiled layers pay in the PyTorch engine, at full depth and with early exits.

python benchmarks/pytorch_engine.py sst2 --glue-dir GLUE    # writes results/pytorch_engine.json

sst2.py says what sst2 is.
"""

from common import report
from leco.bench import Way
from sst2 import bench_sst2, on_sst2

OPTIONS = ("", "-bf16", "-compile", "-bf16-compile")


def main():
    arguments, model, data = on_sst2(texts=100, rounds=5)
    kinds = [f"torch{depth}{option}" for depth in ("-full", "") for option in OPTIONS]
    ways = [Way("plain" if kind == "torch-full" else kind, kind, arguments.model) for kind in kinds]
    report("pytorch_engine", bench_sst2(ways, model, data, arguments))


if __name__ == "__main__":
    main()
