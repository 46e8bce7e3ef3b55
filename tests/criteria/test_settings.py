"""Writing and reading criteria, what is refused and with which words."""

import numpy as np
import pytest

from leco.criteria import (
    CRITERIA,
    MULTI_LABEL,
    Cobee,
    Entropy,
    FPabee,
    Oracle,
    Patience,
    Static,
    Task,
    criterion_from_dict,
    parse_criterion,
    simulate,
)
from leco.errors import LecoError

TASK = Task(3, 6)


def test_settings_have_their_order_and_their_defaults():
    assert Cobee(0.2, 3) == Cobee(tau=0.2, patience=3) == parse_criterion("cobee: tau=0.2, patience=3")
    assert Patience(3) == criterion_from_dict({"name": "patience", "patience": 3})
    assert Entropy(0.2).to_dict() == {"name": "entropy", "tau": 0.2, "normalized": False}
    assert str(Entropy(0.2, True)) == "entropy:tau=0.2,normalized=true"
    for name in CRITERIA:
        assert criterion_from_dict({"name": name}) == parse_criterion(name) == CRITERIA[name]()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"tau": 0.1}, ["no name", "cobee", "tau"]),
        ({}, ["no name", *CRITERIA]),
        ({"name": "cobe"}, ["'cobe'", "Did you mean 'cobee'", *CRITERIA]),
        ({"name": "cobee", "tua": 0.1}, ["setting", "'cobee'", "'tua'", "Did you mean 'tau'", "patience"]),
        ({"name": "oracle", "labels": [1]}, ["setting", "'oracle'", "'labels'"]),
        ({"name": "cobee", "tau": "0.1"}, ["tau", "a number", "'0.1'"]),
        ({"name": "cobee", "tau": None}, ["tau", "a number", "None"]),
        ({"name": "cobee", "tau": -1}, ["tau", "at least 0", "-1"]),
        ({"name": "cobee", "tau": float("nan")}, ["tau", "a number", "nan"]),
        ({"name": "cobee", "patience": 0}, ["patience", "at least 1", "0"]),
        ({"name": "cobee", "patience": 1.5}, ["patience", "a whole number", "1.5"]),
        ({"name": "margin", "tau": 1.5}, ["tau", "at most 1", "1.5"]),
        ({"name": "voting", "tau": 0}, ["tau", "more than 0"]),
        ({"name": "entropy", "normalized": 1}, ["normalized", "true or false"]),
        ({"name": "f-pabee", "similarity": "cosine"}, ["similarity", "jskd", "jensen-shannon", "cosine"]),
    ],
)
def test_a_dict_that_is_refused_is_told_why(value, words):
    with pytest.raises(LecoError) as error:
        criterion_from_dict(value)
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cobee:tau", ["'cobee:tau'", "'tau'", "SETTING=VALUE", "cobee:tau=0.1,patience=1"]),
        ("cobee:tau=", ["'tau='", "SETTING=VALUE"]),
        ("cobee:=1", ["'=1'", "SETTING=VALUE"]),
        ("cobee:tau=0.1,tau=0.2", ["'cobee:tau=0.1,tau=0.2'", "'tau' is given twice"]),
        ("cobee:tau=low", ["tau", "a number", "'low'"]),
        ("cobee:tau=nan", ["tau", "a number"]),
        ("cobee:patience=1.0", ["patience", "a whole number"]),
        ("nothing:tau=1", ["Unknown exit criterion 'nothing'", *CRITERIA]),
        ("", ["Unknown exit criterion ''", *CRITERIA]),
    ],
)
def test_a_text_that_is_refused_is_told_why(text, words):
    with pytest.raises(LecoError) as error:
        parse_criterion(text)
    assert [word for word in words if word not in str(error.value)] == []


def test_a_layer_that_the_model_does_not_have_is_refused():
    with pytest.raises(LecoError, match=r"layer must be at most 6, .* not 7"):
        Static(7).check(TASK)


@pytest.mark.parametrize(
    ("labels", "task"), [((), TASK), ([0, 1], TASK), ([0, 1, 2], Task(3, 6, MULTI_LABEL)), ([[0, 1, 2]] * 3, TASK)]
)
def test_the_oracle_needs_the_labels_of_all_rows(labels, task):
    with pytest.raises(LecoError, match="needs the labels of all rows, of shape"):
        simulate(Oracle(labels), np.zeros((6, 3, 3)), task)


def test_the_entropy_of_the_mean_is_not_the_divergence():
    """The published JSKD is large for equal exits that are not certain, the true divergence is 0."""
    equal = np.full((3, 1, 2), 0.5)
    assert simulate(FPabee(tau=0.5), equal, Task(2, 3)) == 3
    assert simulate(FPabee(tau=0.5, similarity="jensen-shannon"), equal, Task(2, 3)) == 2
