"""The report: a whole page for every kind of model, with nothing from elsewhere and every text escaped."""

import re
from dataclasses import asdict, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from leco.data import Split, TextData
from leco.display import with_factor
from leco.evaluation import compete, evaluate, read_evaluation, save_evaluation
from leco.evaluation.contest import kinds_named
from leco.evaluation.detail import LabelScores
from leco.exits.architecture import EDGES, LINEAR, MHA
from leco.exits.space import SPACES
from leco.files import write_json
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from leco.report import gather, render
from leco.search.history import SearchHistory
from tiny import CELL, text_model, tick_by_layer

LAYERS, ROWS = 3, 24
EVIL = "<script>alert('a film')</script> & \"quotes\""
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page's elements and words; fails where tags are not closed in the order in which they were opened."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.words = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), "no attribute twice"
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def data_for(problem_type):
    """Texts with something evil in one, for a model with the labels a, b and c."""
    names = () if problem_type == REGRESSION else ("a", "b", "c")

    def split(seed):
        random = np.random.default_rng(seed)
        labels = {
            REGRESSION: random.normal(size=ROWS).astype(np.float32),
            MULTI_LABEL: random.integers(0, 2, (ROWS, 3)).astype(np.float32),
            SINGLE_LABEL: random.integers(0, 3, ROWS),
        }[problem_type]
        texts = [EVIL, ("a pair", "of texts"), *(f"film {number} is good" for number in range(ROWS - 2))]
        return Split(texts, labels)

    metric = {REGRESSION: "pearson_spearman", MULTI_LABEL: "f1_micro", SINGLE_LABEL: "accuracy"}[problem_type]
    return TextData("<b>data</b>", split(1), split(2), split(3), names, problem_type, metric, pair=False)


def page_of(folder, model, data=None):
    html = render(gather(folder, model, data, repeats=1, timed_texts=1))
    return Page(html), html


def history():
    """A search of two epochs."""
    made = SearchHistory.of(SPACES["O"])
    random = np.random.default_rng(0)
    for _ in range(3):
        made.weights.append({edge: random.random((LAYERS, len(made.operations[edge]))).tolist() for edge in EDGES})
    return replace(
        made, train_loss=[1.0, 0.5], alpha_loss=[1.0, 0.6], seconds=[60.0, 66.0], expected_cost=[0.8, 0.75, 0.456]
    )


@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL, REGRESSION])
@pytest.mark.parametrize("architecture", [CELL, MHA, LINEAR], ids=["learned", "mha", "linear"])
def test_a_report_of_every_kind_of_model(tokenizer, tmp_path, problem_type, architecture):
    outputs = 1 if problem_type == REGRESSION else 3
    settings = {"layers": LAYERS, "outputs": outputs, "problem_type": problem_type}
    model = text_model(tokenizer, architectures=[architecture], **settings)
    page, html = page_of(tmp_path, model, data_for(problem_type))
    assert (tmp_path / "evaluation.json").is_file(), "it is not evaluated twice"
    assert "Not on this page yet" not in page.text
    for heading in ("Score of each exit", "What speed costs in score", "Where texts leave", "Texts that leave first"):
        assert heading in page.text
    assert ("Each label" if outputs > 1 else "Scores and errors") in page.text
    assert ("MAE" in page.text) == (problem_type == REGRESSION)
    assert ("What is taken for what" in page.text) == (problem_type == SINGLE_LABEL)
    assert "How the search found them" not in page.text
    diagrams = [one for one in page.named("svg") if one.get("class") == "diagram"]
    assert [one["aria-label"].split(":")[0] for one in diagrams] == [f"Exit on layer {n}" for n in (1, 2, 3)]
    assert ("encoder operations" in diagrams[0]["aria-label"]) == (architecture is not LINEAR)
    check_page(page, html)


def test_texts_without_a_label_have_a_page(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS, outputs=3, problem_type=MULTI_LABEL), data_for(MULTI_LABEL)
    bare = replace(data, test=replace(data.test, labels=np.zeros_like(data.test.labels)))
    page, html = page_of(tmp_path, model, bare)
    for name in model.label_names:
        assert f"{name} 0 texts" in page.text
        assert f"{name}, layer {LAYERS}: 0 of 0 texts (0.0%)" in tips(page)
    check_page(page, html)


