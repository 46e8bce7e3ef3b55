"""Answers that are compared with full depth while they are given."""

import json
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from leco.calibration import MonitorOptions, Watch
from leco.criteria import Static, Task
from leco.errors import LecoError
from leco.runtime import Decisions, PredictorMixin, Watched, WatchFile, monitor_options, watched
from promised import GIVEN

BOUND, ALL = 0.1, MonitorOptions(monitor_share=1.0)


class Scripted(PredictorMixin):
    """Texts are numbers: where the number is below `wrong`, layer 1 says otherwise than the last one."""

    label_names = ("no", "yes")
    criterion, full_depth, max_length = Static(1), Static(), 8
    task = Task(num_outputs=2, num_layers=3)

    def __init__(self, wrong):
        self.wrong, self.at_full_depth = wrong, []

    def encode(self, texts, on_cut=None):
        return [int(text) for text in texts]

    def decide(self, encodings, criterion=None, *, batch_size=1, on_batch=None):
        early = criterion != self.full_depth
        if not early:
            self.at_full_depth += encodings
        says = [number < self.wrong and early for number in encodings]
        scores = np.array([[0.0, 1.0] if one else [1.0, 0.0] for one in says]).reshape(-1, 2)
        return Decisions(scores, np.full(len(encodings), 1 if early else 3))


def texts(number, of=100):
    return [str(row % of) for row in range(number)]


def test_answers_are_the_same_and_a_share_of_them_is_compared_afterwards():
    plain, inner = Scripted(wrong=5), Scripted(wrong=5)
    watched = Watched(inner, Watch(BOUND), options=MonitorOptions(monitor_share=0.2), seed=0)
    assert watched.predict(texts(2000)) == plain.predict(texts(2000))
    seen = watched.check()
    assert seen.texts == 2000
    assert 300 < seen.checked == len(inner.at_full_depth) < 500
    assert seen.disagreements == sum(number < 5 for number in inner.at_full_depth)
    assert seen.alarm is None
    assert watched.check() == seen


def test_nothing_is_compared_before_it_is_answered():
    inner = Scripted(wrong=5)
    answers = Watched(inner, Watch(BOUND), options=ALL).stream(iter(texts(3000)))
    for _ in range(1024):
        next(answers)
        assert not inner.at_full_depth
    next(answers)
    assert len(inner.at_full_depth) == 1024


class Broken(Scripted):
    """Full depth fails while it is `broken`."""

    broken = True

    def decide(self, encodings, criterion=None, *, batch_size=1, on_batch=None):
        if self.broken and criterion == self.full_depth:
            raise RuntimeError("out of memory")
        return super().decide(encodings, criterion, batch_size=batch_size)


def test_a_check_that_is_tried_and_fails_is_forgotten_and_said_once_until_it_works_again(caplog):
    inner = Broken(wrong=0)
    watched = Watched(inner, Watch(BOUND), options=ALL)

    def answer_and_check():
        watched.note(inner.encode(texts(5)), inner.decide([0] * 5).scores)
        watched.try_to_check()
        watched.try_to_check()  # nothing waits now: that says nothing
        return watched.failing

    assert not watched.failing
    assert [answer_and_check() for _ in range(3)] == [True] * 3
    assert ["The monitor fails" in record.message for record in caplog.records] == [True]
    assert watched.watch.texts == 0
    inner.broken = False
    assert [answer_and_check() for _ in range(2)] == [False] * 2
    assert [record.message for record in caplog.records[1:]] == ["The monitor works again."]
    assert (watched.watch.texts, watched.watch.checked) == (10, 10)
    inner.broken = True
    assert answer_and_check()
    assert len(caplog.records) == 3


def test_a_check_that_is_asked_for_says_what_is_wrong():
    watched = Watched(Broken(wrong=0), Watch(BOUND), options=ALL)
    watched.predict(texts(5))
    with pytest.raises(RuntimeError, match="out of memory"):
        watched.check()


