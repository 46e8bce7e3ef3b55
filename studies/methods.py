"""The tables of docs/methods.md: every strategy with every kind of exits, and every criterion on one trained model.

python -m studies.methods --glue-dir GLUE            # hours; runs what is missing, one thread for each of two cells
python -m studies.methods --glue-dir GLUE --only criteria
python -m studies.methods --render                   # writes the tables of what is there

The cells are lines of results/*.jsonl and are never run twice; a killed run continues. The minutes are the processor's,
over all threads, which other work on the machine hardly changes.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.common.recording import DOCS, ROOT, read, report, result_path, source, write_between
from leco.criteria import CRITERIA
from leco.data import load_data
from leco.evaluation import align_labels, applicable_criteria
from leco.evaluation.evaluate import stored_outputs
from leco.evaluation.scores import settings
from leco.evaluation.speedup import OperatingPoint, measure_speedups
from leco.evaluation.tokens import tokens
from leco.model import load_model
from leco.reproduction import ResultsFolder, run_all
from leco.reproduction.grids import methods
from leco.reproduction.tables import markdown

RESULTS, PAGE = ResultsFolder(ROOT / "results"), DOCS / "methods.md"
FILE = "methods"
"""The file of the records."""
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
FACTORS = (1.5, 2.0)
"""Speedups at which criteria are compared."""


def carries_criteria(cell):
    """Whether a cell's model is the one on which the criteria are compared."""
    return (cell.task, cell.strategy, cell.exits) == ("glue/cola", "joint", "learned")


def strategies():
    """For each task a table, a row for each strategy: AVG and BEST by kind of exits, and what it took."""
    by_task = defaultdict(list)
    for cell in methods():
        if cell in RESULTS:
            by_task[cell.task].append((cell, RESULTS[cell]))
    parts = []
    for task, cells in by_task.items():
        rows = []
        for cell, result in cells:
            parameters = result["exit_parameters"]
            exits = f"{min(parameters):,}-{max(parameters):,}" if len(set(parameters)) > 1 else f"{parameters[0]:,}"
            percent = [f"{100 * result[name]:.1f}" for name in ("avg", "best")]
            rows.append([cell.strategy, cell.exits, *percent, f"{result['cpu_minutes']:.1f}", exits])
        done, all_cells = len(cells), sum(cell.task == task for cell in methods())
        _, first = cells[0]
        setup = f"{first['metric']} in percent on {first['rows']['test']} test texts"
        machine = {**first["machine"], **first["versions"]}
        lines = markdown(["strategy", "exits", "AVG", "BEST", "CPU minutes", "parameters of an exit"], rows)
        parts.append(
            f"**{task}** ({setup}; {done} of {all_cells} cells have been run)\n\n{lines}\n\n"
            f"`python -m studies.methods`, {machine['date']}, {machine['processor']}, two cells at a time with one "
            f"thread each, PyTorch {machine['torch']}, Transformers {machine['transformers']}."
        )
    return "\n\n".join(parts)


def measure_criteria(glue_dir, texts, repeats):
    """For each criterion and factor: the setting chosen on dev, its score on test, and the speedup measured there."""
    (cell,) = filter(carries_criteria, methods())
    model = load_model(RESULTS.model(cell))
    data = align_labels(load_data(cell.task, glue_dir=glue_dir), model)
    encodings = tokens(model, data.test)
    dev = stored_outputs(model, data.dev, tokens(model, data.dev), data.metric, "dev")
    test = stored_outputs(model, data.test, encodings, data.metric, "test")
    chosen = []
    for name in applicable_criteria(model):
        tried = settings(CRITERIA[name], dev, model.task)
        for factor in FACTORS:
            fast = [one for one in tried if model.task.num_layers / one.mean_exit_layer >= factor]
            if fast:
                best = max(fast, key=lambda one: (one.score, one.mean_exit_layer))
                chosen.append((name, factor, best, test.exit_layers(best.criterion, model.task)))
    points = [OperatingPoint.by(best.criterion, best.score, layers) for _, _, best, layers in chosen]
    speedups = measure_speedups(model, encodings, points, repeats, texts)
    rows = [
        {
            "criterion": name,
            "factor": factor,
            "setting": str(best.criterion),
            "dev": best.score,
            "score": test.at(layers),
            "layers_factor": float(model.task.num_layers / np.mean(layers)),
            "measured_factor": speedup.factor,
        }
        for (name, factor, best, layers), speedup in zip(chosen, speedups, strict=True)
    ]
    cell_text = {"cell": cell.name, "task": cell.task, "metric": data.metric, "exit_scores": test.by_exit()}
    report("studies/criteria", [{**cell_text, "texts": texts, "repeats": repeats, "criteria": rows}])


def criteria():
    """A row for each criterion: score and measured speedup at each factor."""
    result = read("studies/criteria")
    (found,) = result["rows"]
    by_name = defaultdict(dict)
    for row in found["criteria"]:
        by_name[row["criterion"]][row["factor"]] = row
    lines = []
    for name, by_factor in by_name.items():
        cells = []
        for row in map(by_factor.get, FACTORS):
            shown = ("", "", "")
            if row is not None:
                shown = f"`{row['setting']}`", f"{100 * row['score']:.1f}", f"{row['measured_factor']:.2f}x"
            cells += shown
        lines.append([name, *cells])
    header = ["criterion"] + [text for factor in FACTORS for text in (f"at {factor:g}x", "score", "measured")]
    exits = ", ".join(f"{100 * score:.1f}" for score in found["exit_scores"])
    return f"""**Criteria** on one model ({found["task"]}, joint training, learned exits, quick preset, one seed;
{found["metric"]} in percent; its exits, as a fixed layer for all texts: {exits}).
For each speedup, counted in layers, the setting with the best score on dev among those that are so fast there; its
score on test, and the speedup of time measured on {found["texts"]} test texts in PyTorch, where the exits cost some.

{markdown(header, lines)}

{source(result)}"""


def render():
    """Write the tables that there are into docs/methods.md, between its two markers."""
    parts = [strategies()] + ([criteria()] if result_path("studies/criteria").exists() else [])
    write_between(PAGE, BEGIN, END, "\n\n".join(parts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("cells", "criteria"))
    parser.add_argument("--render", action="store_true")
    arguments = parser.parse_args()
    cells = methods()
    if not arguments.render and arguments.only != "criteria":
        keep = list(filter(carries_criteria, cells))
        run_all(dict.fromkeys(cells, FILE), RESULTS.root, glue_dir=arguments.glue_dir, jobs=arguments.jobs, keep=keep)
    if not arguments.render and arguments.only != "cells":
        measure_criteria(arguments.glue_dir, arguments.texts, arguments.repeats)
    render()


if __name__ == "__main__":
    main()
