"""The engine: answers are those of texts alone, in any traffic; nothing that was taken is lost."""

import shutil
import threading
import time
from concurrent.futures import CancelledError
from types import SimpleNamespace

import numpy as np
import pytest

from leco.calibration import MonitorOptions, Watch
from leco.criteria import Cobee, MaxProbability, Static
from leco.exits.architecture import LINEAR
from leco.model import ModelStages
from leco.runtime import POLICIES, Decisions, Flow, PredictorMixin, Watched
from leco.serving.engine import Engine
from leco.serving.options import ServingOptions
from leco.serving.waiting import LATELY, LATEST, SOON, DrainingError, OverloadedError, Ticket, WaitingRoom
from toy import dataset, model_with
from waiting import until


class Whole(PredictorMixin):
    """A predictor that does not run layer by layer, as an exported file."""

    def __init__(self, model):
        self.model, self.task, self.criterion, self.batches = model, model.task, Cobee(0.1, 1), []
        self.label_names, self.max_length = model.label_names, model.max_length

    def encode(self, texts, on_cut=None):
        raise NotImplementedError

    def decide(self, encodings, criterion=None, *, batch_size=1, on_batch=None):
        self.batches.append((len(encodings), batch_size))
        return self.model.decide(encodings, criterion, batch_size=batch_size)


@pytest.fixture(scope="module")
def model():
    return model_with(LINEAR).eval()


def check(model, encodings, criteria, futures):
    for encoding, criterion, future in zip(encodings, criteria, futures, strict=True):
        got, alone = future.result(30), model.decide([encoding], criterion)
        assert got.exit_layer == alone.exit_layers[0]
        np.testing.assert_allclose(got.scores, alone.scores[0], atol=1e-5)
        assert min(got.waited, got.ran) >= 0


@pytest.mark.parametrize("family", ["bert", "albert"])
@pytest.mark.parametrize("policy", POLICIES)
def test_many_threads_ask_at_once(family, policy):
    model = model_with(LINEAR, family=family).eval()
    engine = Engine(model, ServingOptions(policy=policy, max_batch_tokens=80))
    encodings, kinds = dataset(120).encodings, [Cobee(0.1, 1), MaxProbability(0.6), Static(2)]
    criteria, futures = [kinds[n % 3] for n in range(120)], [None] * 120

    def ask(start):
        for n in range(start, 120, 4):
            (futures[n],) = engine.submit([encodings[n]], criteria[n])

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.drain()
    check(model, encodings, criteria, futures)


def test_where_layers_share_their_weights_rows_of_every_depth_run_together(monkeypatch):
    model, together = model_with(LINEAR, family="albert").eval(), []
    run = ModelStages.advance_together
    monkeypatch.setattr(
        ModelStages,
        "advance_together",
        lambda stages, layers, batches: together.append(list(layers)) or run(stages, layers, batches),
    )
    encodings, criteria = dataset(3).encodings, [Static(), Cobee(0.1, 1), Static()]
    tickets = [Ticket(*pair) for pair in zip(encodings, criteria)]
    with model.running() as stages:
        flow = Flow(stages, POLICIES["queues"])
        for ticket in tickets:
            ticket.began = time.perf_counter()
            flow.enter([ticket])
            flow.step()
        while flow.groups:
            flow.step()
    assert [2, 1] in together
    check(model, encodings, criteria, [ticket.future for ticket in tickets])


def test_what_runs_whole_batches_has_one_for_each_criterion(model):
    whole = Whole(model)
    engine = Engine(whole, ServingOptions(max_wait=0.2))
    encodings = dataset(9).encodings
    futures = engine.submit(encodings[:5]) + engine.submit(encodings[5:], Static(1))
    engine.drain()
    check(model, encodings, [whole.criterion] * 5 + [Static(1)] * 4, futures)
    assert sum(rows for rows, _ in whole.batches) == 9
    assert all(rows == size for rows, size in whole.batches)


def test_after_drain_nothing_is_taken_but_what_was_is_answered(model):
    engine = Engine(model, ServingOptions())
    futures = engine.submit(dataset(30).encodings)
    assert engine.alive
    engine.drain()
    assert all(future.done() for future in futures)
    assert not engine.alive
    with pytest.raises(DrainingError, match="shutting down"):
        engine.submit(dataset(1).encodings)


