"""Many cells on one GPU: in a pool of processes that stay, each writing its result as it ends, until the time is over.

python -m studies.gpu_cells standardized tables --models MODELS --glue-dir GLUE --root CELLS --out OUT --seconds 540

MODELS holds the folders all-MiniLM-L6-v2 and all-mpnet-base-v2. A cell that was cut off goes on, after its last epoch,
when the command is repeated with the same root. OUT gets one line of JSON for each cell that has ended and was not
there before, and archives of what their exits said.
"""

import argparse
import json
import os
import sys
import tarfile
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context
from pathlib import Path

import torch

from leco.exits import base
from leco.exits.standardize import Standardize
from leco.reproduction import Cell, ResultsFolder
from leco.reproduction.grids import TABLE_2, TABLE_3, TABLE_5
from leco.reproduction.scheduler import with_needs

SMALL, LARGE = "all-MiniLM-L6-v2", "all-mpnet-base-v2"
EXITS = "linear", "mha", "learned"
ON, OFF = ("standardize", True), ("standardize", False)
BF16 = ("bf16", True)
ROWS = {(SMALL, "glue/sst-2"): 10_000, (LARGE, "glue/sst-2"): 3_000}
IN_ARCHIVE = 60
FILE = "gpu_cells"
"""The file of the records."""


class Following(Standardize):
    """Statistics that follow training: the mean and deviation of the batches so far, newer ones weighing more."""

    def forward(self, hidden):
        """Standardize, and in training count the batch."""
        if self.training:
            with torch.no_grad():
                values = hidden.float().flatten(0, -2)
                self.mean.lerp_(values.mean(0), 0.01)
                self.std.lerp_(values.std(0).clamp_min(1e-6), 0.01)
        return super().forward(hidden)


class Scaled(Standardize):
    """With a learned scale for each channel."""

    def __init__(self, mean, std):
        super().__init__(mean, std)
        self.scale = torch.nn.Parameter(torch.ones_like(std))

    def forward(self, hidden):
        """Standardize and scale."""
        return super().forward(hidden) * self.scale

    @torch.no_grad()
    def fold_into(self, linear):
        """Make it part of a linear map's weights."""
        linear.weight.mul_(self.scale)
        super().fold_into(linear)


VARIANTS = {"following": Following, "scaled": Scaled}


@dataclass(frozen=True)
class VariantCell(Cell):
    """A cell whose exits are standardized in another way."""

    variant: str = "following"

    @property
    def name(self):
        """Its name."""
        return f"{super().name}_{self.variant}"

    def run(self, folder, glue_dir=None):
        """Train with the other kind of statistics."""
        usual, base.Standardize = base.Standardize, VARIANTS[self.variant]
        try:
            return super().run(folder, glue_dir)
        finally:
            base.Standardize = usual


def cell(models, model, task, *options, **fields):
    """A cell by the preset quick, exits searched by `sampling`."""
    rows = [("train_rows", ROWS[model, task])] if (model, task) in ROWS else []
    folder = str(models / model)
    return Cell(
        task, folder, fields.pop("preset", "quick"), (BF16, *options, *rows), search_preset="sampling", **fields
    )


def standardized(models):
    """With and without, for each kind of exits: what the page's table shows."""
    wanted = [(SMALL, f"glue/{task}", range(3)) for task in ("sst-2", "cola", "mrpc")]
    wanted += [(LARGE, "glue/sst-2", range(2))]
    wanted += [(LARGE, f"glue/{task}", range(1)) for task in ("cola", "mrpc", "rte")]
    wanted += [(SMALL, "glue/rte", range(1))]
    wanted += [(model, "demo/rotten_tomatoes", range(1)) for model in (LARGE, SMALL)]
    return [
        cell(models, model, task, on, exits=exits, seed=seed)
        for model, task, seeds in wanted
        for seed in seeds
        for exits in EXITS
        for on in (ON, OFF)
    ]


def tuning(models):
    """What standardized exits change: rate and width of the exits, length of the search, kind of statistics."""
    cells = []
    for model, task in ((LARGE, "glue/sst-2"),):
        usual = cell(models, model, task, ON)
        for exits in EXITS:
            for rate in (5e-4, 2e-3, 4e-3):
                cells.append(replace(usual, exits=exits, options=(*usual.options, ("exit_lr", rate))))
            for variant in VARIANTS:
                settings = {name: getattr(usual, name) for name in ("task", "model", "preset", "options")}
                cells.append(VariantCell(**settings, exits=exits, search_preset="sampling", variant=variant))
        for width in (48, 64):
            cells.append(replace(usual, options=(*usual.options, ("width", width))))
        for epochs in (2, 8):
            cells.append(replace(usual, options=(*usual.options, ("search_epochs", epochs))))
    return cells


