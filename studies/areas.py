"""Exit criteria on LECO's cells of all tasks and seeds: the area under each score curve, over the layers saved.

python -m studies.areas --glue-dir GLUE    # writes studies/results/areas.json

Unlike figure 2 this needs no timing, only what all exits said of dev and test, so that it can be had for every seed.
That is in results/outputs/ where the cells have run, and is not committed: elsewhere they have to run again. For each
cell settings are chosen on dev and scored on test as in `leco evaluate`; the range of shares saved is the one that all
criteria of the cell reach. COBEE never leaves at layer 1; to tell what that costs from what its rule costs, the entropy
is tried once more with a first exit that knows nothing.
"""

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

from benchmarks.common.recording import report
from leco import Cobee, Entropy, MaxProbability, Patience, Pcee
from leco.evaluation.curve import area, common_range, curve, operating_points
from studies.common.outputs import stored_outputs, task_of
from studies.common.paper_tables import RESULTS, all_of

CRITERIA = (Cobee, Patience, Entropy, MaxProbability, Pcee)
FROM_LAYER_2 = "entropy, not at layer 1"


def cells():
    """LECO's cells of Table 2; ends the script where what their exits said is not there."""
    run = all_of("table2")
    (grid,) = run.tables.grids
    ours = next(row for row in grid.rows if row.name == grid.ours)
    for task, seed in product(run.tasks, range(run.seeds)):
        cell = grid.cell(ours, task, seed)
        if cell in RESULTS:
            if not RESULTS.outputs(cell).is_file():
                raise SystemExit(f"{cell.name} ran elsewhere. Take its line out of results/ and run studies.paper.")
            yield cell


def without_first(stored):
    """What is stored, with a first exit that finds all labels equally likely."""
    scores = stored.scores.copy()
    scores[0] = 1 / scores.shape[-1]
    return replace(stored, scores=scores)


def areas(cell, glue_dir):
    """The area under the curve of each criterion on a cell, in percent, and the range of shares saved."""
    dev, test = stored_outputs(RESULTS, cell, glue_dir)
    task = task_of(dev)
    found = {kind.name: curve(operating_points(kind, dev, test, task), test, task) for kind in CRITERIA}
    blind_dev, blind_test = without_first(dev), without_first(test)
    found[FROM_LAYER_2] = curve(operating_points(Entropy, blind_dev, blind_test, task), blind_test, task)
    low, high = common_range(found.values())
    return {name: 100 * area(points, low, high) for name, points in found.items()}, [low, high]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--glue-dir", type=Path)
    arguments = parser.parse_args()
    rows = []
    for cell in cells():
        by_criterion, saved = areas(cell, arguments.glue_dir)
        rows.append({"task": cell.task.removeprefix("glue/"), "seed": cell.seed, "areas": by_criterion, "saved": saved})
    report("studies/areas", rows)


if __name__ == "__main__":
    main()
