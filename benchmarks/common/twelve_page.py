"""What `benchmarks.twelve_layers` measured, as the pages show it: goals, tables, and the picture of score over time."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks.common.recording import ASSETS, read, result_path, source
from benchmarks.common.ways_shown import at_batch_size, ways_table
from leco.evaluation.plots import COLOURS
from leco.files import save_figure
from leco.reproduction.tables import markdown

RESULT, PICTURE = "benchmarks/twelve_layers", ASSETS / "twelve_layers.svg"
SIZES = 1, 32
DROP, TIME, AIM = 0.005, 0.5, 0.4
"""The goal in int8: the score that may be lost of full depth's, the time to the plain model's; and the aimed time."""
SHOWN = 0.0005
"""What is shown as a tenth of a point; less is none."""
NAMES = {"sst-2": "SST-2", "mrpc": "MRPC"}
NOTES = {
    "sst-2": "SST-2's dev is a part of its training rows, mostly phrases, while test has whole sentences: "
    "what costs so much on dev may cost more on test.",
    "mrpc": "MRPC's dev and test are halves of a small file: half a point is one text of either.",
}
"""What is to be known of a data set to read its numbers."""
METRICS = {"accuracy": "accuracy", "accuracy_f1": "mean of accuracy and F1"}
BLUE, RED, GREEN, PINK = COLOURS[:4]
HEADS = ["", "precision", "batch size", "plain", "full depth", "chosen", "layers", "time", "goal", "above the curve"]


def measured():
    """Whether there are results."""
    return result_path(RESULT).exists()


def of_kind(rows, *kinds):
    """Those of the rows that are of some kinds of ways, the fastest first."""
    return sorted((row for row in rows.values() if row["kind"] in kinds), key=lambda row: row["ratio"])


def above(rows):
    """By way, by how much the static ways of the same encoder are above the curve at equal time; and which are faster.

    Between two settings the curve is a straight line, as texts that are given to one or the other at random have it.
    """
    curve, static = of_kind(rows, "early"), of_kind(rows, "plain", "cut")
    times, scores = [row["ratio"] for row in curve], [row["score"] for row in curve]
    gaps = {row["way"]: row["score"] - np.interp(row["ratio"], times, scores) for row in static}
    faster = [row["way"] for row in static if row["ratio"] < times[0]]
    return {way: gap for way, gap in gaps.items() if gap > SHOWN and way not in faster}, faster


def lost(found, rows):
    """What the chosen setting loses of the score at full depth, and its time."""
    chosen = rows[found["chosen"]]
    return rows[found["full_depth"]]["score"] - chosen["score"], chosen["ratio"]


def verdict(found, rows):
    """Whether the goal is met, or by how much it is missed."""
    drop, time = lost(found, rows)
    misses = []
    if drop > DROP + 1e-9:
        misses.append(f"{100 * (drop - DROP):.1f} points")
    if time > TIME:
        misses.append(f"{time - TIME:.2f} of the time")
    return f"missed by {' and '.join(misses)}" if misses else "met, and the aim" if time <= AIM else "met"


def summary_line(found, size):
    """A line of the table of goals."""
    rows = at_batch_size(found, size)
    plain, full, chosen = (rows[way] for way in ("plain", found["full_depth"], found["chosen"]))
    gaps, faster = above(rows)
    static = ", ".join(f"{way} (by {100 * gap:.1f})" for way, gap in gaps.items()) or "none"
    return [
        NAMES[found["task"]],
        found["precision"],
        str(size),
        f"{plain['score']:.1%}",
        f"{full['score']:.1%} in {full['ratio']:.2f}",
        f"{chosen['score']:.1%} ({100 * (chosen['score'] - full['score']):+.1f})",
        f"{chosen['layers']:.0%}",
        f"{chosen['ratio']:.2f} ({chosen['ratio_low']:.2f}-{chosen['ratio_high']:.2f})",
        verdict(found, rows) if found["precision"] == "int8" else "",
        static + (f"; faster than it: {', '.join(faster)}" if faster else ""),
    ]


def goals(results):
    """In how many of the cases the goal is met, in a sentence or two."""
    cases = [(found, at_batch_size(found, size)) for found in results for size in SIZES]
    of_int8 = [verdict(*case) for case in cases if case[0]["precision"] == "int8"]
    met = sum(one.startswith("met") for one in of_int8)
    crossed = sum(bool(above(rows)[0]) for _, rows in cases)
    static = f"in {crossed} of {len(cases)} cases one is" if crossed else "none is"
    return f"""The goal is met in {met} of {len(of_int8)} cases of int8.
No static way of the same encoder (the plain model, its first layers) was to be above the curve: {static}."""


def not_yet(results):
    """What is to be measured yet, and how; nothing where all is there."""
    there = {one["task"] for one in results}
    missing = " and ".join(name for task, name in NAMES.items() if task not in there)
    if not missing:
        return ""
    return f"""{missing} {"is" if there else "are"} not measured yet:
`python -m benchmarks.twelve_layers WORK --models MODELS --glue-dir GLUE` trains, and with `--measure` times."""


def section():
    """The section of docs/benchmarks.md."""
    if not measured():
        return f"""**Twelve layers** (all-mpnet-base-v2 in float32 and int8, beside the plain model, its first
2, 4, 6 and 8 layers fine-tuned, all-MiniLM-L6-v2 fine-tuned, and words and bigrams): {not_yet([])}"""
    result = read(RESULT)
    results = result["rows"]
    draw(results)
    data = ", ".join(
        f"{NAMES[one['task']]} with {one['train_rows']:,} training rows and {one['test_rows']:,} of test ("
        f"{METRICS[one['metric']]}; settings are chosen on {one['dev_rows']:,} of dev)"
        for one in {one["task"]: one for one in results}.values()
    )
    first, notes = results[0], [note for task, note in NOTES.items() if any(one["task"] == task for one in results)]
    details = "\n\n".join(
        f"{NAMES[one['task']]} in {one['precision']}; exits on layers {', '.join(map(str, one['exit_layers']))}; "
        f"chosen: `{one['chosen']}`:\n\n"
        f"{ways_table(one['ways'], METRICS[one['metric']])}"
        for one in results
    )
    return f"""**Twelve layers**: {first["large"]} ({first["layers"]} layers), trained with exits ({first["exits"]})
