"""Parts that actors of a Ray cluster answer, of which some are killed."""

import os
import sys
import threading
import time

import psutil
import pytest

from bulk.made import assert_answered, names_in, write_parts
from leco import LecoError
from leco.bulk import predict
from leco.bulk.ray_data import RayAnswerer, reason
from leco.files import TEMPORARY

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'leco[ray]'")


class Deadly(RayAnswerer):
    """Its process ends when it answers one of the parts."""

    def __init__(self, job, attempts):
        super().__init__(job, attempts)
        answer = self.answerer.answer

        def die(part, on_rows):
            return os._exit(1) if part.name == "deadly.parquet" else answer(part, on_rows)

        self.answerer.answer = die


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two cores, as far as it knows, whose workers find what this process finds."""
    before = dict(os.environ)
    os.environ.update({"PYTHONPATH": os.pathsep.join(sys.path), "RAY_worker_niceness": "0"})
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
    os.environ.clear()
    os.environ.update(before)


def test_answers_and_resumption_are_those_of_the_local_engine(cluster, fitted, tmp_path):
    write_parts(tmp_path / "in")
    (tmp_path / "in" / "broken.parquet").write_bytes(b"no")
    done = predict(fitted, tmp_path / "in", tmp_path / "out", engine="ray", workers=2)
    assert (done.parts, done.answered, [*done.failed]) == (4, 120, ["broken.parquet"])
    (tmp_path / "in" / "broken.parquet").unlink()
    assert_answered(tmp_path / "out", tmp_path / "in", fitted)
    (tmp_path / "out" / "part-0.parquet").unlink()
    assert predict(fitted, tmp_path / "in", tmp_path / "out", workers=1).answered == 30


def test_an_actor_that_is_killed_costs_no_row(cluster, fitted, tmp_path):
    """It is killed while it writes a part."""
    write_parts(tmp_path / "in", names=["long-1", "long-2", "short"], number=3000)
    killed, deadline = [], time.monotonic() + 200

    def kill():
        while not killed and time.monotonic() < deadline:
            writing = list(tmp_path.glob(f"out/{TEMPORARY}*.parquet"))
            for process in psutil.process_iter(["cmdline"]) if writing else ():
                if "MapWorker" in " ".join(process.info["cmdline"] or ()):
                    process.kill()
                    killed.append(process.pid)
                    return
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    done = predict(fitted, tmp_path / "in", tmp_path / "out", engine="ray", workers=2)
    thread.join()
    assert killed
    assert (done.rows, done.failed) == (9000, {})
    assert names_in(tmp_path / "out") == ["long-1.parquet", "long-2.parquet", "short.parquet"]
    assert_answered(tmp_path / "out", tmp_path / "in", fitted)


def test_a_part_that_ends_each_actor_is_given_up(cluster, fitted, tmp_path, monkeypatch):
    """The others are answered."""
    write_parts(tmp_path / "in", names=["deadly", "other"])
    monkeypatch.setattr("leco.bulk.ray_data.RayAnswerer", Deadly)
    done = predict(fitted, tmp_path / "in", tmp_path / "out", engine="ray", workers=1)
    assert (done.parts, done.rows) == (1, 30)
    assert "has ended 3 times" in done.failed["deadly.parquet"]


def test_what_an_actor_raises_is_one_sentence():
    assert "The Ray cluster gave up (it ended). The parts" in str(reason(RuntimeError("it ended")))
    mine, outer = LecoError("no room"), RuntimeError("an actor's")
    outer.__cause__ = mine
    assert reason(outer) is mine


def test_files_in_memory(cluster, fitted, tmp_path):
    write_parts(tmp_path / "in", names=["a"])
    with pytest.raises(LecoError, match="no actor of Ray can see them"):
        predict(fitted, tmp_path / "in", "memory://ray", engine="ray")


def test_a_cluster_that_is_not_reachable(leco, fitted, tmp_path, monkeypatch):
    """As Ray says it, after half a minute of trying."""

    def fail(address, **settings):
        raise ConnectionError(f"nobody at {address}")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", fail)
    write_parts(tmp_path / "in", names=["a"])
    flags = ["--output", tmp_path / "out", "--engine", "ray", "--ray-address", "127.0.0.1:1"]
    result = leco("predict", fitted, tmp_path / "in", *flags)
    assert (result.code, result.out) == (2, "")
    assert (
        "The Ray cluster at '127.0.0.1:1' cannot be reached (nobody at 127.0.0.1:1). Give --ray-address" in result.err
    )
    assert not (tmp_path / "out").exists()


def test_ray_that_is_not_installed(leco, fitted, tmp_path, monkeypatch):
    write_parts(tmp_path / "in", names=["a"])
    monkeypatch.setitem(sys.modules, "ray", None)
    result = leco("predict", fitted, tmp_path / "in", "--output", tmp_path / "out", "--engine", "ray")
    assert (result.code, result.out) == (2, "")
    assert "leco[ray]" in result.err
    assert not (tmp_path / "out").exists()
