"""Data in a program's memory, and those that `datasets` saved."""

from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest

from leco.data import load_data
from leco.errors import LecoError
from leco.problems import MULTI_LABEL

COLUMNS = {"text": [f"a text of {row}" for row in range(100)], "label": ["good", "bad"] * 50}
FEATURES = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["good", "bad"])})


def dataset(rows: int = 100) -> datasets.Dataset:
    columns = {"text": COLUMNS["text"][:rows], "label": [0, 1] * (rows // 2)}
    return datasets.Dataset.from_dict(columns, features=FEATURES)


def csv_file(folder: Path) -> Path:
    pd.DataFrame(COLUMNS).to_csv(folder / "x.csv", index=False)
    return folder / "x.csv"


def test_a_frame_is_what_its_file_is_whatever_its_index(tmp_path: Path) -> None:
    expected = load_data(csv_file(tmp_path))
    frame = pd.DataFrame(COLUMNS, index=range(100, 0, -1))
    for source in (frame, {"train": frame}, frame.astype({"label": "category"}), frame.convert_dtypes()):
        data = load_data(source)
        assert data.test.texts == expected.test.texts
        assert data.hashes == expected.hashes
    assert load_data(frame).name == "<DataFrame>"


@pytest.mark.parametrize("names", [["text", "label"], ["text"]])
def test_a_frame_with_all_in_its_index_is_told_so(names: list[str]) -> None:
    frame = pd.DataFrame({name: COLUMNS[name] for name in names}).set_index(names)
    with pytest.raises(LecoError, match=rf"no columns, only an index \({', '.join(names)}\).* reset_index\(\)"):
        load_data(frame)
    with pytest.raises(LecoError, match=r"no columns, only an index\. "):
        load_data(pd.DataFrame(index=range(3)))
    with pytest.raises(LecoError, match="has no rows"):
        load_data(pd.DataFrame({"text": [], "label": []}))


def test_labels_of_bytes_are_refused() -> None:
    with pytest.raises(LecoError, match=r"row 1, column 'label': b'good' is neither a name nor a number"):
        load_data(pd.DataFrame({**COLUMNS, "label": [b"good", b"bad"] * 50}))


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_a_missing_label_of_a_frame_is_named(missing: object) -> None:
    frame = pd.DataFrame(COLUMNS).astype(object)
    frame.loc[3, "label"] = missing
    with pytest.raises(LecoError, match="'<DataFrame>', row 4, column 'label': the label is missing"):
        load_data(frame)


@pytest.mark.parametrize("column", ["text", "label"])
def test_half_a_character_of_a_frame_is_named(column: str) -> None:
    frame = pd.DataFrame(COLUMNS).astype(object)
    frame.loc[3, column] = "x\ud800"
    message = f"'<DataFrame>', row 4.* column '{column}'.* has half a character .* at place 2"
    with pytest.raises(LecoError, match=message):
        load_data(frame)


def test_flags_of_a_frame_are_many_labels() -> None:
    flags = [np.array([1, 0, 1]), np.array([0, 0, 1])] * 20
    data = load_data(pd.DataFrame({"text": ["a"] * 40, "label": flags}))
    assert (data.problem_type, data.num_outputs) == (MULTI_LABEL, 3)
    frame = pd.DataFrame({"text": ["a"] * 40, "x": [1.0, 0.0] * 20, "y": [True, False] * 20})
    assert load_data(frame, label_column=["x", "y"]).label_names == ("x", "y")


def test_a_dataset_and_several_of_them() -> None:
    data = load_data(dataset())
    assert (len(data.train), data.label_names) == (80, ("good", "bad"))
    several = datasets.DatasetDict({"train": dataset(60), "validation": dataset(20), "test": dataset(10)})
    for source in (several, dict(several), {"Train": dataset(60), "dev": dataset(20), "test": dataset(10)}):
        data = load_data(source)
        assert (len(data.train), len(data.dev), len(data.test)) == (60, 20, 10)


def test_folders_that_datasets_saved(tmp_path: Path) -> None:
    several = datasets.DatasetDict({"train": dataset(60), "validation": dataset(20), "test": dataset(10)})
    several.save_to_disk(tmp_path / "several")
    dataset().save_to_disk(tmp_path / "one")
    data = load_data(tmp_path / "several")
    assert (len(data.train), len(data.dev), len(data.test)) == (60, 20, 10)
    assert load_data(str(tmp_path / "one")).test.texts == load_data(dataset()).test.texts
    (tmp_path / "one" / "dataset_info.json").write_text("no")
    with pytest.raises(LecoError, match=r"The data set in '.*one' cannot be read"):
        load_data(tmp_path / "one")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (7, "Data may be a name, a path, a DataFrame.*, not 7"),
        ([1, 2], "not \\[1, 2\\]"),
        (None, "not None"),
        ({}, "<dict> has no tables"),
        ({"train": 3}, "not 3"),
        ({"some": pd.DataFrame(COLUMNS)}, "has none of the splits train, validation and test: some"),
        ({"test": pd.DataFrame(COLUMNS)}, "has no rows to train on, only test"),
        (pd.DataFrame(), "has no rows"),
        (pd.DataFrame([["a", "b"]] * 20, columns=["text", "text"]), "two columns named 'text'"),
        ("<DataFrame>", "were in a program's memory. Give data"),
        ("reviews\udcff.csv", r"The name 'reviews\\udcff.csv' is not UTF-8. Rename what it names"),
    ],
)
def test_what_is_no_data(source: object, message: str) -> None:
    with pytest.raises(LecoError, match=message):
        load_data(source)


def test_names_of_labels_are_read_as_labels_are() -> None:
    features = datasets.Features({**FEATURES, "label": datasets.ClassLabel(names=["good ", " bad"])})
    data = load_data(datasets.Dataset.from_dict({"text": COLUMNS["text"], "label": [0, 1] * 50}, features=features))
    assert list(data.output_names) == ["good", "bad"]


def test_what_is_no_part_is_said_and_two_of_a_part_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame(COLUMNS)
    load_data({"train": frame, "heldout": frame})
    assert "warning: '<dict>': heldout not used. Parts are called train or training; dev or" in capsys.readouterr().err
    for name in ("train", "validate", "test_set"):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    load_data(tmp_path)
    assert f"warning: '{tmp_path}': test_set.csv, validate.csv not used." in capsys.readouterr().err
    with pytest.raises(LecoError, match="more than one dev split: val, Validation"):
        load_data({"train": frame, "val": frame, "Validation": frame})