of which those are kept that pay on dev (`--prune-exits`), beside itself without exits ("plain") and cut to its first
layers, each fine-tuned alone, a small encoder, and words and bigrams weighted by TF-IDF with logistic regression, whose
time has all of its work in it.
{data}.
Time is a ratio to the plain model in the same precision. "Full depth" is the model with exits when no text leaves,
"chosen" the fastest setting that costs at most {100 * DROP:.1f} points of it on dev, in that precision.

![Score over time](assets/{PICTURE.name})

{markdown(HEADS, [summary_line(found, size) for found in results for size in SIZES])}

The goal in int8 was at most {100 * DROP:.1f} points below full depth in at most {TIME:.2f} of the plain model's time
(aim: {AIM:.2f}). {goals(results)}
{" ".join(filter(None, [*notes, not_yet(results)]))}

{details}

{source(result)}"""


def in_short():
    """What the README shows of it: the picture and, in int8 at batch size 1, what a user gets."""
    result = read(RESULT)
    lines = []
    for found in (one for one in result["rows"] if one["precision"] == "int8"):
        rows = at_batch_size(found, 1)
        plain, full, chosen = (rows[way] for way in ("plain", found["full_depth"], found["chosen"]))
        others = ", ".join(
            f"{row['way']} {row['score']:.1%} in {row['ratio']:.2f}" for row in of_kind(rows, "floor", "small", "cut")
        )
        lines.append(
            f"- {NAMES[found['task']]}, {found['train_rows']:,} training rows: {plain['score']:.1%} by the plain "
            f"model; with exits {chosen['score']:.1%} in {chosen['ratio']:.2f} of its time, by the setting that dev "
            f"chose ({full['score']:.1%} at full depth, in {full['ratio']:.2f}). Others: {others}."
        )
    first = result["rows"][0]
    return f"""![Score over time](docs/assets/{PICTURE.name})

**Exported, in int8** ({first["large"]}, {first["layers"]} layers, ONNX Runtime, batch size 1):

{chr(10).join(lines)}

{source(result)}"""


def draw(results):
    """The picture at batch size 1: a panel for each data set and precision, int8 above."""
    tasks, precisions = (list(dict.fromkeys(one[name] for one in results)) for name in ("task", "precision"))
    figure = Figure(figsize=(max(4 * len(tasks), 8), 3.3 * len(precisions) + 0.6), layout="constrained")
    axes = figure.subplots(len(precisions), len(tasks), squeeze=False, sharex=True, sharey="col")
    for found in results:
        axis = axes[precisions[::-1].index(found["precision"])][tasks.index(found["task"])]
        panel(axis, found)
    longest = max(row["ratio"] for found in results for row in at_batch_size(found, 1).values())
    for axis in axes[-1]:
        axis.set_xlim(-0.03, 1.08 * longest)
        axis.set_xlabel("time for a text, as a ratio to the plain model")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8.5)
    save_figure(figure, PICTURE)


def panel(axis, found):
    """Score over time of one data set in one precision."""
    rows = at_batch_size(found, 1)

    def plot(kinds, style, label, **look):
        some = of_kind(rows, *kinds)
        axis.plot([row["ratio"] for row in some], [100 * row["score"] for row in some], style, label=label, **look)

    plot(("cut", "plain"), "s:", f"{found['large']}'s first layers, and all, alone", color=RED, markersize=5)
    plot(("early",), "o-", f"{found['large']} with exits", color=BLUE, markersize=5)
    chosen, full = (rows[found[name]] for name in ("chosen", "full_depth"))
    star = {"markersize": 14, "markeredgecolor": "white", "color": BLUE, "linestyle": "none", "zorder": 3}
    axis.plot(chosen["ratio"], 100 * chosen["score"], marker="*", label="the setting that dev chose", **star)
    plot(("small",), "^", rows_name(rows, "small"), color=GREEN, markersize=8)
    plot(("floor",), "X", rows_name(rows, "floor"), color=PINK, markersize=8)
    for row in of_kind(rows, "cut", "plain"):
        layers = row["way"].removeprefix("first ").split()[0]
        number = {"plain": found["layers"], "layer": 1}.get(layers, layers)
        at = row["ratio"], 100 * row["score"]
        axis.annotate(number, at, (5, -11), textcoords="offset points", color=RED, fontsize=8)
    axis.set_title(f"{NAMES[found['task']]}, {found['precision']}", fontsize=10)
    axis.set_ylabel(f"{METRICS[found['metric']]}, %")
    axis.margins(y=0.1)  # for the numbers of layers
    axis.grid(alpha=0.3)
    if found["precision"] == "int8":
        low = 100 * (full["score"] - DROP)
        axis.add_artist(Rectangle((0, low), TIME, 100 - low, color="0.5", alpha=0.15, linewidth=0))  # leaves the limits
        axis.annotate("goal", (0.02, low), (0, 3), textcoords="offset points", color="0.25", fontsize=8)


def rows_name(rows, kind):
    """The name of the only way of a kind."""
    (row,) = of_kind(rows, kind)
    return row["way"]
