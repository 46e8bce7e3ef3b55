"""Write the results of the benchmarks into docs/benchmarks.md, and what they come to into the README.

python -m benchmarks.render
"""

from collections import defaultdict

from matplotlib.figure import Figure

from benchmarks.common import twelve_page
from benchmarks.common.recording import ASSETS, DOCS, ROOT, read, source, write_between
from benchmarks.common.ways_shown import at_batch_size, ways_table
from leco.bench.measure import PLAIN
from leco.criteria import criterion_from_dict
from leco.display import time_saved
from leco.files import save_figure
from leco.reproduction.tables import markdown

README, PAGE = ROOT / "README.md", DOCS / "benchmarks.md"
PICTURE = ASSETS / "onnx_sst2.svg"
BY_BATCH = """The int8 here is that of before, in which all activations of a batch share one range; what today's
takes beside it is a table of docs/benchmarks.md."""
"""What stands above the tables that were measured before int8 gave a text one answer."""
OF_IDEAL = 0.9
"""The goal of the throughput at batch size 32, as a share of the ideal."""
EXITS_NAMED = {"linear": "linear exits", "cell": "exits found by a search"}
"""Kinds of exits, in words."""
AIM = 0.85
"""What a search epoch should cost, as a ratio to a joint training epoch."""
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def spread(row, name):
    return f"{row[f'{name}_median']:.2f} ({row[f'{name}_min']:.2f}-{row[f'{name}_max']:.2f})"


def demo():
    result = read("benchmarks/demo")
    (row,) = result["rows"]
    exits = ", ".join(f"{score:.1%}" for score in row["exit_scores"])
    criterion = criterion_from_dict(row["criterion"])
    return f"""**The demo** (`make demo`): all-MiniLM-L6-v2 (6 layers) on rotten_tomatoes, search included, takes
{row["minutes"]:.1f} minutes and {row["peak_mib"] / 1024:.1f} GiB.
On {row["rows"]} test texts it is right for {row["score"]:.1%} with early exits and {row["full_depth_score"]:.1%}
at full depth, in {time_saved(row["speedup"])} at batch size 1;
texts leave at layer {row["mean_exit_layer"]:.2f} on average (`{criterion}`, chosen on dev).
Accuracy of the exits by layer: {exits}; AVG {row["avg"]:.1%}, BEST {row["best"]:.1%}.
{source(result)}"""


def search_cost():
    result = read("benchmarks/search_cost")
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

{markdown(["backbone", "precision", "time", "memory"], rows)}

Half of the rows need no backward pass through the backbone, so that about 0.67 is the floor; the rest is the supernet,
which weighs less the larger the backbone. The goal was at most 1, the aim {AIM}, missed by {misses or "none"}.

{source(result)}"""


def training_cost():
    result = read("benchmarks/training_cost")
    rows = [
        [row["backbone"], row["dtype"], row["way"], spread(row, "ratio")]
        for row in result["rows"]
        if row["way"] != "plain"
    ]
    return f"""**A joint training epoch** against fine-tuning the plain Transformers classifier; `plain again` is
a second plain classifier, the control.

{markdown(["backbone", "precision", "model", "time"], rows)}

{source(result)}"""


def exit_overhead():
    result = read("benchmarks/exit_overhead")
    rows = [
        [str(row["batch_size"]), str(row["tokens"]), row["way"], f"{row['ratio_median']:.2f}"] for row in result["rows"]
    ]
    return f"""**All exits computed and none taken**: `predict` at full depth in PyTorch against the plain classifier,
6 layers; what the exits cost a text that never leaves early.

{markdown(["batch size", "tokens", "model", "time"], rows)}

{source(result)}"""


def of(value):
    """A median and the range around it."""
    return f"{value['median']:.2f} ({value['min']:.2f}-{value['max']:.2f})"


def against(goal, value):
    """A goal, and by how much it was missed."""
    return [f"{goal:.2f}", f"{value - goal:.2f}" if value - goal >= 0.005 else ""]


def onnx_cost():
    result = read("benchmarks/onnx_cost")
    rows, streams = [], []
    for row in result["rows"]:
        about = [row["backbone"], row["exits"], row["precision"]]
        for tokens, cost in row["lengths"].items():
            goal = 1.03 if row["backbone"].startswith("12") else 1.10 if int(tokens) < 64 else 1.05
            rows.append([*about, tokens, f"{cost['plain_ms']:.2f}", *costs(cost, goal)])
        stream, memory = row["stream"], f"{row['memory']['ratio']:.2f}"
        goal = stream["ideal"] + (0.05 if row["precision"] == "int8" else 0.03)
        streams.append([*about, f"{stream['ideal']:.2f}", *costs(stream, goal), memory])
    about = ["backbone", "exits", "precision"]
    compared = ["to ONNX Runtime's plain model", "goal", "missed by", "to our plain model", "missed by", "control"]
    return f"""{BY_BATCH}

