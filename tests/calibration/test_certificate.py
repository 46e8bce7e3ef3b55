"""A certificate: what it says, for what it holds, and how it is read; and its test on new texts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from leco import Entropy, LecoError
from leco.calibration import Certificate, Watch, percent, verify_losses
from promised import GIVEN


def test_what_it_says():
    assert GIVEN.sentence() == (
        "With 90 % confidence, at most 2 % of texts are answered wrongly though full depth is right "
        "(12 of 1,000 texts of 'new.csv'; method ltt)."
    )
    values = replace(GIVEN, unit=0.5, method="crc", confidence=None, loss="disagreement")
    assert values.sentence() == (
        "On average over calibrations, on average early answers are away from those at full depth by at most 0.01, "
        "counting no text more than 0.5 (0.006 on 1,000 texts of 'new.csv'; method crc)."
    )
    assert replace(GIVEN, method="naive", confidence=None).sentence().startswith("No promise")


def test_a_bound_is_not_rounded_down():
    assert [percent(share) for share in (0.02, 0.020001, 0.9, 0.012344999)] == ["2 %", "2.001 %", "90 %", "1.235 %"]


def test_neither_a_confidence_nor_a_lower_bound_is_rounded_up():
    shares = (0.9999999, 0.999995, 0.9, 0.020009, 0.0)
    assert [percent(share, least=True) for share in shares] == ["99.999 %", "99.999 %", "90 %", "2 %", "0 %"]
    assert replace(GIVEN, confidence=0.9999999).sentence().startswith("With 99.999 % confidence")
    watch = Watch(bound=0.01).seen(500, np.arange(500) < 60)
    assert f"above {percent(watch.lowest, least=True)}" in watch.sentence()


def test_it_is_read_as_it_was_written():
    assert Certificate.from_dict(GIVEN.to_dict()) == GIVEN
    assert Certificate.from_dict(None) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"bound": -0.1},
        {"bound": 2},
        {"bound": "0.02"},
        {"confidence": None},
        {"confidence": 0.2},
        {"rows": 0},
        {"errors": 1001.0},
        {"unit": 0.0},
        {"method": "guess"},
        {"loss": "pain"},
        {"criterion": {"name": "entropy", "tau": -1}},
        {"criterion": {}},
        {"more": 1},
    ],
    ids=str,
)
def test_what_was_never_written_is_refused(changes):
    with pytest.raises(LecoError, match="certificate is not as it was written"):
        Certificate.from_dict({**GIVEN.to_dict(), **changes})


def test_it_holds_for_its_criterion_in_its_precision_alone():
    assert GIVEN.doubt(Entropy(0.2), "float32") == ""
    assert "it is for 'entropy:tau=0.2,normalized=false', but texts leave by" in GIVEN.doubt(Entropy(0.3), "float32")
    assert "in float32, but these are in int8" in GIVEN.doubt(Entropy(0.2), "int8")


@pytest.mark.parametrize(("errors", "contradicted"), [(0, False), (20, False), (26, False), (30, True)])
def test_new_texts_contradict_it_or_do_not(errors, contradicted):
    found = verify_losses(GIVEN, np.arange(1000) < errors, 0.05)
    assert found.p_value == pytest.approx(stats.binom.sf(errors - 1, 1000, 0.02))
    assert found.contradicted == contradicted
    assert found.sentence().startswith("These texts contradict" if contradicted else "Nothing contradicts")


@pytest.mark.parametrize(
    ("method", "said"),
    [("crc", "promised on average over calibrations alone"), ("naive", "of which nothing is promised")],
)
def test_what_promises_no_confidence_is_exceeded_but_not_contradicted(method, said):
    held = replace(GIVEN, method=method, confidence=None)
    found = verify_losses(held, np.arange(1000) < 30, 0.05)
    assert (found.exceeded, found.contradicted) == (True, False)
    assert said in found.sentence()
    assert {"exceeded": True, "contradicted": False}.items() <= found.to_dict().items()
    assert verify_losses(held, np.arange(1000) < 20, 0.05).sentence().startswith("Nothing contradicts")


def test_a_true_certificate_is_contradicted_as_rarely_as_promised():
    random = np.random.default_rng(0)
    found = [verify_losses(GIVEN, random.random(400) < 0.02, 0.05).contradicted for _ in range(2000)]
    assert 0 < np.mean(found) <= 0.05
    values = replace(GIVEN, unit=1.0)
    found = [verify_losses(values, random.random(400) < 0.02, 0.05).p_value for _ in range(200)]
    mean = [verify_losses(values, 0.04 * random.random(400), 0.05).contradicted for _ in range(200)]
    assert np.mean(mean) <= 0.05
    assert np.mean(np.array(found) <= 0.05) <= 0.08
    assert verify_losses(values, 0.2 * random.random(400), 0.05).contradicted
