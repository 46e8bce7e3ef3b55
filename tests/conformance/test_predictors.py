"""Every kind of predictor: a model folder, an exported file, a plain classifier; whatever runs it, it does the same."""

import pickle
from collections import deque
from contextlib import suppress
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertForSequenceClassification

from conformance.another_process import answers_elsewhere
from leco import Cobee, LecoError, Oracle, PredictorSpec, Static
from leco.criteria import Criterion
from leco.data import Split, TextData
from leco.evaluation import Evaluation, choose_criterion, evaluate
from leco.export import export_onnx
from leco.problems import SINGLE_LABEL
from leco.runtime import GivesAllExits
from tiny import assert_same_answers, randomize, sentences, text_model
from values import VALUES

TEXTS = [*sentences(20), "", ("", ""), ("a film", ""), "good " * 200]
CRITERION = Cobee(tau=0.3)


def save_model(tokenizer, folder, **settings):
    """The folder of a multi-exit model."""
    model = text_model(tokenizer, layers=3, **settings)
    model.config.exit_criterion = CRITERION.to_dict()
    model.save_pretrained(folder / "model")
    return folder / "model"


def export_model(tokenizer, folder, **settings):
    """A file that such a model was exported to."""
    export_onnx(text_model(tokenizer, layers=3, **settings), folder / "model.onnx", criterion=CRITERION)
    return folder / "model.onnx"


def save_classifier(tokenizer, folder):
    """The folder of a plain classifier."""
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=40,
        id2label=dict(enumerate("abc")),
        label2id={name: number for number, name in enumerate("abc")},
    )
    model = BertForSequenceClassification(config)
    randomize(model)
    model.save_pretrained(folder / "plain")
    tokenizer.save_pretrained(folder / "plain")
    return folder / "plain"


KINDS = {
    "model folder": save_model,
    "ONNX file": export_model,
    "plain classifier": save_classifier,
    "model folder without an exit on layer 1": partial(save_model, exit_layers=[2, 3]),
    "ONNX file without an exit on layer 2": partial(export_model, exit_layers=[1, 3]),
}


@pytest.fixture(scope="module", params=KINDS)
def spec(request, tokenizer, tmp_path_factory):
    """What loads a predictor."""
    path = KINDS[request.param](tokenizer, tmp_path_factory.mktemp("predictor"))
    return PredictorSpec(path, device="cpu")


@pytest.fixture(scope="module")
def predictor(spec):
    """A predictor; not to be changed."""
    return spec.load()


@pytest.fixture
def encoded(predictor, monkeypatch):
    """The texts that are tokenized from now on."""
    seen, encode = [], type(predictor).encode

    def noting(self, texts, *arguments, **options):
        given = list(texts)
        seen.extend(given)
        return encode(self, given, *arguments, **options)

    monkeypatch.setattr(type(predictor), "encode", noting)
    return seen


def labelled():
    """Random texts with random labels."""
    random = np.random.default_rng(0)
    splits = [Split(sentences(12, seed), random.integers(0, 3, 12)) for seed in range(3)]
    return TextData("some", *splits, ("a", "b", "c"), SINGLE_LABEL, "accuracy", pair=False)


def test_it_says_what_it_is(predictor):
    assert predictor.label_names == list("abc")
    assert (predictor.task.num_outputs, predictor.num_layers, predictor.max_length) == (3, 3, 40)
    assert predictor.problem is predictor.task.problem
    assert isinstance(predictor.criterion, Criterion)


def test_answers_are_those_of_batch_size_1_in_the_given_order(predictor):
    one_by_one = [predictor.predict([text])[0] for text in TEXTS]
    assert len({round(answer.scores["a"], 3) for answer in one_by_one}) > len(TEXTS) / 2
    for batch_size in (1, 7, 64):
        assert_same_answers(predictor.predict(TEXTS, batch_size=batch_size), one_by_one)
    assert_same_answers(list(predictor.stream(iter(TEXTS), batch_size=3)), one_by_one)


def test_its_description_is_all_that_another_process_needs(spec, predictor):
    written = pickle.dumps(spec)
    assert len(written) < 1000
    assert pickle.loads(written) == spec
    assert_same_answers(answers_elsewhere(spec, TEXTS), predictor.predict(TEXTS))


def test_a_criterion_may_be_written(predictor):
    for criterion in (predictor.criterion, predictor.full_depth):
        assert predictor.predict(TEXTS, str(criterion)) == predictor.predict(TEXTS, criterion)
    assert {answer.exit_layer for answer in predictor.predict(TEXTS, predictor.full_depth)} == {3}