**All exits and the criterion computed in ONNX Runtime and none taken**, against the plain model at
full depth: ratio of times at batch size 1, median over rounds (smallest-largest). ONNX Runtime's plain model has the
operators that its optimizer makes of an export, `SkipLayerNormalization` among them (the better of fused and unfused
attention). Our files have a sum and a norm in its place, and so has our plain model; it is the stricter comparison,
and its time is given. The control is that model once more: what it is from 1, and its range, says how far to trust a
ratio. Most of the paper's exits have one operation; most of those found here have two attentions, of 2 to 8 heads each
in the whole space.

{markdown([*about, "tokens", "our plain, ms", *compared], rows)}

**A mixed stream** of 100 real texts that leave at layers drawn evenly, against the ideal (the mean share of layers
used; the goal was 0.03 more in float32 and 0.05 in int8), and resident memory against the plain model's.

{markdown([*about, "ideal", *compared, "memory"], streams)}

What is over our plain model's time, and over the ideal, is some 25 small operations at each layer (exit, criterion,
taking rows out), which weigh the more the shorter the text and the narrower the layer. The exits found in the whole
space cost more in int8, at 128 tokens too: they stay in float32, and most have an attention of 10 to 16 heads over all
pairs of tokens, where the backbone's own have 12. A search among two heads avoids that
(`--encoders conv_1,conv_3,conv_5,mha_2,skip-connect,null`). Tried against the rest: weights inside the branches, nested
branches, leaving rows in until any leaves, fewer guards, no branch before layer 3, and, kept, all attentions of an exit
as one node, all its convolutions as one kernel, and its linear parts behind the pooler.

{source(result)}"""


def costs(found, goal):
    """Early exiting against both plain models, the goal, by how much it was missed, and the control."""
    stock, own = found["early_to_stock"], found["early"]
    return [of(stock), *against(goal, stock["median"]), of(own), against(goal, own["median"])[1], of(found["control"])]


def onnx_norms():
    result = read("benchmarks/onnx_norms")
    rows = [
        [
            str(row["width"]),
            str(row["tokens"]),
            f"{row['two']:.1f}",
            f"{row['fused']:.1f}",
            f"{row['ratio']['median']:.1f}",
        ]
        for row in result["rows"]
    ]
    return f"""**A sum and its norm in ONNX Runtime** on one thread, as the two operators that our files have and as
`SkipLayerNormalization`, which its optimizer makes of an `Add` and a norm: microseconds, and the median ratio.

{markdown(["width", "tokens", "two operators", "fused", "ratio"], rows)}

{source(result)}"""


def onnx_sst2():
    result = read("benchmarks/onnx_sst2")
    (found,) = result["rows"]
    alone = at_batch_size(found, 1)
    plain = alone[PLAIN]["score"]
    chosen = "\n".join(
        f"- `{name}`: {row['score']:.1%} ({100 * (row['score'] - plain):+.1f}) in {row['ratio']:.2f} of the time "
        f"at batch size 1 ({1 / row['ratio']:.2f}x); throughput at 32 is {share['of_ideal']:.2f} of the ideal, "
        f"{share['of_ideal_by_tokens']:.2f} of that in which texts count by their tokens, and "
        f"{share['of_ideal_with_exits']:.2f} of the same file's when none leaves"
        for name, row, share in ((name, alone[name], found["compaction"][name]) for name in found["chosen"])
    )
    met = [
        name for name in found["chosen"] if alone[name]["score"] >= plain - 0.005 and alone[name]["ratio"] <= 1 / 1.5
    ]
    goal = (
        f"The first is met by {', '.join(f'`{name}`' for name in met)}."
        if met
        else "No setting that was chosen on dev meets the first."
    )
    same = "\n".join(
        f"- {name}, `{criterion}`: {count['differ']} of {count['texts']} differ, {count['near']} of these near"
        for name, by_criterion in found["agreement"].items()
        for criterion, count in by_criterion.items()
    )
    together = "\n".join(
        f"- `{name}`: {count['differ']} of {count['texts']}, {count['right'][0]:.1%} alone, "
        f"{count['right'][1]:.1%} together"
        for name, count in found["batched"].items()
    )
    draw(alone)
    return f"""**SST-2 in int8** (all-MiniLM-L6-v2, all training rows, quick preset, exits searched on 10,000 rows among
convolutions and attentions of 2 heads; 872 test texts). At full depth the int8 model is right for {plain:.1%}.
{BY_BATCH}
With settings that cost nothing on dev:

