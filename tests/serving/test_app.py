"""The routes: what they take, what they give, and what they refuse; in this process."""

import asyncio
import json
import logging
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from starlette.testclient import TestClient

from leco import load
from leco.calibration import MonitorOptions, Watch
from leco.cli import main
from leco.files import read_json, write_json
from leco.loading import PredictorSpec
from leco.serving import service as service_module
from leco.serving.app import create_app
from leco.serving.bulk import split_lines
from leco.serving.metrics import Metrics
from leco.serving.options import ServingOptions
from leco.serving.service import Service
from leco.serving.waiting import WaitingRoom
from promised import GIVEN
from waiting import until

NOT_WATCHED = MonitorOptions()
TEXTS = ["it is good", "so bad", "a film which nobody would say is dull"]


@pytest.fixture
def serving(fitted):
    """Makes a client of a service with some options."""
    made = []

    def make(path=fitted, key=None, monitoring=NOT_WATCHED, **options):
        given = ServingOptions(**options)
        service = Service(PredictorSpec(path, device="cpu"), given, monitoring, Metrics(logging.warning))
        client = TestClient(create_app(service, given, key), raise_server_exceptions=False)
        client.__enter__()
        made.append(client)
        return client

    yield make
    for client in made:
        client.__exit__(None, None, None)


@pytest.fixture(scope="module")
def expected(fitted):
    return load(fitted, device="cpu").predict(TEXTS)


@pytest.fixture(scope="module")
def certified(fitted, tmp_path_factory):
    """Makes the model's folder with a certificate of 5 % that is otherwise as given."""

    def make(**changed):
        folder = tmp_path_factory.mktemp("certified") / "model"
        shutil.copytree(fitted, folder)
        config = read_json(folder / "config.json")
        criterion = load(folder, device="cpu").criterion.to_dict()
        held = replace(GIVEN, **{"criterion": criterion, **changed})
        write_json(folder / "config.json", {**config, "certificate": held.to_dict()})
        return folder, held.sentence()

    return make


