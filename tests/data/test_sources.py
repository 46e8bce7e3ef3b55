"""`load_data` on files, folders and the Hub."""

import json
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import datasets
import numpy as np
import pytest

from leco.data import load_data
from leco.errors import LecoError
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL


def write_csv(
    path: Path, rows: int, labels: Sequence[object] = ("neg", "pos"), header: str = "text,label,extra"
) -> Path:
    path.parent.mkdir(exist_ok=True)
    lines = [f"text {path.stem} {row},{labels[row % len(labels)]},x" for row in range(rows)]
    path.write_text("\n".join([header, *lines, "", ""]), encoding="utf-8")
    return path


def sizes(source: Path, **options: Any) -> tuple[int, int, int]:
    data = load_data(str(source), **options)
    return len(data.train), len(data.dev), len(data.test)


def test_a_file_is_cut_80_10_10(tmp_path: Path) -> None:
    lines: list[str] = []
    data = load_data(str(write_csv(tmp_path / "x.csv", 200)), log=lines.append)
    assert (len(data.train), len(data.dev), len(data.test)) == (160, 20, 20)
    assert [split.labels.mean() for split in (data.train, data.dev, data.test)] == [0.5, 0.5, 0.5]
    assert len({*data.train.texts, *data.dev.texts, *data.test.texts}) == 200
    assert (data.problem_type, data.metric, data.label_names) == (SINGLE_LABEL, "accuracy", ("neg", "pos"))
    assert (data.num_outputs, data.pair) == (2, False)
    assert lines == ["Columns: text = 'text', label = 'label' (set them with text_columns / label_column)"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"train.csv": 100}, (80, 10, 10)),
        ({"train.csv": 100, "test.csv": 7}, (90, 10, 7)),
        ({"train.csv": 100, "dev.csv": 9}, (100, 4, 5)),
        ({"train.csv": 4, "validation.csv": 3, "test.csv": 2}, (4, 3, 2)),
        ({"Train.csv": 4, "eval.csv": 3, "TEST.CSV": 2}, (4, 3, 2)),
        ({"train.csv": 4, "valid.csv": 3, "test.csv": 2, "notes.csv": 1}, (4, 3, 2)),
    ],
)
def test_folders(tmp_path: Path, files: dict[str, int], expected: tuple[int, int, int]) -> None:
    for name, rows in files.items():
        write_csv(tmp_path / name, rows)
    assert sizes(tmp_path) == expected


def test_a_test_file_without_labels_is_left_out(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", 100)
    write_csv(tmp_path / "test.csv", 5, header="text,id,extra")
    lines: list[str] = []
    assert sizes(tmp_path, log=lines.append) == (80, 10, 10)
    assert lines[1] == "'test.csv' has no labels in a column 'label': it is not used as the test split."


def test_regression_and_many_labels(tmp_path: Path) -> None:
    lines: list[str] = []
    data = load_data(str(write_csv(tmp_path / "x.csv", 50, [0.5, 1.5, 2])), log=lines.append)
    assert "so this is a regression" in lines[1]
    assert (data.problem_type, data.metric, data.num_outputs) == (REGRESSION, "r2", 1)
    rows = [{"text": "a", "labels": [["x"], ["x", "y"]][row % 2]} for row in range(30)]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    data = load_data(str(tmp_path / "x.jsonl"))
    assert (data.problem_type, data.metric, data.num_outputs) == (MULTI_LABEL, "f1_micro", 2)


def test_train_rows_are_a_stratified_sample(tmp_path: Path) -> None:
    path = str(write_csv(tmp_path / "x.csv", 500))
    whole, part = load_data(path), load_data(path, train_rows=40)
    assert np.bincount(part.train.labels).tolist() == [20, 20]
    assert set(part.train.texts) < set(whole.train.texts)
    assert part.test.texts == whole.test.texts
    assert part.train.texts == load_data(path, train_rows=40).train.texts
    assert part.test.texts != load_data(path, train_rows=40, split_seed=1).test.texts
    assert len(load_data(path, train_rows=10_000).train) == 400


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({}, {}, r"has no file train.\*, dev.\* or test"),
        ({"train.csv": 9}, {}, "9 rows are too few"),
        ({"train.csv": 20, "dev.csv": 1}, {}, "1 rows are too few"),
        ({"train.csv": 20, "train.tsv": 20}, {}, "more than one train file: train.csv, train.tsv"),
        ({"train.csv": 20}, {"train_rows": 0}, "train_rows must be at least 1, not 0"),
        ({"train.csv": 20}, {"train_rows": 1.5}, "train_rows must be a whole number, not 1.5"),
        ({"train.csv": 20}, {"split_seed": -1}, "split_seed must be at least 0, not -1"),
        ({"train.csv": 20}, {"calibration_share": 2.0}, r"calibration_share must be at most 0.5, not 2\.0"),
        ({"train.csv": 20}, {"calibration_share": -0.1}, r"calibration_share must be at least 0, not -0\.1"),
        ({"train.csv": 20}, {"calibration_share": float("nan")}, "calibration_share must be a number, not nan"),
        ({"train.csv": 20}, {"calibration_shares": 0.1}, "Unknown option 'calibration_shares'"),
        ({"train.csv": 20}, {"label_separator": ""}, "label_separator must be one character or more, not ''"),
        ({"train.csv": 20}, {"data_config": ""}, "data_config must be one character or more, not ''"),
        ({"train.csv": 20}, {"text_columns": ["t"]}, "no column 't'. Its columns: text, label, extra"),
    ],
)
def test_unusable_folders(tmp_path: Path, files: dict[str, int], options: dict[str, Any], message: str) -> None:
    for name, rows in files.items():
        write_csv(tmp_path / name, rows)
    with pytest.raises(LecoError, match=message):
        load_data(str(tmp_path), **options)


