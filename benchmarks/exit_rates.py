"""Which learning rate exits want: the exits found, the MHA exit and two attentions everywhere, at several rates.

python benchmarks/exit_rates.py cola --glue-dir GLUE    # writes results/exit_rates_cola.json

All stand side by side on each layer, as side_by_side.py says, several times from weights of their own; the scores
are dev's.
"""

import argparse
from pathlib import Path

from common import report
from found_exits import VARIANTS, searched
from leco.data import load_data
from runs import TRAIN_ROWS
from side_by_side import LAYERS, dev_scores

RATES = (2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3)
EXITS = ("MHA exit", "found", "everywhere two attentions of 4 heads, tanh, mean")


def compared(task, glue_dir, copies):
    data = load_data(f"glue/{task}", glue_dir=glue_dir, train_rows=TRAIN_ROWS.get(task))
    by_layer = [[VARIANTS[name](one) for name in EXITS for _ in RATES for _ in range(copies)] for one in searched(task)]
    found = dev_scores(data, by_layer, [rate for _ in EXITS for rate in RATES for _ in range(copies)])
    avg = found.reshape(LAYERS, len(EXITS), len(RATES), copies).mean(0)
    return {"task": task, "metric": data.metric, "rates": RATES, "avg": dict(zip(EXITS, avg.tolist(), strict=True))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--copies", type=int, default=2)
    arguments = parser.parse_args()
    report(f"exit_rates_{arguments.task}", [compared(arguments.task, arguments.glue_dir, arguments.copies)])


if __name__ == "__main__":
    main()