@pytest.fixture(scope="module")
def exported(fitted, tmp_path_factory):
    """The model as a file."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    with pytest.raises(SystemExit) as ended:
        main(["export", str(fitted), "--to", "onnx", "--output", str(path)])
    assert not ended.value.code
    return path


def test_answers_are_those_of_predict(serving, expected, fitted):
    found = serving().post("/predict", json={"texts": TEXTS, "scores": "all"}).json()
    for answer, alone in zip(found["answers"], expected, strict=True):
        assert (answer["label"], answer["exit_layer"]) == (alone.label, alone.exit_layer)
        assert answer["scores"] == pytest.approx(alone.scores, abs=1e-5)
        assert answer["score"] == pytest.approx(alone.scores[alone.label], abs=1e-5)
        assert (answer["num_layers"], answer["truncated"], answer["layers"]) == (3, False, None)
    assert found["model"] == fitted.name
    assert found["criterion"].startswith("cobee:")
    assert found["certificate"] is None


def test_an_exported_file_is_served_alike(serving, exported, expected):
    found = serving(exported).post("/predict", json={"texts": TEXTS}).json()["answers"]
    assert [(one["label"], one["exit_layer"]) for one in found] == [(one.label, one.exit_layer) for one in expected]
    refused = serving(exported).post("/predict", json={"texts": TEXTS, "layers": True})
    assert (refused.status_code, "exported file" in refused.json()["error"]) == (409, True)
    refused = serving(exported).post("/predict", json={"texts": TEXTS, "criterion": "entropy"})
    assert (refused.status_code, "'cobee' alone" in refused.json()["error"]) == (409, True)


def test_the_bodies_of_text_embeddings_inference(serving, expected):
    client, first = serving(), expected[0]
    single = client.post("/predict", json={"inputs": TEXTS[0], "truncate": True}).json()
    assert [one["label"] for one in single] == sorted(first.scores, key=lambda name: -first.scores[name])
    assert single[0]["score"] == pytest.approx(max(first.scores.values()), abs=1e-5)
    several = client.post("/predict", json={"inputs": [[text] for text in TEXTS]}).json()
    assert [one[0]["label"] for one in several] == [one.label for one in expected]
    pair = client.post("/predict", json={"inputs": ["a", "b"]})
    assert (pair.status_code, pair.json()["error_type"]) == (409, "validation")
    assert "pair" in pair.json()["error"]


def test_layers_and_where_others_would_leave(serving):
    (answer,) = serving().post("/predict", json={"texts": TEXTS[0], "layers": True}).json()["answers"]
    assert [one["layer"] for one in answer["layers"]] == [1, 2, 3]
    assert all(sum(one["scores"].values()) == pytest.approx(1, abs=1e-5) for one in answer["layers"])
    assert {name.partition(":")[0] for name in answer["criteria"]} >= {"cobee", "entropy", "patience", "lte", "cap"}


def test_a_criterion_of_ones_own_and_full_depth(serving):
    client = serving()
    for options, layer in (({"full_depth": True}, 3), ({"criterion": "static:layer=1"}, 1)):
        answers = client.post("/predict", json={"texts": TEXTS, **options}).json()["answers"]
        assert {one["exit_layer"] for one in answers} == {layer}
    for options, message, status in (
        ({"criterion": "cobee:tua=1"}, "tua", 409),
        ({"criterion": "oracle"}, "oracle", 409),
        ({"max_drop": 0.05}, "'max_drop': nothing is certified of this model. Run 'leco calibrate'.", 409),
        ({"max_drop": 0.05, "full_depth": True}, "one of", 422),
        ({"raw_scores": True}, "raw_scores", 422),
        ({"layer": True}, "layer", 422),
    ):
        refused = client.post("/predict", json={"texts": TEXTS, **options})
        assert (refused.status_code, message in refused.json()["error"]) == (status, True), refused.text


def asked(client, **options):
    """The status of a request for an answer, and what it says is promised or why it is refused."""
    answered = client.post("/predict", json={"texts": TEXTS, **options})
    found = answered.json()
    return answered.status_code, found["error"] if answered.status_code == 409 else found["certificate"]


def test_what_is_certified_is_promised(serving, certified):
    folder, sentence = certified()
    client = serving(folder)
    info = client.get("/info").json()
    assert (info["promise"], info["certificate"]["sentence"], info["alarm"]) == (sentence, sentence, None)
    assert asked(client) == asked(client, max_drop=0.02) == (200, sentence)
    assert asked(client, max_drop=0.01) == (409, f"'max_drop' must be at least 0.02. {sentence}")
    assert asked(client, full_depth=True) == (200, None)


def test_a_method_that_promises_nothing_certifies_no_drop(serving, certified):
    folder, sentence = certified(method="naive", confidence=None)
    client = serving(folder)
    info = client.get("/info").json()
    assert (info["promise"], info["certificate"]["sentence"]) == (None, sentence)
    assert asked(client) == (200, None)
    status, why = asked(client, max_drop=0.02)
    assert (status, "the certificate promises nothing: its method is 'naive'" in why) == (409, True)


def test_a_promise_on_average_is_told_as_one(serving, certified):
    folder, sentence = certified(method="crc", confidence=None)
    client = serving(folder)
    assert sentence.startswith("On average over calibrations, at most 2 %")
    assert asked(client, max_drop=0.02) == (200, sentence)
    assert asked(client, max_drop=0.01) == (409, f"'max_drop' must be at least 0.02. {sentence}")


def alarmed(path, bound, **options):
    """A monitor that found `bound` contradicted before: 30 of 100 texts."""
    write_json(path, Watch(bound).seen(100, np.arange(100) < 30).to_dict())
    return MonitorOptions(monitor=str(path), monitor_share=1e-9, monitor_bound=bound, **options)


def test_a_promise_that_the_monitor_found_contradicted_is_made_no_more(serving, certified, tmp_path):
    folder, sentence = certified()
    client = serving(folder, monitoring=alarmed(tmp_path / "w.json", 0.05))
    info = client.get("/info").json()
    assert info["certificate"]["sentence"] == sentence
    assert info["promise"] is None
    assert info["alarm"].startswith("The promised 5 % is contradicted: 30 of 100 texts")
    assert asked(client) == (200, None)
    assert asked(client, max_drop=0.02) == (409, f"'max_drop': t{info['alarm'][1:]}")


def test_full_depth_to_which_the_monitor_fell_back_costs_nothing_and_bears_no_promise(serving, certified, tmp_path):
    folder, _ = certified()
    client = serving(folder, monitoring=alarmed(tmp_path / "w.json", 0.05, fall_back=True))
    for options in ({}, {"max_drop": 0.02}):
        found = client.post("/predict", json={"texts": TEXTS, **options}).json()
        assert {one["exit_layer"] for one in found["answers"]} == {3}
        assert (found["certificate"], found["criterion"].partition(":")[0]) == (None, "static")
    assert client.get("/info").json()["promise"] is None


def test_an_alarm_at_less_than_what_is_certified_contradicts_no_certificate(serving, certified, tmp_path):
    folder, sentence = certified(disagreement=0.5)
    client = serving(folder, monitoring=alarmed(tmp_path / "w.json", 0.05))
    info = client.get("/info").json()
    assert info["alarm"].startswith("The promised 5 % is contradicted")
    assert info["promise"] == sentence
    assert asked(client, max_drop=0.02) == (200, sentence)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"texts": "\xff"}', 400),
        (b'{"texts": "\\ud800"}', 400),
        (b'{"texts": NaN}', 400),
        (b'{"texts": 1e999}', 400),
        (b'{"texts": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"texts": 3}', 422),
        (b'{"texts": [["a", "b", "c"]]}', 422),
        (b'{"texts": "a", "inputs": "a"}', 422),
        (b'{"texts": "a", "max_drop": 123456789012345678901234567890}', 400),
        (b'{"texts": "a", "max_drop": 2}', 422),
    ],
)
def test_bodies_that_are_no_requests(serving, body, status):
    refused = serving().post("/predict", content=body)
    assert refused.status_code == status
    assert set(refused.json()) == {"error", "error_type"}


def test_no_texts_have_no_answers(serving):
    assert serving().post("/predict", json={"texts": []}).json()["answers"] == []


def test_limits(serving):
    client = serving(max_texts=2, max_characters=20, max_body=300)
    for body, status, message in (
        ({"texts": ["a"] * 3}, 413, "3 texts, but at most 2"),
        ({"texts": ["a" * 21]}, 413, "21 characters"),
        ({"texts": ["a" * 400]}, 413, "body"),
    ):
        refused = client.post("/predict", json=body)
        assert (refused.status_code, message in refused.json()["error"]) == (status, True), refused.text
    assert client.post("/predict", json={"texts": ["a", "b"]}).status_code == 200


def test_what_is_late_is_told_and_not_computed_on(serving):
    client = serving(timeout=30.0, max_wait=5.0)
    late = client.post("/predict", json={"texts": TEXTS}, headers={"X-Timeout-Ms": "50"})
    assert (late.status_code, late.json()["error_type"]) == (504, "timeout")
    for wrong in ("0", "-1", "a", "1.5", "٣"):
        refused = client.post("/predict", json={"texts": "a"}, headers={"X-Timeout-Ms": wrong.encode()})
        assert refused.status_code == 422


def test_the_token(serving):
    client, right = serving(key="secret"), {"Authorization": "Bearer secret"}
    for headers in ({}, {"Authorization": "Bearer secre"}, {"Authorization": "Basic secret"}):
        refused = client.post("/predict", json={"texts": "a"}, headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert client.post("/admin/reload", headers=headers).status_code == 401
    assert client.post("/predict", json={"texts": "a"}, headers=right).status_code == 200
    assert client.get("/metrics").status_code == 200
    assert serving(key="secret", private=True).get("/metrics").status_code == 401
    assert serving().post("/admin/reload").status_code == 401, "without a token nobody may"


def test_a_reload_keeps_answering(serving):
    client, right = serving(key="secret"), {"Authorization": "Bearer secret"}
    before = client.post("/predict", json={"texts": TEXTS}, headers=right).json()["answers"]
    assert client.post("/admin/reload", headers=right).json() == {"reloaded": True}
    assert client.post("/predict", json={"texts": TEXTS}, headers=right).json()["answers"] == before


def test_an_engine_that_has_ended_is_neither_live_nor_ready_and_keeps_nobody_waiting(serving, monkeypatch):
    take = WaitingRoom.take

    def failing(room, *, wait):
        if wait:
            raise MemoryError
        return take(room, wait=wait)

    client = serving()
    monkeypatch.setattr(WaitingRoom, "take", failing)
    client.post("/predict", json={"inputs": TEXTS[0]})  # the engine waits for it in the usual way
    until(lambda: client.get("/livez").status_code == 503)
    assert client.get("/livez").json() == {"error": "The engine has ended.", "error_type": "unhealthy"}
    assert client.get("/readyz").status_code == 503
    assert client.post("/predict", json={"inputs": TEXTS[0]}).status_code == 503


def test_health_information_and_metrics(serving):
    client = serving()
    assert client.get("/livez").json() == {"live": True}
    assert client.get("/readyz").json() == {"ready": True}
    info = client.get("/info").json()
    assert (info["num_layers"], info["labels"], info["runtime"]) == (3, ["negative", "positive"], "PyTorch")
    assert info["limits"]["max_texts"] == 1024
    patience = info["settings"]["patience"]
    assert (patience["minimum"], patience["maximum"], patience["step"]) == (1, 3, 1)
    answered = client.post("/predict", json={"texts": TEXTS}, headers={"X-Request-Id": "mine"})
    assert answered.headers["x-request-id"] == "mine"
    assert float(answered.headers["x-total-time"]) >= float(answered.headers["x-inference-time"]) > 0
    assert int(answered.headers["x-compute-tokens"]) > 6
    client.post("/predict", content=b"{")
    lines = client.get("/metrics").text.splitlines()
    assert 'leco_requests_total{status="200"} 1.0' in lines
    assert 'leco_requests_total{status="400"} 1.0' in lines
    assert "leco_texts_total 3.0" in lines
    assert "leco_layers_full_depth_total 9.0" in lines
    assert "leco_queue_tokens 0.0" in lines
    assert "leco_exit_layer_count 3.0" in lines
    assert "leco_whole_seconds_count 2.0" in lines


def test_the_log_has_no_texts(serving, caplog):
    client = serving(log_json=True)
    with caplog.at_level(logging.INFO, "leco.serving"):
        client.post("/predict", json={"texts": "zebra"})
        client.post("/predict", json={"texts": "zebra", "criterion": "zebra"})
    assert "zebra" not in caplog.text
    first = json.loads(caplog.records[0].message)
    assert {"id", "status", "ms", "path"} <= set(first)
    assert first["status"] == 200


def test_lines_by_lines(serving, expected):
    lines = [
        json.dumps({"id": 7, "text": TEXTS[0]}),
        "",
        json.dumps(TEXTS[1]),
        "{",
        json.dumps({"id": "x", "text": 3}),
        json.dumps({"text": "a", "text_pair": "b"}),
        json.dumps({"text": TEXTS[2]}),
    ]
    answered = serving().post("/v1/bulk", content="\n".join(lines).encode())
    found = [json.loads(line) for line in answered.text.splitlines()]
    assert len(found) == 6
    assert (found[0]["id"], found[3]["id"]) == (7, "x")
    assert [found[n].get("label") for n in (0, 1, 5)] == [one.label for one in expected]
    assert all("error" in found[n] for n in (2, 3, 4))


@pytest.mark.parametrize("size", [1, 7, 10**4], ids="chunks of {}".format)
@pytest.mark.parametrize("end", [b"", b"\n", b"\n" + TEXTS[0].encode()])
def test_a_line_that_is_too_long_ends_the_stream_wherever_its_chunks_end(size, end):
    most = 20
    whole = b"\n".join([b"a", b" ", b"b" * most, b"c" * (most + 1)]) + end

    async def chunks():
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    async def lines():
        return [line async for line in split_lines(chunks(), most, 10)]

    *before, last = asyncio.run(lines())
    assert before == [b"a", b"b" * most]
    assert str(last) == "A line has more than 20 bytes. It and all behind it are not answered."


def test_the_monitor_is_in_the_metrics(serving, tmp_path):
    monitoring = MonitorOptions(monitor=str(tmp_path / "w.json"), monitor_share=1.0, monitor_bound=0.99)
    client = serving(monitoring=monitoring)
    client.post("/predict", json={"texts": TEXTS})
    deadline = 200
    while "leco_monitor_checked 3.0" not in client.get("/metrics").text:
        deadline -= 1
        assert deadline
    assert json.loads((tmp_path / "w.json").read_text())["checked"] == 3
    assert "leco_monitor_failing 0.0" in client.get("/metrics").text


def test_a_monitor_that_fails_ends_nothing_and_is_in_the_metrics(serving, tmp_path):
    monitoring = MonitorOptions(monitor=str(tmp_path / "w.json"), monitor_share=1.0, monitor_bound=0.99)
    client = serving(monitoring=monitoring)
    (tmp_path / "w.json").write_text("{")
    for _ in range(3):
        assert client.post("/predict", json={"texts": TEXTS}).status_code == 200
        until(lambda: "leco_monitor_failing 1.0" in client.get("/metrics").text)
        assert client.get("/livez").status_code == 200
    (tmp_path / "w.json").unlink()
    until(
        lambda: (
            client.post("/predict", json={"texts": TEXTS}) and "leco_monitor_failing 0.0" in client.get("/metrics").text
        )
    )


def test_the_description_names_all_routes(serving):
    described = serving().get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/predict", "/v1/bulk", "/livez", "/readyz", "/info", "/metrics", "/admin/reload"
    }  # fmt: skip


def test_all_refusals_have_the_same_shape_and_all_routes_can_be_private(serving):
    client = serving(key="tökén", private=True)
    for path in ("/", "/docs", "/openapi.json", "/info", "/livez", "/readyz", "/metrics"):
        assert client.get(path).status_code == 401, path
        right = {"Authorization": "Bearer tökén".encode()}
        assert client.get(path, headers=right).status_code == 200, path
    for method, path, status in (("GET", "/none", 404), ("GET", "/predict", 405), ("POST", "/../etc/passwd", 404)):
        refused = client.request(method, path)
        assert (refused.status_code, set(refused.json())) == (status, {"error", "error_type"})


def test_a_line_of_the_log_stays_one_and_ids_are_plain(serving, caplog):
    client = serving()
    with caplog.at_level(logging.INFO, "leco.serving"):
        client.get("/a%0aid=forged%20status=200%1b[31m")
    (record,) = caplog.records
    assert record.message.isprintable()
    assert len(record.message.split(" ")) == 7
    for given in ("é", "a b", "a" * 65, "a\tb"):
        answered = client.get("/livez", headers={"X-Request-Id": given.encode()})
        assert answered.headers["x-request-id"].isalnum()
        assert answered.headers["x-request-id"].isascii()


def test_all_texts_of_a_stream_are_counted(serving, caplog):
    client = serving(log_json=True)
    with caplog.at_level(logging.INFO, "leco.serving"):
        client.post("/v1/bulk", content=b'"a"\n' * 150)
    logged = json.loads(caplog.records[0].message)
    assert (logged["texts"], logged["tokens"]) == (150, 450)


def test_a_text_whose_model_was_replaced_while_it_was_tokenized_is_answered_by_the_new_one(serving, monkeypatch):
    client, right = serving(key="secret"), {"Authorization": "Bearer secret"}
    tokenizing, replaced = threading.Event(), threading.Event()
    encoded, calls = service_module.encoded, []

    def slowly(*given):
        calls.append(given)
        if len(calls) == 1:
            tokenizing.set()
            assert replaced.wait(60)
        return encoded(*given)

    monkeypatch.setattr(service_module, "encoded", slowly)
    answered = []
    asking = threading.Thread(
        target=lambda: answered.append(client.post("/predict", json={"texts": TEXTS}, headers=right))
    )
    asking.start()
    assert tokenizing.wait(60)
    assert client.post("/admin/reload", headers=right).status_code == 200
    replaced.set()
    asking.join(60)
    assert (answered[0].status_code, len(calls)) == (200, 2)