@pytest.mark.parametrize("criterion", ["kobee", "cobee:tau", "cobee:tau=-1", "oracle", "", Oracle([0])], ids=str)
def test_a_criterion_that_there_is_not(predictor, criterion):
    with pytest.raises(LecoError):
        predictor.predict(["a"], criterion)


def test_a_criterion_by_which_it_cannot_decide(predictor):
    with pytest.raises(LecoError):
        predictor.predict(["a"], Static(9))


def test_texts_are_tokenized_once_and_those_that_are_cut_are_counted(predictor, encoded, tokenizer):
    cut = []
    encodings = predictor.encode(TEXTS, cut.append)
    parts = [[text] if isinstance(text, str) else text for text in TEXTS]
    whole = [tokenizer(*([part] for part in some)).input_ids[0] for some in parts]
    assert cut == [sum(len(ids) > 40 for ids in whole)]
    assert [len(encoding["input_ids"]) for encoding in encodings] == [min(len(ids), 40) for ids in whole]
    encoded.clear()
    predictor.predict(TEXTS)
    assert encoded == TEXTS


def test_what_it_cannot_give_is_missing_from_its_evaluation_and_the_rest_is_the_same(predictor, encoded):
    data = labelled()
    found = evaluate(predictor, data, repeats=1)
    assert sorted(map(str, encoded)) == sorted(map(str, [*data.dev.texts, *data.test.texts]))
    answers = predictor.predict(data.test.texts)
    assert found.score == np.mean(["abc".index(answer.label) for answer in answers] == data.test.labels)
    assert found.mean_exit_layer == np.mean([answer.exit_layer for answer in answers])
    assert sum(found.exit_layer_counts) == len(data.test)
    gives_all = isinstance(predictor, GivesAllExits)
    assert len(found.exit_scores) == (predictor.task.num_exits if gives_all else 0)
    assert (found.avg is not None) == gives_all
    assert found.layers_with_exits == list(predictor.task.exit_layers)
    assert Evaluation.from_dict(found.to_dict(), "it") == found
    assert bool(found.lacks) != isinstance(predictor, GivesAllExits)
    if found.lacks:
        with pytest.raises(LecoError, match="chosen with what every exit says, which cannot be had here"):
            choose_criterion(predictor, data, "static", 0.01)


WRONG_TEXTS = [
    "a text",
    b"a text",
    None,
    7,
    {"text": "a"},
    np.array("a text"),
    [None],
    [7],
    [float("nan")],
    [b"a"],
    [["a", "b", "c"]],
    [("a",)],
    [()],
    [("a", None)],
    [("a", ("b", "c"))],
    [{"text": "a"}],
    ["a", ["b", 7]],
    ["half \ud83d a character"],
    [("a", "\udc00")],
    [np.array(["a", "b", "c"])],
    np.zeros((2, 2)),
    pd.Series(["a", None]),
    pd.Series(["a", pd.NA], dtype="string"),
    {1: "a", 2: None}.values(),
    pa.array(["a", None]),
]
WRONG_SIZES = [0, -1, 1.5, "2", None, float("nan"), [1]]
WRONG_CRITERIA = [b"cobee", {"name": "cobee"}, Cobee, 7]


@pytest.mark.parametrize("texts", WRONG_TEXTS, ids=[f"{type(one).__name__}-{n}" for n, one in enumerate(WRONG_TEXTS)])
def test_what_is_no_list_of_texts(predictor, texts):
    with pytest.raises(LecoError, match=r"predict answers a list of texts|Text \d+ (is|has)"):
        predictor.predict(texts)


def test_the_text_is_named(predictor):
    with pytest.raises(LecoError, match=r"Text 3 has half a character .a lone surrogate. at place 2"):
        predictor.predict(["a", "b", "c\ud83d"])
    with pytest.raises(LecoError, match="Text 2000 is 7, which is neither a text nor a pair of texts"):
        predictor.predict([*["a"] * 1999, 7], batch_size=64)


@pytest.mark.parametrize("size", WRONG_SIZES, ids=ascii)
def test_what_is_no_batch_size(predictor, size):
    with pytest.raises(LecoError, match="The batch size must be a whole number, at least 1, not"):
        predictor.predict(["a"], batch_size=size)


