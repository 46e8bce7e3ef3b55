"""Many cells on one GPU: in a pool of processes that stay, each writing its result as it ends, until the time is over.

python -m studies.gpu_cells standardized tables --models MODELS --glue-dir GLUE --root CELLS --out OUT --seconds 540

MODELS holds the folders all-MiniLM-L6-v2 and all-mpnet-base-v2. A cell that was cut off or failed goes on, after its
last epoch, when the command is repeated with the same root. OUT gets one line of JSON for each cell that has ended and
was not there before, and archives of what their exits said.

Start NVIDIA's multi-process service first (`nvidia-cuda-mps-control -d`): without it processes take turns on the GPU.
"""

import argparse
import json
import os
import sys
import tarfile
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from pathlib import Path

import torch

from leco.reproduction import Cell, ResultsFolder
from leco.reproduction.grids import TABLE_2, TABLE_3, TABLE_5
from leco.reproduction.scheduler import with_needs
from studies import standardized
from studies.standardized import BF16, EXITS, LARGE, ON, SMALL

IN_ARCHIVE = 60
FILE = "gpu_cells"
"""The file of the records."""


def tuning(models):
    """What `studies.standardized` tunes."""
    return [one for by_exits in standardized.tuning(models).values() for one in by_exits.values()]


def tables(models):
    """Tables 2, 3 and 5 with twelve layers, all exits standardized, SST-2 with 5,000 rows; what matters most first."""
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
                    rows = [("train_rows", 5_000)] if task == "sst-2" else []
                    settings = {"strategy": strategy, "exits": exits, "seed": seed, "search_preset": "sampling"}
                    options = (BF16, ON, *rows)
                    cells.append(Cell(f"glue/{task}", str(models / LARGE), "quick", options, space, **settings))
    return cells


def tiny(models):
    """One cell of each kind, to see that all is well."""
    short = ("epochs", 1), ("search_epochs", 2)
    return [
        standardized.cell(models, model, "glue/rte", ON, *short, exits=exits)
        for model in (SMALL, LARGE)
        for exits in EXITS
    ]


PLANS = {"tiny": tiny, "standardized": standardized.with_and_without, "tuning": tuning, "tables": tables}


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


class Processes:
    """Pools of processes, one after the other: where one of its processes is killed, a pool ends with all of them."""

    def __init__(self, jobs):
        self.jobs = jobs
        self._begin()

    def submit(self, *work):
        """Start work, in a new pool where the last one has ended."""
        try:
            return self.pool.submit(*work)
        except BrokenProcessPool:
            self._begin()
            return self.pool.submit(*work)

    def _begin(self):
        self.pool = ProcessPoolExecutor(self.jobs, get_context("spawn"), begin)


def run_until(deadline, experiments, folder, glue_dir, jobs):
    """Run what is not finished in the order given, needs first, until all is done or the time is over.

    Where a process is killed, say for memory, what ran beside it counts as failed too, and the others go on.
    """
    pending = [one for one in with_needs(dict.fromkeys(experiments, FILE)) if one not in folder]
    running, failed = {}, []
    processes = Processes(jobs)
    while (pending or running) and time.time() < deadline:
        ready = [one for one in pending if one.needs is None or one.needs in folder]
        for one in ready[: jobs - len(running)]:
            pending.remove(one)
            running[processes.submit(run, one, folder.root, glue_dir)] = one
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
    arguments = parser.parse_args()
    deadline = time.time() + arguments.seconds
    experiments = list(dict.fromkeys(one for name in arguments.plans for one in PLANS[name](arguments.models)))
    folder = ResultsFolder(arguments.root)
    run_until(deadline, experiments, folder, arguments.glue_dir, arguments.jobs)
    hand_over(experiments, folder, arguments.out)
    if arguments.show:
        show(experiments, folder)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