def tips(page):
    """What is shown at the marks of charts."""
    return [one["data-tip"] for _, one in page.tags if "data-tip" in one]


def check_page(page, html):
    assert len(page.ids) == len(set(page.ids)), "no id twice"
    assert all(one.get("aria-label") or one.get("aria-hidden") for one in page.named("svg"))
    labels = [one["aria-labelledby"] for one in page.named("section")]
    assert set(labels) <= set(page.ids)
    assert (EVIL in page.text) == ("texts" in page.ids)
    assert "<script>alert" not in html
    assert "<b>data" not in html
    assert len(page.named("script")) == len(page.named("style")) == 1
    assert not [one for _, one in page.tags if {"src", "srcset", "action"} & set(one)]
    assert {one["href"] for _, one in page.tags if "href" in one} == {"#content"}
    assert not re.search(r"https?://(?!www\.w3\.org/)|url\(|@import|fetch\(|\bimport\b", html)


def test_the_numbers_are_those_of_the_evaluation(tokenizer, tmp_path, monkeypatch):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    tick_by_layer(model, monkeypatch)
    found = evaluate(model, data, repeats=1, timed_texts=1, criteria=["static", "entropy"])
    save_evaluation(found, tmp_path)
    page, _ = page_of(tmp_path, model, data)
    for number in (found.score, found.full_depth_score, found.avg, found.best, *found.exit_scores):
        assert f"{number:.4f}" in page.text
    for one in found.detail.by_label.values():
        for number in (one.precision, one.recall, one.f1):
            assert f"{number:.4f}" in page.text
    for curve in found.curves.values():
        assert f"{curve.area:.4f}" in page.text
        for point in curve.points:
            value = f"score {point.score:.4f} (dev {point.dev_score:.4f})\nspeedup {point.speedup:.1%}"
            assert with_factor(point.speedup) in page.text
            assert any(value in tip for tip in tips(page))
    marks = [one for tag, one in page.tags if tag == "path" and "data-tip" in one]
    assert len(marks) == 2 * sum(len(curve.points) for curve in found.curves.values()), "a wide and a narrow chart"
    for counts in found.exit_layer_counts_by_label.values():
        for layer, count in enumerate(counts, 1):
            assert any(f"layer {layer}: {count} of {sum(counts)} texts" in tip for tip in tips(page))


def test_curves_that_share_no_range_are_shown_without_areas(tokenizer, tmp_path):
    """As where times differ so little, or so oddly, that one criterion is slower everywhere than another."""
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    found = evaluate(model, data, repeats=1, timed_texts=1, criteria=["static", "entropy"])
    curves = {name: replace(curve, area=None) for name, curve in found.curves.items()}
    save_evaluation(replace(found, curves=curves, area_range=None), tmp_path)
    page, html = page_of(tmp_path, model, data)
    assert f"{found.curves['static'].points[0].score:.4f}" in html
    assert "None" not in page.text
    check_page(page, html)


def test_thousands_of_labels_and_long_ones(tokenizer, tmp_path):
    """The most frequent are shown, and the rest as one; a label is never longer than a line."""
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    few = evaluate(model, data, repeats=1, timed_texts=1, criteria=["static"])
    counts = {f"{number} {'long ' * (number % 7) * 100}": [number, 1, 0] for number in range(2000)}
    by_label = {name: LabelScores(0.5, 0.5, 0.5, number) for number, name in enumerate(counts)}
    many = replace(few.detail, by_label=by_label, confusion=[])
    save_evaluation(replace(few, exit_layer_counts_by_label=counts, detail=many), tmp_path)
    page, html = page_of(tmp_path, model, data)
    small, _ = page_of(tmp_path / "few", model, data)
    assert len(html) < 300_000
    assert len(page.named("figure")) < len(small.named("figure")) + 20
    assert "1999 long" in page.text
    assert f"1,980 other labels {sum(range(1980)) + 1980} texts" in page.text
    assert "1979 " not in page.text
    assert "long " * 20 not in html
    assert read_evaluation(tmp_path / "evaluation.json").exit_layer_counts_by_label == counts
    check_page(page, html)


