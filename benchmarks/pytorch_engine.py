"""In which case bfloat16 and compiled layers pay in the PyTorch engine, at full depth and with early exits.

leco fit --model demo/all-MiniLM-L6-v2 --data glue/sst-2 --train-rows 10000 --preset quick --bf16 --output sst2
python benchmarks/pytorch_engine.py sst2 --glue-dir GLUE    # writes results/pytorch_engine.json
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from common import report
from leco.bench import Way, bench
from leco.data import load_data
from leco.evaluation import align_labels
from leco.model import load_model

OPTIONS = ("", "-bf16", "-compile", "-bf16-compile")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    data = align_labels(load_data("glue/sst-2", glue_dir=arguments.glue_dir), model)
    kinds = [f"torch{depth}{option}" for depth in ("-full", "") for option in OPTIONS]
    ways = [Way("plain" if kind == "torch-full" else kind, kind, arguments.model) for kind in kinds]
    rows = bench(
        ways,
        data.test,
        data.metric,
        data.problem_type,
        model.config.label_names,
        texts=arguments.texts,
        rounds=arguments.rounds,
        batch_sizes=(1, 32),
    )
    report("pytorch_engine", [asdict(row) for row in rows])


if __name__ == "__main__":
    main()