class Slow(Whole):
    """It waits for leave to decide."""

    def __init__(self, model):
        super().__init__(model)
        self.leave = threading.Event()

    def decide(self, encodings, criterion=None, *, batch_size=1, on_batch=None):
        self.leave.wait(10)
        return super().decide(encodings, criterion, batch_size=batch_size)


def soon(condition):
    until(condition, seconds=10, pause=0.005)


def test_too_much_is_refused_whole_and_a_cancelled_text_never_runs(model):
    slow, encodings = Slow(model), dataset(8).encodings
    most = sum(len(one["input_ids"]) for one in encodings[1:4])
    engine = Engine(slow, ServingOptions(max_queue_tokens=most))
    (first,) = engine.submit(encodings[:1])
    soon(lambda: not len(engine.room))  # it runs now
    waiting = engine.submit(encodings[1:3])
    with pytest.raises(OverloadedError) as refused:
        engine.submit(encodings[3:6])
    assert refused.value.retry_after > 0
    assert len(engine.room) == 2
    assert waiting[0].cancel()
    slow.leave.set()
    engine.drain()
    check(model, [encodings[0], encodings[2]], [slow.criterion] * 2, [first, waiting[1]])
    with pytest.raises(CancelledError):
        waiting[0].result()
    assert [rows for rows, _ in slow.batches] == [1, 1]


class Breaking(Whole):
    """It fails at its first batch."""

    def decide(self, encodings, criterion=None, *, batch_size=1, on_batch=None):
        if not self.batches:
            self.batches.append((len(encodings), batch_size))
            raise RuntimeError("out of memory")
        return super().decide(encodings, criterion, batch_size=batch_size)


def test_an_error_reaches_the_texts_it_is_about_and_the_engine_goes_on(model):
    engine = Engine(Breaking(model), ServingOptions())
    (broken,) = engine.submit(dataset(1).encodings)
    with pytest.raises(RuntimeError, match="out of memory"):
        broken.result(10)
    (whole,) = engine.submit(dataset(1).encodings)
    assert whole.result(10).exit_layer >= 1
    engine.drain()


ALWAYS = MonitorOptions(monitor_share=1.0, fall_back=True)


class Disagreeing(PredictorMixin):
    """What it says early is never what it says at full depth."""

    task, label_names, max_length, criterion = None, ("no", "yes"), 8, Static(1)

    def __init__(self, task):
        self.task = task

    def decide(self, encodings, criterion=None, *, batch_size=1, on_batch=None):
        early = criterion != self.full_depth
        scores = np.array([[0.0, 1.0] if early else [1.0, 0.0]] * len(encodings))
        return Decisions(scores, np.full(len(encodings), 1 if early else self.task.num_layers))


def test_the_monitor_sees_answers_and_falls_back(model):
    told = []
    watched = Watched(Disagreeing(model.task), Watch(0.1), options=ALWAYS, on_alarm=told.append)
    engine = Engine(watched, ServingOptions())
    futures = engine.submit(dataset(20).encodings)
    assert {future.result(10).exit_layer for future in futures} == {1}
    soon(lambda: told)
    assert {future.result(10).exit_layer for future in engine.submit(dataset(5).encodings)} == {model.num_layers}
    engine.drain()
    assert watched.watch.checked == 20
    assert len(told) == 1


def spoil_the_file(path):
    path.write_text("{")


def have_a_file_for_a_folder(path):
    shutil.rmtree(path.parent)
    path.parent.write_text("")


@pytest.mark.parametrize("spoil", [spoil_the_file, have_a_file_for_a_folder])
def test_where_the_monitor_cannot_write_answers_go_on_and_it_works_again_once_it_can(model, tmp_path, spoil):
    path = tmp_path / "new" / "watch.json"
    inner, options = Disagreeing(model.task), MonitorOptions(monitor=str(path), monitor_share=1.0)
    watched = Watched(inner, Watch(0.99), options=options)
    engine = Engine(watched, ServingOptions())

    def answer(number):
        assert {one.result(10).exit_layer for one in engine.submit(dataset(number).encodings)} == {1}

    answer(3)
    soon(lambda: watched.watch.checked == 3)
    spoil(path)
    for _ in range(3):
        answer(2)
        soon(lambda: watched.failing)
    soon(lambda: not engine._unchecked)
    for one in (path, path.parent):
        if one.is_file():
            one.unlink()
    answer(4)
    soon(lambda: not watched.failing)
    assert watched.watch.checked == 4, "the file is a new one, and what nobody could write is forgotten"
    engine.drain()


