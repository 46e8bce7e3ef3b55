"""The processes of a service: signals, workers, and what is wrong before it begins."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from functools import partial

import psutil
import pytest

from leco.serving.keeper import SUPPORTED
from leco.serving.options import ServingOptions
from leco.serving.server import Ending, read_key
from served import served
from waiting import until

TEXTS = ["it is good", "so bad"]


def ask(address, body=None, path="/predict", headers=None):
    request = urllib.request.Request(
        f"{address}{path}", None if body is None else json.dumps(body).encode(), headers or {}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def test_a_signal_lets_accepted_requests_be_answered_and_the_code_is_0(fitted):
    with served(fitted, "--max-wait", "1.0") as (process, address):
        assert ask(address, path="/readyz") == {"ready": True}
        answers = []
        asking = threading.Thread(target=lambda: answers.append(ask(address, {"texts": TEXTS})))
        asking.start()
        time.sleep(0.4)  # the batch waits for more texts now
        process.send_signal(signal.SIGTERM)
        asking.join(60)
        assert len(answers[0]["answers"]) == 2
        assert process.wait(60) == 0


def test_a_reload_of_workers_is_cut_short_by_a_signal_to_end():
    signals = []
    ending = Ending(signals)
    for waiting, ends in ((signal.SIGHUP, False), (signal.SIGTERM, True)):
        signals.append(waiting)
        assert ending.is_set() == ends
    signals.clear()
    ending.set()
    assert ending.is_set()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_at_once(fitted, workers):
    with served(fitted, "--workers", workers) as (process, address):
        until(partial(_answers, address, {}))
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")  # and no more
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(4)
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def test_a_reload_under_load_fails_no_request(fitted):
    with served(fitted) as (process, address):
        failed, answered, over = [], [], threading.Event()

        def load():
            while not over.is_set():
                try:
                    answered.append(ask(address, {"texts": TEXTS})["answers"])
                except Exception as error:
                    failed.append(error)

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: answered)
        process.send_signal(signal.SIGHUP)
        until(lambda: any("loaded anew" in line for line in process.log))
        seen = len(answered)
        until(lambda: len(answered) > seen + 2)
        over.set()
        for thread in threads:
            thread.join()
        assert not failed
        assert len({json.dumps([(one["label"], one["exit_layer"]) for one in some]) for some in answered}) == 1


def test_workers_share_a_socket_and_one_that_dies_is_replaced(fitted, tmp_path):
    key = tmp_path / "key"
    key.write_text("secret\n")
    right = {"Authorization": "Bearer secret"}
    with served(fitted, "--workers", 2, "--api-key-file", key) as (process, address):
        until(lambda: _answers(address, right))
        workers = _workers(process)
        assert len(workers) == 2
        workers[0].kill()
        until(lambda: len(_workers(process)) == 2 and workers[0] not in _workers(process))
        until(lambda: _answers(address, right))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_workers_that_are_told_to_end_answer_or_refuse_whoever_asks(fitted):
    with served(fitted, "--workers", 2) as (process, address):
        until(partial(_answers, address, {}))
        outcomes = []

        def load():
            while process.poll() is None:
                outcomes.append(_outcome(address))
                time.sleep(0.02)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(outcomes) > 20)
        process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(60)
        assert process.wait(60) == 0
        assert set(outcomes) <= {200, 503, ConnectionRefusedError}


def _outcome(address):
    """The status of a request, or else what its connection came to."""
    try:
        return ask(address, {"texts": TEXTS}) and 200
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return type(getattr(error, "reason", error))


def test_a_worker_that_dies_while_it_is_asked_whether_it_lives_is_missed_at_once(fitted):
    with served(fitted, "--workers", 2) as (process, address):
        until(partial(_answers, address, {}))
        for _ in range(3):
            victim = until(lambda: _workers(process))[0]
            victim.suspend()  # it is asked, and says nothing
            time.sleep(1)
            victim.kill()
            until(lambda: victim not in _workers(process) and len(_workers(process)) == 2)  # noqa: B023
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def _workers(process):
    """The processes that answer."""
    found = []
    for one in psutil.Process(process.pid).children():
        with suppress(psutil.Error):  # it has ended
            if "spawn_main" in " ".join(one.cmdline()):
                found.append(one)
    return found


def _answers(address, headers):
    try:
        return len(ask(address, {"texts": TEXTS}, headers=headers)["answers"]) == 2
    except OSError:
        return False


def test_settings_come_from_the_environment(fitted):
    with served(fitted, environment={"LECO_MAX_TEXTS": "1", "LECO_API_KEY": "secret"}) as (_, address):
        assert ask(address, path="/info")["limits"]["max_texts"] == 1
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(address, {"texts": "a"})


def test_what_is_wrong_is_said_before_it_begins(leco, fitted, tmp_path, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = leco("serve", fitted, "--port", taken.getsockname()[1], "--device", "cpu")
        assert (result.code, "cannot be listened on" in result.err) == (2, True)
    result = leco("serve", tmp_path / "none", "--port", 0)
    assert result.code == 2
    result = leco("serve", fitted, "--port", 0, "--api-key-file", tmp_path / "none")
    assert (result.code, "token" in result.err) == (2, True)
    (tmp_path / "empty").touch()
    result = leco("serve", fitted, "--port", 0, "--api-key-file", tmp_path / "empty")
    assert (result.code, "is empty" in result.err) == (2, True)
    for name, value in (("LECO_API_KEY", ""), ("LECO_API_KEY", " \n"), ("LECO_API_KEY_FILE", "")):
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            result = leco("serve", fitted, "--port", 0)
        assert (result.code, f"{name}, is empty" in result.err) == (2, True)
    result = leco("serve", fitted, "--policy", "wohle")
    assert (result.code, "policy must be one of" in result.err) == (2, True)


@pytest.mark.parametrize("path", ["/predict", "/v1/bulk"])
def test_a_body_that_does_not_come_holds_nothing(fitted, path):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode()
    with served(fitted, "--timeout", "1") as (process, address):
        with _connected(address) as half:
            half.sendall(head + b'{"text')
            said = _read_all(half)  # the service closes the connection, or this raises
        assert b" 504 " in said if path == "/predict" else b"Nothing came" in said
        with _connected(address) as gone:
            gone.sendall(head + b'{"text')
            time.sleep(0.3)
        time.sleep(0.3)
        assert len(ask(address, {"texts": TEXTS})["answers"]) == 2
        assert not any("Traceback" in line for line in process.log), "nor is a client that leaves a failure of ours"
        with urllib.request.urlopen(f"{address}/metrics") as metrics:
            assert b'status="500"' not in metrics.read()


def _connected(address):
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def _read_all(connection):
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_a_broken_model_replaces_none(fitted, tmp_path):
    for workers, said in ((1, "could not be loaded anew"), (2, "keeping worker")):
        folder = shutil.copytree(fitted, tmp_path / f"model-{workers}")
        with served(folder, "--workers", workers) as (process, address):
            until(partial(_answers, address, {}))
            (folder / "model.safetensors").write_bytes(b"no weights")  # in place, as cp does
            assert _answers(address, {}), "it has its weights in memory"
            process.send_signal(signal.SIGHUP)
            until(partial(_logged, process, said))
            assert _answers(address, {})


def test_metrics_are_of_all_workers_and_outlive_them(fitted):
    with served(fitted, "--workers", 2) as (process, address):
        until(partial(_answers, address, {}))
        before = _texts_counted(address)
        for _ in range(12):
            ask(address, {"texts": TEXTS})
        assert _texts_counted(address) == before + 24
        victim = _workers(process)[0]
        victim.kill()
        until(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE)
        until(partial(_answers, address, {}))
        assert _texts_counted(address) >= before + 24


@pytest.mark.skipif(not SUPPORTED, reason="the system hands over no open files in messages")
def test_requests_of_a_worker_that_dies_are_answered_by_503_and_no_others(fitted):
    with served(fitted, "--workers", 2, "--max-wait", "1.5") as (process, address):
        until(partial(_answers, address, {}))
        statuses, said = [], []

        def one():
            try:
                ask(address, {"texts": TEXTS})
                statuses.append(200)
            except urllib.error.HTTPError as error:
                statuses.append(error.code)
                said.append(json.loads(error.read())["error_type"])

        for kill in (True, False):
            threads = [threading.Thread(target=one) for _ in range(12)]
            for thread in threads:
                thread.start()
                time.sleep(0.02)
            time.sleep(0.3)  # all wait for more texts now
            if kill:
                _workers(process)[0].kill()
            for thread in threads:
                thread.join(60)
        assert len(statuses) == 24, "each request has an answer"
        assert set(statuses[:12]) <= {200, 503}
        assert 503 in statuses[:12]
        assert set(said) == {"unhealthy"}
        assert statuses[12:] == [200] * 12


@pytest.mark.skipif(not SUPPORTED, reason="workers do not learn of it elsewhere")
def test_workers_end_with_a_parent_that_is_killed(fitted):
    with served(fitted, "--workers", 2) as (process, address):
        until(partial(_answers, address, {}))
        workers = _workers(process)
        process.kill()
        until(lambda: not any(one.is_running() for one in workers))


def _texts_counted(address):
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as metrics:
        return float(re.search(rb"^leco_texts_total (\S+)", metrics.read(), re.M)[1])


def _logged(process, said):
    return any(said in line for line in process.log)


def test_a_token_of_the_environment(tmp_path, monkeypatch):
    """One that is there counts, whatever else is empty; a file that is named comes first."""
    key = tmp_path / "key"
    key.write_text("file\n")
    assert read_key(ServingOptions()) is None
    monkeypatch.setenv("LECO_API_KEY_FILE", "")
    monkeypatch.setenv("LECO_API_KEY", " secret ")
    assert read_key(ServingOptions()) == "secret"
    monkeypatch.setenv("LECO_API_KEY", "")
    assert read_key(ServingOptions(api_key_file=key)) == "file"


def test_the_token_may_come_through_a_pipe(fitted, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_text("secret\n"), daemon=True).start()
    with served(fitted, "--api-key-file", pipe) as (_, address):
        assert not _answers(address, {})
        assert _answers(address, {"Authorization": "Bearer secret"})
