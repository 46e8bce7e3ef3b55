"""Grids and the service on a Ray cluster of this machine, of which workers and replicas are killed."""

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import nullcontext
from types import SimpleNamespace

import psutil
import pytest

import leco.serving
from distributed.pair import free_port
from leco import LecoError
from leco.reproduction import Experiment, ResultsFolder, run_all
from leco.reproduction.engines import PROCESS
from leco.reproduction.ray_engine import RayEngine
from waiting import until

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'leco[ray]'")

KIND = '''
import time
from leco import LecoError
from leco.reproduction import Experiment

class Patient(Experiment):
    """The first two times that it runs it waits, if its model says so, for somebody to kill it."""
    results = {"attempts": int}

    def run(self, folder, glue_dir=None):
        notes = folder.working(self) / "attempts"
        notes.parent.mkdir(parents=True, exist_ok=True)
        with notes.open("a") as file:
            file.write("x")
        attempts = len(notes.read_text())
        if self.model == "wrong":
            raise LecoError("there is no such thing")
        if self.model == "waits" and attempts < 3:
            time.sleep(600)
        return {"attempts": attempts}
'''


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster of four cores, as far as it knows, whose workers find what this process finds."""
    folder, before = tmp_path_factory.mktemp("modules"), dict(os.environ)
    (folder / "patient_kind.py").write_text(KIND)
    sys.path.insert(0, str(folder))
    os.environ.update({"PYTHONPATH": os.pathsep.join(sys.path), "RAY_worker_niceness": "0"})
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield ray
    from ray import serve

    serve.shutdown()
    ray.shutdown()
    sys.path.remove(str(folder))
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def patient(cluster, monkeypatch):
    """A kind of experiments that can wait."""
    monkeypatch.setattr(Experiment, "kinds", dict(Experiment.kinds))
    return importlib.reload(importlib.import_module("patient_kind")).Patient


def process_of(experiment):
    """The process of an experiment, where it runs."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if PROCESS in command and f'"model": "{experiment.model}"' in command[-1]:
            return process
    return None


def test_a_killed_worker_or_process_costs_its_cell_only_which_runs_again(patient, tmp_path):
    waits, other = (patient("demo/rotten_tomatoes", model) for model in ("waits", "other"))
    folder = ResultsFolder(tmp_path)
    errors = []

    def run():
        try:
            run_all([waits, other], tmp_path, jobs=2, engine=RayEngine())
        except LecoError as error:
            errors.append(error)

    running = threading.Thread(target=run)
    running.start()
    notes = folder.working(waits) / "attempts"
    until(lambda: notes.exists() and other in folder, seconds=120)
    process_of(waits).parent().kill()
    until(lambda: notes.read_text() == "xx", seconds=120)
    process_of(waits).kill()
    running.join(120)
    assert not running.is_alive()
    assert not errors
    assert (folder[waits]["attempts"], folder[other]["attempts"]) == (3, 1)
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")} == {"cells.jsonl", "working"}


def test_a_cell_that_fails_is_named_and_is_not_tried_again(patient, tmp_path):
    wrong = patient("demo/rotten_tomatoes", "wrong")
    with pytest.raises(LecoError, match=rf"1 of the cells failed; see '.*{wrong.name}\.log'"):
        run_all([wrong], tmp_path, engine=RayEngine())
    folder = ResultsFolder(tmp_path)
    assert "error: there is no such thing" in folder.log(wrong).read_text()
    assert (folder.working(wrong) / "attempts").read_text() == "x"


class Asking(threading.Thread):
    """Asks again and again, until it is told to stop; a request that fails is asked again, and the reason kept."""

    def __init__(self, address):
        super().__init__()
        self.address, self.over, self.answers, self.reasons = address, threading.Event(), [], []

    def run(self):
        while not self.over.is_set():
            self.answers.append(self.ask())

    def ask(self):
        for _ in range(100):
            body = json.dumps({"texts": ["it is good", "so bad"]}).encode()
            try:
                with urllib.request.urlopen(urllib.request.Request(self.address, body), timeout=60) as answer:
                    return [one["label"] for one in json.loads(answer.read())["answers"]]
            except urllib.error.HTTPError as error:
                self.reasons.append(error.code)
            except OSError as error:
                self.reasons.append(type(error).__name__)
            time.sleep(0.1)
        return None


def replicas():
    """The processes of replicas."""
    return {
        one.pid for one in psutil.process_iter(["cmdline"]) if "ServeReplica" in " ".join(one.info["cmdline"] or [])
    }


def test_a_killed_replica_under_load_costs_no_answer(cluster, fitted):
    from ray import serve

    port = free_port()
    serve.start(http_options={"port": port})
    serve.run(leco.serving.ray_app(fitted, min_replicas=2, max_replicas=2, health_period=1, threads=1, max_wait=0.2))
    asking = [Asking(f"http://127.0.0.1:{port}/predict") for _ in range(3)]
    for one in asking:
        one.start()
    until(lambda: all(len(one.answers) > 20 for one in asking), seconds=120)
    before = replicas()
    os.kill(min(before), signal.SIGKILL)
    counts = [len(one.answers) for one in asking]
    until(lambda: len(replicas()) == 2 and min(before) not in replicas(), seconds=120)
    until(lambda: all(len(one.answers) > count + 20 for one, count in zip(asking, counts)), seconds=120)
    for one in asking:
        one.over.set()
        one.join(60)
    assert len(before) == 2
    assert len(replicas() & before) == 1, "the other one is healthy, and goes on"
    answers = [answer for one in asking for answer in one.answers]
    assert {tuple(answer or ()) for answer in answers} == {("positive", "negative")}
    reasons = [reason for one in asking for reason in one.reasons]
    assert set(reasons) <= {500, 503, "RemoteDisconnected", "ConnectionResetError"}
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as ready:
        assert json.loads(ready.read()) == {"ready": True}


def test_a_replica_whose_engine_has_ended_fails_its_health_check(fitted):
    made = leco.serving.ray_app(fitted)._bound_deployment.func_or_class
    for healthy, expected in (
        (True, nullcontext()),
        (False, pytest.raises(RuntimeError, match="the engine has ended")),
    ):
        replica = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(service=SimpleNamespace(healthy=healthy))))
        with expected:
            made.check_health(replica)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"port": 80}, "port is Ray Serve's own setting"),
        ({"min_replicas": 5, "max_replicas": 4}, "min_replicas must be at most max_replicas 4, not 5"),
        ({"max_replica": 4}, "Unknown option 'max_replica'. Did you mean 'max_replicas'"),
        ({"max_wait": 11}, "max_wait must be at most 10"),
        ({"fall_back": True}, "fall_back is for a monitor, and there is none"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(LecoError, match=message):
        leco.serving.ray_app("model", **settings)


def test_a_cluster_that_cannot_be_reached_is_one_sentence():
    command = [sys.executable, "-c", "from leco.ray_cluster import connected_ray; connected_ray()"]
    environment = {**os.environ, "RAY_ADDRESS": "127.0.0.1:1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "LecoError: The Ray cluster at '127.0.0.1:1' cannot be reached" in run.stderr