def test_the_search_is_shown_where_there_was_one(tokenizer, tmp_path):
    model = text_model(tokenizer, layers=LAYERS, architectures=[CELL])
    searched = history()
    searched.save(tmp_path / "search.json")
    log = {"epochs": [], "seconds": 90.0, "cpu_seconds": 80.0, "preset": "quick"}
    write_json(tmp_path / "training.json", log)
    page, html = page_of(tmp_path, model)
    assert "How the search found them" in page.text
    assert len([one for one in page.named("svg") if "was found" in one["aria-label"]]) == LAYERS * len(EDGES)
    assert "search 2.1 minutes" in page.text
    assert "went from 0.80 to 0.46 times that of an MHA exit" in page.text
    assert "training 1.5 minutes" in page.text
    assert "preset of the training quick" in page.text
    first, last = (searched.weights[epoch]["pooler"][0][0] for epoch in (0, -1))
    assert f"pooler, layer 1: {searched.operations['pooler'][0]}\n{first:.3f} → {last:.3f}" in tips(page)
    check_page(page, html)


@pytest.mark.parametrize(("on", "where"), [([2, LAYERS], "2 of them"), ([0, LAYERS], "the embeddings and 1 of them")])
def test_exits_on_some_layers_are_shown_at_their_layers(tokenizer, tmp_path, on, where):
    model = text_model(tokenizer, layers=LAYERS, architectures=[CELL], exit_layers=on)
    history().save(tmp_path / "search.json")
    page, html = page_of(tmp_path, model, data_for(SINGLE_LABEL))
    assert f"{LAYERS} layers with an exit on {where}" in page.text
    diagrams = [one["aria-label"] for one in page.named("svg") if one.get("class") == "diagram"]
    places = [f"layer {layer}" if layer else "the embeddings" for layer in on]
    assert [label.partition(":")[0] for label in diagrams] == [f"Exit on {place}" for place in places]
    found = read_evaluation(tmp_path / "evaluation.json")
    assert found.layers_with_exits == on
    assert sum(found.exit_layer_counts) == sum(found.leaving)
    assert len(found.exit_layer_counts) == LAYERS + (0 in on)
    for layer, score in zip(on, found.exit_scores, strict=True):
        assert f"exit {layer}, test: {score:.4f}" in tips(page)
    assert not [one for one in page.named("svg") if "pooler, layer 1" in one["aria-label"]]
    check_page(page, html)