def tables(models, rate=None):
    """Tables 2, 3 and 5 with twelve layers, all exits standardized: SST-2 with all rows, the others as they are."""
    options = [ON, *([("exit_lr", rate)] if rate else [])]
    rows = {(strategy, exits, "O") for strategy, exits in TABLE_2.values()}
    rows |= {(strategy, exits, "O") for strategy, exits, _ in TABLE_3.values()}
    rows |= {("joint", "learned", space) for space in TABLE_5 if space != "mha"}
    first = [("joint", "learned", "O"), ("joint", "mha", "O"), ("two-stage", "mha", "O"), ("joint", "linear", "O")]
    first += [("gradient-equilibrium", "linear", "O")]
    ordered = [*first, *sorted(rows - set(first))]
    cells = []
    for few, seeds in ((True, range(3)), (False, range(1)), (True, range(3, 5)), (False, range(1, 5))):
        for seed in seeds:
            for task in ("rte", "mrpc", "cola", "sst-2"):
                for strategy, exits, space in ordered[:5] if few else ordered[5:]:
                    extra = [("train_rows", 5_000)] if task == "sst-2" else []
                    cells.append(
                        Cell(
                            f"glue/{task}",
                            str(models / LARGE),
                            "quick",
                            (BF16, *options, *extra),
                            space,
                            strategy,
                            exits,
                            seed,
                            "sampling",
                        )
                    )
    return cells


def tiny(models):
    """One cell of each kind, to see that all is well."""
    return [
        replace(cell(models, model, "glue/rte", ON, ("epochs", 1), ("search_epochs", 2)), exits=exits)
        for model in (SMALL, LARGE)
        for exits in EXITS
    ]


PLANS = {plan.__name__: plan for plan in (tiny, standardized, tuning, tables)}


def plan(name, arguments):
    """The cells of a plan."""
    return tables(arguments.models, arguments.rate) if name == "tables" else PLANS[name](arguments.models)


def begin():
    """A process of the pool: one thread, no progress bars on the terminal."""
    torch.set_num_threads(1)
    sys.stdin.close()


def run(one, root, glue_dir):
    """Run one, its words in its own log, and append its record."""
    folder = ResultsFolder(root)
    folder.working(one).mkdir(parents=True, exist_ok=True)
    log = os.open(folder.log(one), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    started = time.perf_counter()
    folder.append(FILE, {one: one.record(one.run(folder, glue_dir))})
    folder.clear(one)
    return time.perf_counter() - started


def run_until(deadline, experiments, folder, glue_dir, jobs):
    """Run what is not finished in the order given, needs first, until all is done or the time is over."""
    pending = [one for one in with_needs(dict.fromkeys(experiments, FILE)) if one not in folder]
    running, failed = {}, []
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), begin)
    while (pending or running) and time.time() < deadline:
        ready = [one for one in pending if one.needs is None or one.needs in folder]
        for one in ready[: jobs - len(running)]:
            pending.remove(one)
            running[pool.submit(run, one, folder.root, glue_dir)] = one
        if not running:
            break
        for future in wait(running, timeout=1, return_when=FIRST_COMPLETED).done:
            one = running.pop(future)
            if error := future.exception():
                failed.append(one.name)
                print(f"failed: {one.name}: {error!r}"[:400], flush=True)
            else:
                print(f"{future.result():6.0f} s  {one.name}", flush=True)
    for child in active_children():
        child.kill()
    print(f"{len(pending)} waiting, {len(running)} cut off, {len(failed)} failed")


def hand_over(experiments, folder, out):
    """Write what has ended since the last time."""
    sent_path = folder.root / "sent.json"
    sent = set(json.loads(sent_path.read_text())) if sent_path.exists() else set()
    done = [one for one in with_needs(dict.fromkeys(experiments, FILE)) if one in folder and one.name not in sent]
    with (out / f"{FILE}.jsonl").open("w") as lines:
        lines.writelines(json.dumps(folder[one]) + "\n" for one in done)
    with_outputs = [one for one in done if folder.outputs(one).exists()]
    for number in range(0, len(with_outputs), IN_ARCHIVE):
        with tarfile.open(out / f"outputs{number // IN_ARCHIVE}.tar", "w") as archive:
            for one in with_outputs[number : number + IN_ARCHIVE]:
                archive.add(folder.outputs(one), folder.outputs(one).name)
    sent_path.write_text(json.dumps(sorted(sent | {one.name for one in done})))
    print(f"{len(done)} handed over")


def show(experiments, folder):
    """AVG on dev and test of what there is."""
    for one in experiments:
        if isinstance(one, Cell) and one in folder:
            result = folder[one]
            dev = 100 * sum(result["dev"]) / len(result["dev"])
            print(f"{dev:5.1f} {100 * result['avg']:5.1f} / {100 * result['best']:5.1f}  {one.name[:150]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("plans", nargs="+", choices=PLANS)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--glue-dir", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--rate", type=float)
    arguments = parser.parse_args()
    deadline = time.time() + arguments.seconds
    experiments = list(dict.fromkeys(one for name in arguments.plans for one in plan(name, arguments)))
    folder = ResultsFolder(arguments.root)
    run_until(deadline, experiments, folder, arguments.glue_dir, arguments.jobs)
    hand_over(experiments, folder, arguments.out)
    if arguments.show:
        show(experiments, folder)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
