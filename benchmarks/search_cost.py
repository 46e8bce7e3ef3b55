"""Seconds and peak memory of a first-order search epoch against a joint training epoch with linear exits.

    python -m benchmarks.search_cost            # all, interleaved; writes benchmarks/results/search_cost.json
    python -m benchmarks.search_cost --rounds 9 --rows 512

Each epoch goes over the same rows once. The memory of each kind is that of a process which runs nothing else.
"""

import argparse

from benchmarks.common.backbones import BACKBONES, reviews
from benchmarks.common.epochs import multi_exit_model, num_layers, search_epoch, training_epoch
from benchmarks.common.recording import report
from benchmarks.common.timing import interleaved, peak_memory, print_peak, ratio
from leco.exits.architecture import LINEAR


def epoch_of(kind, size, rows, bf16):
    data, tokenizer = reviews(rows)
    if kind == "search":
        return search_epoch(size, data, tokenizer, bf16=bf16)
    return training_epoch(multi_exit_model(size, [LINEAR] * num_layers(size)), data, tokenizer, bf16=bf16)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--backbones", nargs="+", choices=list(BACKBONES), default=list(BACKBONES))
    parser.add_argument("--only", nargs=3, metavar=("KIND", "SIZE", "DTYPE"), help="run one epoch, for its memory")
    arguments = parser.parse_args()
    if arguments.only:
        kind, size, dtype = arguments.only
        epoch_of(kind, size, arguments.rows, dtype == "bf16")()
        print_peak()
        return
    rows = []
    for size in arguments.backbones:
        for dtype in ("fp32", "bf16"):
            ways = {kind: epoch_of(kind, size, arguments.rows, dtype == "bf16") for kind in ("search", "joint")}
            seconds = interleaved(ways, arguments.rounds)
            del ways
            memory = {
                kind: peak_memory("--only", kind, size, dtype, "--rows", str(arguments.rows))
                for kind in ("search", "joint")
            }
            rows.append(
                {
                    "backbone": size,
                    "dtype": dtype,
                    **{f"seconds_ratio_{name}": value for name, value in ratio(seconds, "search", "joint").items()},
                    "joint_seconds": sorted(seconds["joint"])[len(seconds["joint"]) // 2],
                    "memory_ratio": memory["search"] / memory["joint"],
                    "search_mib": memory["search"],
                    "joint_mib": memory["joint"],
                }
            )
            report("benchmarks/search_cost", rows)


if __name__ == "__main__":
    main()
