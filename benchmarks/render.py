"""Write the results of the benchmarks into the README, between its two markers.

python benchmarks/render.py
"""

import json
from pathlib import Path

from common import RESULTS

README = Path(__file__).parents[1] / "README.md"
AIM = 0.85
"""What a search epoch should cost, as a ratio to a joint training epoch."""
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def read(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def source(result):
    machine = result["machine"]
    return (
        f"`{result['command']}`, {machine['date']}, {machine['processor']}, {machine['threads']} threads, "
        f"Python {machine['python']}, PyTorch {machine['torch']}, Transformers {machine['transformers']}."
    )


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def spread(row, name):
    return f"{row[f'{name}_median']:.2f} ({row[f'{name}_min']:.2f}-{row[f'{name}_max']:.2f})"


def demo():
    result = read("demo")
    (row,) = result["rows"]
    exits = ", ".join(f"{score:.1%}" for score in row["exit_scores"])
    return f"""**The demo** (`make demo`): all-MiniLM-L6-v2 (6 layers) on rotten_tomatoes, search included, takes
{row["minutes"]:.1f} minutes and {row["peak_mib"] / 1024:.1f} GiB.
On {row["rows"]} test texts it is right for {row["score"]:.1%} with early exits and {row["full_depth_score"]:.1%}
at full depth, in {row["speedup"]:.0%} less time ({row["speedup_factor"]:.2f}x) at batch size 1;
texts leave at layer {row["mean_exit_layer"]:.2f} on average (COBEE, its settings chosen on dev).
Accuracy of the exits by layer: {exits}; AVG {row["avg"]:.1%}, BEST {row["best"]:.1%}.
{source(result)}"""


def search_cost():
    result = read("search_cost")
    rows = [
        [
            row["backbone"],
            row["dtype"],
            spread(row, "seconds_ratio"),
            f"{row['memory_ratio']:.2f} ({row['search_mib']:.0f} / {row['joint_mib']:.0f} MiB)",
        ]
        for row in result["rows"]
    ]
    missed = [row for row in result["rows"] if row["seconds_ratio_median"] > AIM]
    misses = ", ".join(f"{row['seconds_ratio_median'] - AIM:.2f} ({row['backbone']}, {row['dtype']})" for row in missed)
    return f"""**A search epoch** (weights and alphas, first order) against a joint training epoch with linear exits
on the same rows: median ratio over interleaved rounds (smallest-largest), and ratio of peak memory.

{table(["backbone", "precision", "time", "memory"], rows)}

Half of the rows need no backward pass through the backbone, so that about 0.67 is the floor; the rest is the supernet,
which weighs less the larger the backbone. The goal was at most 1, the aim {AIM}, missed by {misses or "none"}.

{source(result)}"""


def training_cost():
    result = read("training_cost")
    rows = [
        [row["backbone"], row["dtype"], row["way"], spread(row, "ratio")]
        for row in result["rows"]
        if row["way"] != "plain"
    ]
    return f"""**A joint training epoch** against fine-tuning the plain Transformers classifier; `plain again` is
a second plain classifier, the control.

{table(["backbone", "precision", "model", "time"], rows)}

{source(result)}"""


def exit_overhead():
    result = read("exit_overhead")
    rows = [
        [str(row["batch_size"]), str(row["tokens"]), row["way"], f"{row['ratio_median']:.2f}"] for row in result["rows"]
    ]
    return f"""**All exits computed and none taken**: `predict` at full depth in PyTorch against the plain classifier,
6 layers; what the exits cost a text that never leaves early.

{table(["batch size", "tokens", "model", "time"], rows)}

{source(result)}"""


def main():
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    sections = [section() for section in (demo, search_cost, training_cost, exit_overhead)]
    README.write_text(before + BEGIN + "\n\n" + "\n\n".join(sections) + "\n\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
