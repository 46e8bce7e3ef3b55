"""Former names give what has another name now, and say so."""

import warnings
from importlib import import_module

import pytest

from leco import Static, environment, preparation, run_folder
from leco.bench import Way
from leco.loading import PredictorSpec
from leco.preparation import encoder

NAMES = {
    "leco.job": {"Job": preparation, "open_job": preparation, "given_architectures": encoder},
    "leco.runs": {
        "machine": environment,
        "versions": environment,
        **dict.fromkeys(("claim", "check_folder", "fingerprint", "trained_on", "SETTINGS"), run_folder),
    },
}


@pytest.mark.parametrize("module", NAMES)
def test_modules(module):
    former = import_module(module)
    for name, place in NAMES[module].items():
        with pytest.warns(
            DeprecationWarning, match=rf"{module}\.{name} is now leco\.\w+.*; the old name will go"
        ) as seen:
            assert getattr(former, name) is getattr(place, name)
        assert seen[0].filename == __file__
    assert not hasattr(former, "nothing")


def test_answer_pieces():
    from leco.runtime import answer_pieces

    sizes = []

    def answer(texts):
        sizes.append(len(texts))
        return [text.upper() for text in texts]

    with pytest.warns(DeprecationWarning, match=r"is now leco\.runtime\.PredictorMixin\.stream") as seen:
        answers = answer_pieces(iter(["a"] * 2000), Static(), 4, answer)
    assert list(answers) == ["A"] * 2000
    assert sizes == [1024, 976]
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("onnx", Way("x", PredictorSpec("p", device="cpu"))),
        ("torch-full", Way("x", PredictorSpec("p", device="cpu"), full_depth=True)),
        ("torch-bf16-compile", Way("x", PredictorSpec("p", device="cpu", precision="bf16", compile=True))),
    ],
)
def test_ways_by_kind_and_path(kind, expected):
    with pytest.warns(DeprecationWarning, match=r"is now leco\.bench\.Way"):
        assert Way("x", kind, "p") == expected
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Way("x", PredictorSpec("p"))