def test_without_data_it_shows_what_there_is_and_how_to_get_the_rest(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    folder = tmp_path / "a model"
    folder.mkdir()
    page, html = page_of(folder, model)
    assert "Scores, speedups and where texts leave; texts that leave first and last." in page.text
    assert "leco report 'a model' --data DATA" in page.text
    assert "Score of each exit" not in page.text
    assert "The exits" in page.text
    check_page(page, html)
    write_json(folder / "results.json", evaluate(model, data, repeats=1, timed_texts=1).to_dict())
    page, html = page_of(folder, model)
    assert "Curves of all criteria; texts that" in page.text
    assert "--data '<b>data</b>'" in page.text
    assert "Score of each exit" in page.text
    assert "share of layers saved" in page.text
    check_page(page, html)


def test_an_evaluation_of_other_data_or_of_another_criterion_does_not_count(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    save_evaluation(evaluate(model, data, repeats=1, timed_texts=1, criteria=["static"]), tmp_path)
    assert set(gather(tmp_path, model, data).evaluation.curves) == {"static", "oracle"}
    other = gather(tmp_path, model, replace(data, name="other"), repeats=1, timed_texts=1).evaluation
    assert other.data == "other"
    assert "cobee" in other.curves
    model.config.exit_criterion = {"name": "entropy", "tau": 0.5}
    assert gather(tmp_path, model, data, repeats=1, timed_texts=1).evaluation.criterion["name"] == "entropy"


def test_without_data_an_evaluation_by_another_criterion_is_called_so(tokenizer, tmp_path):
    """As after `leco calibrate`, which chooses anew, or after one of another criterion than the model's."""
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    save_evaluation(evaluate(model, data, repeats=1, timed_texts=1, criteria=["static", "entropy"]), tmp_path)
    page, _ = page_of(tmp_path, model)
    assert "A text leaves by static:layer=0 , chosen on dev" in page.text
    assert "do not hold" not in page.text
    model.config.exit_criterion = {"name": "entropy", "tau": 0.5}
    page, html = page_of(tmp_path, model)
    assert "These numbers are of texts that left by static:layer=0 :" in page.text
    assert "a text leaves by entropy:" in page.text
    assert "they do not hold, but for AVG, BEST and the score of each exit" in page.text
    assert "Scores and speedups by the model's own criterion; texts that leave first" in page.text
    assert "entropy (this model's)" in page.text
    check_page(page, html)


def test_an_evaluation_of_what_the_data_were_before_does_not_count(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    before = gather(tmp_path, model, data, repeats=1, timed_texts=1).evaluation
    assert gather(tmp_path, model, data, repeats=1, timed_texts=1).evaluation == before
    changed = replace(data, test=replace(data.test, texts=[*data.test.texts[:-1], "another film"]))
    after = gather(tmp_path, model, changed, repeats=1, timed_texts=1).evaluation
    assert after.fingerprint == changed.test.fingerprint != before.fingerprint
    of_before = {name: value for name, value in after.to_dict().items() if name != "fingerprint"}  # as 0.1 wrote it
    write_json(tmp_path / "evaluation.json", of_before)
    assert gather(tmp_path, model, changed, repeats=1, timed_texts=1).evaluation.fingerprint == after.fingerprint


def test_data_that_were_in_memory_are_in_no_command(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS), replace(data_for(SINGLE_LABEL), name="<DataFrame>")
    page_of(tmp_path, model, data)
    _, html = page_of(tmp_path, model)
    commands = re.findall(r"leco report .*?</code>", html)
    assert commands
    assert [one for one in commands if "DataFrame" in one or "--data DATA" not in one] == []
    assert gather(tmp_path, model).source == "DATA"


def test_curves_are_measured_where_that_is_asked_for(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    page, html = page_of(tmp_path, model, data)
    assert "share of layers saved" in page.text
    assert "leco report" in page.text
    assert "--time-curves" in page.text
    check_page(page, html)
    assert not gather(tmp_path, model, data, repeats=1, timed_texts=1).evaluation.measured
    measured = gather(tmp_path, model, data, repeats=1, timed_texts=1, time_curves=True).evaluation
    assert measured.measured
    assert gather(tmp_path, model, data).evaluation == measured, "it is not measured again"
    assert "--time-curves" not in page_of(tmp_path, model, data)[0].text


def test_how_the_criterion_was_chosen(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    assert "How the criterion was chosen" not in page_of(tmp_path, model)[0].text
    found = compete(model, data, kinds_named("auto"), max_drop=0.05)
    write_json(tmp_path / "contest.json", asdict(found))
    page, html = page_of(tmp_path, model)
    assert "How the criterion was chosen" in page.text
    for entry in found.entries:
        assert f"{100 * entry.layers_saved:.1f} %" in page.text
    assert found.verdict() in page.text
    check_page(page, html)


@pytest.mark.parametrize(
    ("speedup", "shown"), [(0.25, "25% less time (1.33x)"), (-0.25, "25% more time, slower (0.80x)")]
)
def test_what_is_slower_is_called_so(tokenizer, tmp_path, speedup, shown):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    found = evaluate(model, data, repeats=1, timed_texts=1, criteria=["static"])
    save_evaluation(replace(found, speedup=speedup, speedup_factor=1 / (1 - speedup)), tmp_path)
    assert shown in page_of(tmp_path, model)[0].text


def test_texts_are_in_the_order_in_which_they_leave(tokenizer, tmp_path):
    model, data = text_model(tokenizer, layers=LAYERS), data_for(SINGLE_LABEL)
    model.config.exit_criterion = {"name": "max-probability", "tau": 0.6}
    content = gather(tmp_path, model, data, repeats=1, timed_texts=1)
    answers = model.predict(data.test.texts)
    layers = sorted(answer.exit_layer for answer in answers)
    assert [one.exit_layer for one in content.first] == layers[:6]
    assert [one.exit_layer for one in content.last] == layers[::-1][:6]
    texts = [(text,) if isinstance(text, str) else text for text in data.test.texts]
    for example in [*content.first, *content.last]:
        row = texts.index(example.parts)
        assert example.answer == answers[row].label
        assert example.truth == "abc"[data.test.labels[row]]
        assert example.right == (example.answer == example.truth)
