"""What an import costs: deciding needs neither PyTorch nor Transformers."""

import subprocess
import sys

import pytest

import leco

HEAVY = "torch", "transformers", "datasets", "sklearn", "pandas", "matplotlib"


def imported(statement):
    """The modules that are there after `statement` in a new process."""
    script = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize("module", ["leco", "leco.runtime", "leco.criteria", "leco.calibration", "leco.problems"])
def test_light_imports(module):
    modules = imported(f"import {module}; dir({module})")
    assert module in modules
    assert not modules & set(HEAVY)


def test_what_is_listed_is_there():
    assert set(leco.__all__) <= set(dir(leco))
    assert {"fit", "MultiExitModel", "Cobee", "LecoError"} <= set(leco.__all__)
    for name in leco.__all__:
        assert getattr(leco, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'unfit'"):
        leco.unfit  # noqa: B018


def test_lazy_names_come_from_where_they_are_defined():
    from leco.model import MultiExitModel
    from leco.pipeline import fit

    assert leco.fit is fit
    assert leco.MultiExitModel is MultiExitModel