def test_a_label_with_too_few_rows_or_that_train_lacks(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "train.csv", 41, ["a"] * 20 + ["b"] * 18 + ["rare", "rare", "odd"])
    with pytest.raises(
        LecoError, match=r"too few of the 41 training rows .* at least 3 each: 'odd' \(1\), 'rare' \(2\)"
    ):
        load_data(str(path))
    write_csv(tmp_path / "dev.csv", 6, ["a", "new"])
    with pytest.raises(LecoError, match=r"'dev.csv', line 3, column 'label': the training rows have no label 'new'"):
        load_data(str(tmp_path))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.csv", "The file 'missing.csv' does not exist"),
        ("./missing", "There is no file or folder './missing'"),
        ("demo/nothing", "Unknown demo data set 'nothing'"),
        ("glue/wnli", "Unknown GLUE task 'wnli'.* Known: cola, mnli, mrpc, qnli, qqp, rte, sst2, stsb"),
    ],
)
def test_unknown_sources(source: str, message: str) -> None:
    with pytest.raises(LecoError, match=message):
        load_data(source)


def test_glue_has_its_own_columns() -> None:
    with pytest.raises(LecoError, match="leave out text_columns"):
        load_data("glue/rte", text_columns=["sentence1"])


def test_an_unreachable_hub_is_one_sentence_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", _refuse)
    monkeypatch.delenv("GLUE_DIR", raising=False)
    start = monotonic()
    for source, remedy in (("nobody/no-such-data", "folder with train"), ("glue/rte", "glue_dir")):
        with pytest.raises(LecoError, match=rf"Hub cannot be reached \(ConnectionError\)\. Give .*{remedy}") as caught:
            load_data(source)
        assert "\n" not in str(caught.value)
    assert monotonic() - start < 10
    assert not datasets.config.HF_HUB_OFFLINE


def _refuse(*args: object, **options: object) -> None:
    raise ConnectionError("no network")


def hub_split(rows: int, labels: Sequence[int] = (0, 1), **texts: str) -> datasets.Dataset:
    features = {name: datasets.Value("string") for name in texts} | {
        "label": datasets.ClassLabel(names=["entailment", "not_entailment"])
    }
    columns = {name: [f"{text} {row}" for row in range(rows)] for name, text in texts.items()}
    columns |= {"label": [labels[row % len(labels)] for row in range(rows)]}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, datasets.Dataset]:
    """The splits that the Hub gives for any name."""
    splits: dict[str, datasets.Dataset] = {}
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *args, **options: None)
    monkeypatch.setattr("datasets.load_dataset", lambda name, config, **_: splits)
    return splits


def test_hub_data(hub: dict[str, datasets.Dataset]) -> None:
    hub |= {"train": hub_split(100, text="a"), "test": hub_split(10, [-1], text="b"), "extra": hub_split(3, text="c")}
    data = load_data("someone/some-data")
    assert (len(data.train), len(data.dev), len(data.test)) == (80, 10, 10)
    assert data.label_names == ("entailment", "not_entailment")
    assert data.train.labels.mean() == 0.5
    del hub["train"]
    with pytest.raises(LecoError, match="has no rows to train on, only test"):
        load_data("someone/some-data")


def test_configurations_of_the_hub(hub: dict[str, datasets.Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    hub |= {"train": hub_split(100, text="a")}

    def load_dataset(name: str, config: str | None, **_: object) -> dict[str, datasets.Dataset]:
        if config is None:
            raise ValueError("Config name is missing.\nPlease pick one among the available configs: ['en', 'fr']")
        assert (name, config) == ("someone/some-data", "fr")
        return hub

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    for source, config in (("someone/some-data:fr", None), ("someone/some-data", "fr")):
        assert len(load_data(source, data_config=config).train) == 80
    with pytest.raises(LecoError, match=r"has several configurations: 'en', 'fr'. Name one with data_config"):
        load_data("someone/some-data")


def test_many_class_labels_of_the_hub(hub: dict[str, datasets.Dataset]) -> None:
    feature = datasets.Sequence(datasets.ClassLabel(names=["joy", "awe"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": feature})
    rows = {"text": ["a"] * 20, "labels": [[0], [0, 1]] * 10}
    hub["train"] = datasets.Dataset.from_dict(rows, features=features)
    data = load_data("someone/some-data")
    assert (data.problem_type, data.label_names) == (MULTI_LABEL, ("joy", "awe"))
    assert data.train.labels.sum(0)[0] == 16


def test_hub_data_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *args, **options: None)
    monkeypatch.setattr("datasets.load_dataset", _refuse)
    with pytest.raises(LecoError, match=r"loading it failed with ConnectionError \(no network\)\. Give a file"):
        load_data("someone/some-data")


def test_glue_from_the_hub(hub: dict[str, datasets.Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLUE_DIR", raising=False)
    hub |= {
        "train": hub_split(20, sentence1="a", sentence2="b"),
        "validation": hub_split(5, sentence1="c", sentence2="d"),
    }
    data = load_data("glue/RTE")
    assert (len(data.train), len(data.dev), len(data.test)) == (20, 2, 3)
    assert data.train.texts[1] == ("a 1", "b 1")
    assert data.train.labels[:3].tolist() == [0, 1, 0]
