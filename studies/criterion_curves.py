"""Figure 2 over the layers saved: every criterion on what the exits of two encoders said (docs/results.md).

python -m studies.criterion_curves --models MODELS --glue-dir GLUE     # a few minutes on a core
python -m studies.criterion_curves --render                            # the tables and pictures of what there is

Nothing is trained or timed: the cells are those of `studies.standardized` with linear exits whose outputs lie in
studies/results/outputs. Settings are chosen on dev and scored on test, as in `leco evaluate`.
"""

from dataclasses import asdict

from benchmarks.common.recording import ASSETS, DOCS, read, report, result_path, source, write_between
from leco.criteria import Oracle
from leco.evaluation.bound import bound
from leco.evaluation.curve import Curve, Point, operating_points
from leco.evaluation.evaluate import compared_curves
from leco.evaluation.plots import draw_curves
from leco.reproduction.tables import markdown
from studies.common.outputs import kinds_for, stored_outputs, task_of
from studies.common.own_results import RESULTS, command_line
from studies.standardized import linear_with_outputs

PAGE, NAME = DOCS / "results.md", "studies/criterion_curves"
BEGIN, END = "<!-- criterion curves: begin -->", "<!-- criterion curves: end -->"
TASKS = "glue/sst-2", "glue/mrpc"


def measured(cell, glue_dir):
    """The curve of each criterion on a cell, and the range of shares saved over which their areas are."""
    dev, test = stored_outputs(RESULTS, cell, glue_dir)
    task = task_of(dev)
    points = {kind.name: operating_points(kind, dev, test, task) for kind in kinds_for(dev)}
    curves, saved = compared_curves({**points, Oracle.name: bound(dev, test, task)}, None, test, task)
    return {
        "task": cell.task.removeprefix("glue/"),
        "layers": task.num_layers,
        "metric": test.metric,
        "train_rows": dict(cell.options).get("train_rows"),
        "rows": len(test.split),
        "saved": saved,
        "curves": {name: asdict(curve) for name, curve in curves.items()},
    }


def curves_of(found):
    """The curves by criterion, as they were before they were written."""
    return {
        name: Curve([Point(**point) for point in curve["points"]], curve["area"])
        for name, curve in found["curves"].items()
    }


def picture(found):
    """The picture of one encoder on one data set, as Markdown."""
    name = f"criteria_{found['task']}_{found['layers']}.svg"
    draw_curves([ASSETS / name], curves_of(found), found["metric"])
    return f"![Score over layers saved on {heading(found)}](assets/{name})"


def heading(found):
    """The data set, how much of it the cell was trained on, where that is not all, and the encoder."""
    rows = f" with {found['train_rows']:,} training rows" if found["train_rows"] else ""
    return f"{found['task']}{rows}, {found['layers']} layers"


def area(found, name):
    """The area under a criterion's curve in percent; bold where no other criterion has more."""
    value = found["curves"].get(name, {}).get("area")
    if value is None:
        return ""
    best = max(curve["area"] for other, curve in found["curves"].items() if other != Oracle.name)
    return f"**{100 * value:.1f}**" if value == best else f"{100 * value:.1f}"


def text(result):
    """The tables and pictures of what was measured."""
    rows = result["rows"]
    names = dict.fromkeys(name for found in rows for name in found["curves"])
    lines = [[name, *(area(found, name) for found in rows)] for name in names]
    reached = [(heading(found), *found["saved"]) for found in rows if found["saved"]]
    ranges = [f"{name}: {low:.0%} to {high:.0%}" for name, low, high in reached]
    pictures = "\n\n".join(picture(found) for found in rows)
    return f"""**The mean score under each criterion's curve**, in percent, over the shares of layers that all criteria
of a column reach ({"; ".join(ranges)}). The oracle knows the labels.

{markdown(["criterion", *map(heading, rows)], lines)}

{pictures}

{source(result)}"""


def render():
    """Write the tables into the page, or that there are none."""
    there = result_path(NAME).exists()
    missing = "Not run yet: `python -m studies.criterion_curves --models MODELS --glue-dir GLUE`."
    write_between(PAGE, BEGIN, END, text(read(NAME)) if there else missing)


def main():
    arguments = command_line().parse_args()
    if not arguments.render:
        cells = linear_with_outputs(arguments.models, TASKS)
        report(NAME, [measured(cell, arguments.glue_dir) for cell in cells])
    render()


if __name__ == "__main__":
    main()