def test_a_criterion_of_ones_own_is_not_what_is_promised():
    watched = Watched(Scripted(wrong=50), Watch(BOUND), options=ALL)
    watched.predict(texts(100), criterion="static:layer=2")
    assert watched.check().texts == 0


@pytest.mark.parametrize("fall_back", [False, True])
def test_an_alarm_is_told_once_and_falls_back_if_asked(fall_back):
    told = []
    watched = Watched(Scripted(wrong=50), Watch(BOUND), options=replace(ALL, fall_back=fall_back), on_alarm=told.append)
    assert {answer.exit_layer for answer in watched.predict(texts(200))} == {1}
    assert not told
    later = watched.predict(texts(200)) + watched.predict(texts(200))
    assert {answer.exit_layer for answer in later} == {3 if fall_back else 1}
    watched.check()
    (sentence,) = told
    assert sentence.startswith("The promised 10 % is contradicted: 100 of 200 texts that were checked disagree")
    assert watched.fell_back == fall_back


@pytest.mark.parametrize("given", [{"fall_back": True}, {"monitor_share": 0.5}, {"monitor_bound": 0.1}])
def test_settings_that_would_do_nothing_are_refused(given, tmp_path):
    message = f"^{next(iter(given))} is for a monitor, and there is none: give monitor, a file"
    with pytest.raises(LecoError, match=message):
        watched(Scripted(wrong=0), MonitorOptions(**given))
    with pytest.raises(LecoError, match=message):
        monitor_options({**given, "port": 80})
    named = {"monitor": str(tmp_path / "watch.json"), "monitor_bound": BOUND}
    assert monitor_options({**given, **named}) == MonitorOptions(**{**given, **named})
    assert watched(Scripted(wrong=0), MonitorOptions(**{**given, **named})).options.monitor
    assert monitor_options({"fall_back": False, "port": 80}) == MonitorOptions()


def add(path):
    file = WatchFile(path, Watch(BOUND))
    for _ in range(20):
        file.add(Watch(BOUND).seen(10, np.array([0.0, 0.0, 1.0])))


def test_several_processes_count_in_one_file(tmp_path):
    path = tmp_path / "new" / "watch.json"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(add, [path] * 3)
    found = WatchFile(path, Watch(BOUND)).read()
    assert (found.texts, found.checked, found.disagreements) == (600, 180, 60)
    assert found.alarm is not None


def test_an_alarm_of_another_process_is_known_at_once(tmp_path):
    file = WatchFile(tmp_path / "watch.json", Watch(BOUND))
    file.add(Watch(BOUND).seen(100, np.ones(100)))
    watched = Watched(Scripted(wrong=0), Watch(BOUND), options=MonitorOptions(monitor=str(file.path), fall_back=True))
    assert {answer.exit_layer for answer in watched.predict(texts(5))} == {3}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "not as it was written"),
        (json.dumps(Watch(0.02).to_dict()), "two promises: 2 % .* and 10 % .* Give another file"),
    ],
)
def test_a_file_that_is_no_watch_of_this_promise_is_refused_and_kept(tmp_path, content, message):
    path = tmp_path / "watch.json"
    path.write_text(content)
    with pytest.raises(LecoError, match=f"(?s)watch.json.*{message}"):
        WatchFile(path, Watch(BOUND))
    assert path.read_text() == content


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_certificate_that_nothing_can_contradict_is_not_watched(tmp_path, share):
    class Calibrated(Scripted):
        certificate = replace(GIVEN, criterion=Scripted.criterion.to_dict(), disagreement=share)

    path = tmp_path / "watch.json"
    with pytest.raises(
        LecoError, match=r"^The certificate allows .*, which nothing can contradict\. Give monitor_bound"
    ):
        watched(Calibrated(wrong=0), MonitorOptions(monitor=str(path)))
    assert watched(Calibrated(wrong=0), MonitorOptions(monitor=str(path), monitor_bound=0.5)).watch.bound == 0.5