{chosen}

The goal was a loss of at most 0.5 points at 1.5x or more, and {OF_IDEAL} of the ideal throughput (full depth's divided
by the share of layers used). {goal} The second is missed by
{", ".join(f"{OF_IDEAL - share['of_ideal']:.2f}" for share in found["compaction"].values())}. {left_above(alone)}
What is missing of the ideal throughput is taken apart in the table of what holds batches back, below.

![Accuracy over time](assets/{PICTURE.name})

Time is a ratio to the plain int8 model at the same batch size. "First k layers" is the backbone cut to these and
fine-tuned with the same settings.

{ways_table(found["ways"], "accuracy")}

Texts whose exit layer or label differ between the float32 file and PyTorch, over the whole test sets (near: what
decides is within 1e-5 of the threshold):

{same}

Texts that leave elsewhere, or with another label, at batch size 32 than alone, and the accuracy of both:

{together}

{source(result)}"""


def onnx_int8():
    result = read("benchmarks/onnx_int8")
    rows = [
        [
            row["backbone"],
            row["way"],
            str(row["batch_size"]),
            f"{row['score']:.1%}",
            f"{row['moved']} of {row['texts']} (scores by {row['largest']:.0e})",
            f"{row['from_float32']:.4f}",
            f"{row['layers']:.0%}",
            f"{row['ms']:.2f}",
            "{median:.2f} ({min:.2f}-{max:.2f})".format(**row["ratio"]),
        ]
        for row in result["rows"]
    ]
    columns = [
        "backbone",
        "way",
        "batch size",
        "accuracy",
        "otherwise than alone",
        "from float32",
        "layers",
        "ms",
        "time",
    ]
    return f"""**int8 in which a text has one answer** (`int8`, what `leco export --int8` writes) on SST-2's test texts,
beside the same with one range for all activations of a batch (`int8 by batch`, what it wrote before) and ONNX Runtime's
own dynamic and static int8 (its tools, by column; the static one on 128 training texts): the plain model at full depth,
and our files by the model's own criterion (`early`). "Otherwise than alone" are texts that get another label or leave
at another layer than at batch size 1, and the largest difference of a score; "from float32" is the root mean square
difference from the scores of float32 at full depth; time is a ratio to int8 by batch, round by round.

{markdown(columns, rows)}

