"""Exit criteria on the cells of all tasks and seeds: the area under each score curve, over the layers saved.

python -m studies.areas --glue-dir GLUE                    # LECO's with six layers: studies/results/areas.json
python -m studies.areas --glue-dir GLUE --twelve-layers    # and those with linear exits: areas_twelve_layers.json

Unlike figure 2 this needs no timing, only what all exits said of dev and test, so that it can be had for every seed.
That is in outputs/ beside the records where the cells have run, and is not committed: elsewhere they have to run again.
For each cell settings are chosen on dev and scored on test as in `leco evaluate`; the range of shares saved is the one
that all criteria of the cell reach. COBEE never leaves at layer 1; to tell what that costs from what its rule costs,
the entropy is tried once more with a first exit that knows nothing.
"""

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

from benchmarks.common.recording import report
from leco import Cobee, Entropy, MaxProbability, Patience, Pcee
from leco.evaluation.curve import area, common_range, curve, operating_points
from leco.reproduction.grids import LECO
from studies.common.outputs import stored_outputs, task_of
from studies.common.paper_tables import RUNS_OF_TWELVE_LAYERS, all_of

CRITERIA = (Cobee, Patience, Entropy, MaxProbability, Pcee)
LINEAR = "JT + linear exit"
FROM_LAYER_2 = "entropy, not at layer 1"


def cells(run, names):
    """The cells of some rows of a run whose outputs are here, with the rows' names; says which are not."""
    (grid,) = run.tables.grids
    rows = [row for row in grid.rows if row.name in names]
    for row, task, seed in product(rows, run.tasks, range(run.seeds)):
        cell = grid.cell(row, task, seed)
        if run.results.outputs(cell).is_file():
            yield row.name, cell
        elif cell in run.results:
            print(f"left out: {cell.name} ran elsewhere; without its line in {run.results.root} it runs again")


def without_first(stored):
    """What is stored, with a first exit that finds all labels equally likely."""
    scores = stored.scores.copy()
    scores[0] = 1 / scores.shape[-1]
    return replace(stored, scores=scores)


def areas(cell, results, glue_dir):
    """The area under the curve of each criterion on a cell, in percent, and the range of shares saved."""
    dev, test = stored_outputs(results, cell, glue_dir)
    task = task_of(dev)
    found = {kind.name: curve(operating_points(kind, dev, test, task), test, task) for kind in CRITERIA}
    blind_dev, blind_test = without_first(dev), without_first(test)
    found[FROM_LAYER_2] = curve(operating_points(Entropy, blind_dev, blind_test, task), blind_test, task)
    low, high = common_range(found.values())
    return {name: 100 * area(points, low, high) for name, points in found.items()}, [low, high]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--twelve-layers", action="store_true")
    arguments = parser.parse_args()
    run, names, report_name = all_of("table2"), (LECO,), "studies/areas"
    if arguments.twelve_layers:
        run, names, report_name = RUNS_OF_TWELVE_LAYERS[0], (LECO, LINEAR), "studies/areas_twelve_layers"
    rows = []
    for row, cell in cells(run, names):
        by_criterion, saved = areas(cell, run.results, arguments.glue_dir)
        task = cell.task.removeprefix("glue/")
        rows.append({"row": row, "task": task, "seed": cell.seed, "areas": by_criterion, "saved": saved})
    if not rows:
        raise SystemExit("None of the cells has run here.")
    report(report_name, rows)


if __name__ == "__main__":
    main()