@pytest.mark.parametrize("criterion", WRONG_CRITERIA, ids=ascii)
def test_what_is_no_criterion(predictor, criterion):
    with pytest.raises(LecoError, match=r"The criterion must be one such as Cobee\(.*\), or a text .*, not"):
        predictor.predict(["a"], criterion)


def test_what_is_a_list_of_texts(predictor):
    texts = ["a film", "", "good \x00\u202e\uffff", ("a", "pair"), "bad " * 500]
    expected = predictor.predict(texts)
    for given_texts in (tuple(texts), iter(texts), [*texts[:3], list(texts[3]), texts[4]]):
        assert predictor.predict(given_texts, batch_size=np.int64(1)) == expected
    assert predictor.predict([]) == predictor.predict(iter(())) == []


MIXED = ["good", "bad film", "so so", ""]
PAIRS = [(text, "and more") for text in MIXED]
IN_ORDER = {
    "series": pd.Series(MIXED, index=[3, 1, 0, 2]),
    "categorical series": pd.Series(MIXED, index=[3, 1, 0, 2], dtype="category"),
    "string series": pd.Series(MIXED, index=[0, 0, 0, 0], dtype="string"),
    "index": pd.Index(MIXED),
    "array": np.array(MIXED),
    "array of objects": np.array(MIXED, dtype=object),
    "data set's column": Dataset.from_dict({"text": MIXED, "other": MIXED[::-1]})["text"],
    "arrow": pa.chunked_array([MIXED[:1], MIXED[1:]]),
    "keys": dict.fromkeys(MIXED).keys(),
    "values": dict(enumerate(MIXED)).values(),
    "deque": deque(MIXED),
    "frame of one column": pd.DataFrame({"any": MIXED}, index=[3, 1, 0, 2]),
    "data set of one column": Dataset.from_dict({"any": MIXED}),
    "array of pairs": np.array(PAIRS),
    "rows of a frame": list(pd.DataFrame(PAIRS).itertuples(index=False)),
    "lists": list(map(list, PAIRS)),
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_any_iterable_is_answered_in_its_own_order(predictor, name):
    texts = PAIRS if name in ("array of pairs", "rows of a frame", "lists") else MIXED
    assert predictor.predict(IN_ORDER[name]) == predictor.predict(texts)


def test_a_table_is_answered_by_the_columns_of_the_training(predictor, monkeypatch):
    frame = pd.DataFrame({"label": "x", "text": MIXED, "more": "and more"})
    with pytest.raises(LecoError, match=r"columns label, text, more, not one column alone.*predict\(table\['text'\]\)"):
        predictor.predict(frame)
    monkeypatch.setattr(type(predictor), "text_columns", ["text", "more"])
    for table in (frame, Dataset.from_pandas(frame), pa.Table.from_pandas(frame)):
        assert predictor.predict(table) == predictor.predict(PAIRS)
    with pytest.raises(LecoError, match="not 'text' and 'more' as the model was trained on"):
        predictor.predict(frame.drop(columns="more"))


def test_columns_of_pandas_without_a_text_as_name(predictor):
    assert predictor.predict(pd.DataFrame(MIXED)) == predictor.predict(MIXED)
    frame = pd.DataFrame({("a", "b"): MIXED})
    assert predictor.predict(frame) == predictor.predict(MIXED)


def test_a_table_of_an_index_alone_is_refused(predictor):
    with pytest.raises(LecoError, match=r"has no columns; an index is none\. Give its reset_index\(\)"):
        predictor.predict(pd.DataFrame({"text": MIXED}).set_index("text"))


def test_two_columns_of_one_name_are_refused(predictor, monkeypatch):
    monkeypatch.setattr(type(predictor), "text_columns", ["text"])
    with pytest.raises(LecoError, match="several columns 'text'"):
        predictor.predict(pd.DataFrame(PAIRS, columns=["text", "text"]))


@settings(max_examples=60, deadline=None)
@given(texts=VALUES | st.lists(VALUES | st.text(st.characters(exclude_categories=())), max_size=3))
def test_anything_is_answered_or_refused(predictor, texts):
    with suppress(LecoError):
        assert len(predictor.predict(texts)) == len(texts)


def test_a_stream_reads_no_further_than_it_must(predictor):
    read = []

    def forever():
        while True:
            read.append(1)
            yield "a film"

    answers = predictor.stream(forever(), batch_size=64)
    assert not read
    assert next(answers).label in predictor.label_names
    assert len(read) <= 1024