{source(result)}"""


def of_ideal(row):
    """The share of the ideal throughput, in two places, and whether the goal is met."""
    share = row["ideal"] / row["early"]
    return f"{share:.2f}" + ("" if share >= OF_IDEAL else f", missed by {OF_IDEAL - share:.2f}")


def compaction():
    result = read("benchmarks/compaction")
    at_32 = [row for row in result["rows"] if row["batch_size"] == 32]
    reached = "; ".join(f"{EXITS_NAMED[row['exits']]} on {row['backbone']}: {of_ideal(row)}" for row in at_32)
    rows = [
        [
            row["backbone"],
            EXITS_NAMED[row["exits"]],
            str(row["batch_size"]),
            f"{row['ms']:.2f}",
            f"{row['ideal']:.2f} ({row['by_tokens']:.2f})",
            f"{row['early']:.2f}",
            f"{row['ideal'] / row['early']:.2f}",
            f"{row['none']:.2f}",
            f"{row['none'] * row['by_tokens'] / row['early']:.2f}",
        ]
        for row in result["rows"]
    ]
    columns = ["backbone", "exits", "batch size", "plain, ms a text", "layers run (by tokens)", "early", "of the ideal"]
    columns += ["none leaves", "compaction alone"]
    return f"""**What holds batches back** (SST-2, int8, the models' own criteria). Times are ratios to the plain model
at the same batch size. "Of the ideal" is the share of layers that are run over the time that is taken. It falls short
of 1 for three reasons: long texts leave later ("by tokens"); exits cost something by themselves ("none leaves" is the
same model with its exits computed and none taken); and "compaction alone" is what leaving gets of what it could get,
texts counted by their tokens: deep layers run the few texts that are left of a batch, whose matrices are small. The
goal is {OF_IDEAL} at batch size 32: {reached}.

{markdown(columns, rows)}

{source(result)}"""


def embedding_exit():
    result = read("benchmarks/embedding_exit")
    rows = [
        [
            row["precision"],
            str(row["batch_size"]),
            str(row["seed"]),
            row["way"],
            ", ".join(map(str, row.get("exit_layers", ()))),
            f"`{row['setting']}`" if "setting" in row else "",
            f"{row['score']:.1%}",
            f"{row['layers']:.0%}",
            f"{row['ratio']:.2f} ({row['ratio_low']:.2f}-{row['ratio_high']:.2f})",
        ]
        for row in sorted(result["rows"], key=lambda row: (row["precision"], row["batch_size"]))
    ]
    columns = ["precision", "batch size", "seed", "exit on the embeddings", "exits kept", "setting"]
    return f"""**An exit on the embeddings** (all-MiniLM-L6-v2, 5,000 training rows of SST-2, MHA exits, ONNX Runtime):
models that were trained with one ("with") and without, whose exits are kept that pay on dev, and the latter at full
depth ("plain", "plain again"). Settings cost at most a point on dev; time is a ratio to the plain model.

{markdown([*columns, "accuracy", "layers", "time"], rows)}

{source(result)}"""


def kind(way):
    """What a way is a point of: a criterion's curve, the curve of models of fewer layers, or only itself."""
    return way.partition(":")[0] if ":" in way else "first k layers" if way.startswith("first") else way


def left_above(alone):
    """Which static alternatives are not beaten: no setting of ours is at least as good in no more time."""
    ours = [row for way, row in alone.items() if ":" in way]
    static = [row for way, row in alone.items() if ":" not in way]
    above = [
        row["way"]
        for row in static
        if not any(one["score"] >= row["score"] and one["ratio"] <= row["ratio"] for one in ours)
    ]
    if above:
        return f"Static alternatives that no setting below matches in score and time both: {', '.join(above)}."
    return "Each static alternative is matched or beaten, in score and time both, by a setting below."


def draw(alone):
    """The picture of accuracy over time at batch size 1."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    series = defaultdict(list)
    for way, row in alone.items():
        series[kind(way)].append((row["ratio"], 100 * row["score"]))
    for name, points in series.items():
        style = {"linestyle": ":", "marker": "s"} if name.startswith(("first", PLAIN)) else {"marker": "o"}
        axis.plot(*zip(*sorted(points), strict=True), label=name, **style)
    axis.set_xlabel("time at batch size 1, as a ratio to the plain int8 model")
    axis.set_ylabel("accuracy on SST-2's test set, %")
    axis.set_xlim(left=0)
    axis.grid(alpha=0.3)
    axis.legend()
    save_figure(figure, PICTURE)


def pytorch_engine():
    result = read("benchmarks/pytorch_engine")
    return f"""**The PyTorch engine** on SST-2, at full depth (`plain`, `torch-full`) and with early exits (`torch`),
with bfloat16 weights (`--bf16`) and compiled layers (`--compile`); time is a ratio to full depth in float32.
On a processor that has bfloat16 it pays at any batch size, with and without early exits. Compiling changes the
ratios by a few hundredths, in either direction.

{ways_table(result["rows"], "accuracy")}

{source(result)}"""


def in_short():
    """What a user gets and what it costs, in a few lines; the settings are those that dev chose."""
    if twelve_page.measured():
        return twelve_page.in_short()
    result = read("benchmarks/onnx_sst2")
    (found,) = result["rows"]
    alone = at_batch_size(found, 1)
    plain = alone[PLAIN]["score"]
    early = ", ".join(
        f"{alone[name]['score']:.1%} in {alone[name]['ratio']:.2f} of the time (`{name}`)" for name in found["chosen"]
    )
    cuts = ", ".join(
        f"{row['score']:.1%} in {row['ratio']:.2f} ({way})" for way, row in alone.items() if way.startswith("first")
    )
    return f"""![Accuracy over time](docs/assets/{PICTURE.name})

**Exported, in int8** (SST-2, ONNX Runtime, batch size 1): the whole int8 model is right for {plain:.1%}.
{BY_BATCH}
With settings that cost nothing on dev, early exits have on test {early}.
The backbone's first layers, fine-tuned alone, have {cuts}.
{source(result)}"""


SECTIONS = (
    twelve_page.section,
    onnx_sst2,
    onnx_int8,
    compaction,
    onnx_cost,
    onnx_norms,
    pytorch_engine,
    search_cost,
    training_cost,
    exit_overhead,
    embedding_exit,
)


def main():
    write_between(PAGE, BEGIN, END, "\n\n".join(section() for section in SECTIONS))
    write_between(README, BEGIN, END, "\n\n".join((in_short(), demo())))


if __name__ == "__main__":
    main()