class FailingInFull(Disagreeing):
    """It has no room for all layers."""

    def decide(self, encodings, criterion=None, *, batch_size=1, on_batch=None):
        if criterion == self.full_depth:
            raise RuntimeError("out of memory")
        return super().decide(encodings, criterion)


def test_where_the_monitor_has_no_room_answers_go_on(model):
    watched = Watched(FailingInFull(model.task), Watch(0.1), options=ALWAYS)
    engine = Engine(watched, ServingOptions())
    for _ in range(3):
        assert {one.result(10).exit_layer for one in engine.submit(dataset(5).encodings)} == {1}
        soon(lambda: watched.failing)
    assert engine.alive
    engine.drain()


@pytest.mark.parametrize("layered", [False, True])
def test_an_engine_that_ends_keeps_nobody_waiting_whose_text_it_has_taken(model, layered):
    begun = []

    def on_batch(rows, tokens):
        begun.append(rows)
        if len(begun) == 2:
            raise MemoryError

    slow = Slow(model)
    engine = Engine(model if layered else slow, ServingOptions(policy="queues", max_batch_tokens=12), on_batch)
    futures = engine.submit(dataset(30).encodings)
    slow.leave.set()
    soon(lambda: not engine.alive)
    assert len(begun) == 2
    assert all(future.done() for future in futures)
    failed = [future for future in futures if future.exception() is not None]
    assert len(failed) >= 30 - begun[0]
    assert all(isinstance(future.exception(), DrainingError) for future in failed)


def test_an_engine_that_ends_before_it_takes_a_text_keeps_nobody_waiting(model, monkeypatch):
    take = WaitingRoom.take

    def failing(room, *, wait):
        if wait:
            soon(lambda: len(room))
            raise MemoryError
        return take(room, wait=wait)

    monkeypatch.setattr(WaitingRoom, "take", failing)
    (future,) = Engine(model, ServingOptions()).submit(dataset(1).encodings)
    assert isinstance(future.exception(10), DrainingError)


def test_a_waiting_room_gives_batches_of_a_size_in_order():
    room = WaitingRoom(most=1000, batch=12)
    tickets = [Ticket({"input_ids": [0] * length}, Static()) for length in (3, 4, 4, 20, 1)]
    room.enter(tickets)
    assert [len(room.take(wait=False)) for _ in range(4)] == [3, 1, 1, 0]
    assert room.tokens == 0
    assert room.rate() > 0
    room.close()
    assert room.take(wait=True) == []


@pytest.fixture
def clock(monkeypatch):
    """The time of the room, in seconds, which goes on where it is told to."""
    now = [100.0]
    monkeypatch.setattr("leco.serving.waiting.time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


def overloaded(room):
    with pytest.raises(OverloadedError) as refused:
        room.enter(tickets_of(1000))
    return refused.value.retry_after


def tickets_of(*lengths):
    return [Ticket({"input_ids": [0] * length}, Static()) for length in lengths]


def test_when_to_try_again_is_by_the_rate_of_the_last_seconds(clock):
    room = WaitingRoom(most=1000, batch=100)
    room.enter(tickets_of(*[100] * 10))
    for _ in range(4):
        room.take(wait=False)
        clock[0] += 2
    assert (room.tokens, room.rate()) == (600, 400 / 8)
    assert overloaded(room) == 600 / (400 / 8)


def test_where_no_batch_has_begun_lately_the_last_rate_that_is_known_counts(clock):
    room = WaitingRoom(most=1000, batch=100)
    room.enter(tickets_of(*[100] * 10))
    room.take(wait=False)
    clock[0] += LATELY
    known = room.rate()
    assert known == 100 / LATELY
    clock[0] += 3600
    assert room.rate() == known
    room.take(wait=False)
    assert room.rate() > known


def test_where_no_rate_is_known_and_where_it_is_small_nobody_is_sent_away_for_days(clock):
    room = WaitingRoom(most=200_000, batch=16_384)
    room.enter(tickets_of(*[500] * 400))
    assert room.rate() is None
    assert overloaded(room) == SOON
    slow = WaitingRoom(most=200_000, batch=16_384)
    slow.enter(tickets_of(1))
    slow.take(wait=False)
    clock[0] += 9
    slow.enter(tickets_of(*[500] * 400))
    assert overloaded(slow) == LATEST
