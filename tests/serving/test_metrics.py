"""What the monitor's metrics say: of one process after a restart, and of several that count in one file."""

import os
import subprocess
import sys

from prometheus_client.multiprocess import mark_process_dead

SCRIPT = """
import sys
from types import SimpleNamespace
import numpy as np
from leco.calibration import MonitorOptions, Watch
from leco.criteria import Static, Task
from leco.runtime import PredictorMixin, Watched
from leco.serving.metrics import Metrics
from leco.serving.waiting import WaitingRoom

class Predictor(PredictorMixin):
    task, criterion = Task(2, 3), Static(1)

path, rows, disagree = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
metrics = Metrics(print)
watched = Watched(Predictor(), Watch(0.1), options=MonitorOptions(monitor=path), on_alarm=metrics.alarm)
metrics.watch(lambda: SimpleNamespace(engine=SimpleNamespace(room=WaitingRoom(1, 1)), predictor=watched))
watched._texts = rows
watched._add(np.arange(rows) < disagree)
print(metrics.text().decode())
"""


def seen(path, rows, disagree, counts=None):
    """The monitor's metrics of a process whose monitor then sees so many texts; `counts` is where several count."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    if counts is not None:
        variables["PROMETHEUS_MULTIPROC_DIR"] = str(counts)
    command = [sys.executable, "-c", SCRIPT, *map(str, (path, rows, disagree))]
    lines = subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout.splitlines()
    found = dict(line.removeprefix("leco_monitor_").split() for line in lines if line.startswith("leco_monitor_"))
    return {name: float(value) for name, value in found.items()}


def test_an_alarm_is_in_the_metrics_of_a_process_that_begins_after_it(tmp_path):
    path = tmp_path / "watch.json"
    first, second = seen(path, 100, 60), seen(path, 100, 0)
    assert (first["alarm"], first["checked"], first["disagreements"]) == (1, 100, 60)
    assert (second["alarm"], second["checked"], second["disagreements"]) == (1, 200, 60)
    assert (second["failing"], seen(tmp_path / "another.json", 100, 0)["alarm"]) == (0, 0)


def test_what_several_processes_count_in_one_file_is_counted_once(tmp_path):
    counts, path = tmp_path / "counts", tmp_path / "watch.json"
    counts.mkdir()
    for _ in range(2):
        seen(path, 100, 2, counts)
    assert seen(path, 100, 2, counts) == {"checked": 300, "disagreements": 6, "alarm": 0, "failing": 0}


def test_the_alarm_of_a_process_that_has_ended_is_no_more_than_the_file_says(tmp_path):
    counts, path = tmp_path / "counts", tmp_path / "watch.json"
    counts.mkdir()
    assert seen(path, 100, 60, counts)["alarm"] == 1
    assert seen(tmp_path / "another.json", 100, 0, counts)["alarm"] == 1, "as long as it is not known to have ended"
    for file in counts.iterdir():
        mark_process_dead(file.stem.rpartition("_")[2], counts)
    assert seen(tmp_path / "another.json", 100, 0, counts)["alarm"] == 0
    assert seen(path, 100, 0, counts)["alarm"] == 1
