"""Splits of which scores mean little or nothing."""

from pathlib import Path

import pytest

from leco.data import TextData, check_dev, check_test, load_data, with_metric
from leco.errors import LecoError


def data_of(path: Path, labels: list[object], metric: str | None = None) -> TextData:
    path.write_text("text,label\n" + "".join(f"a text of {row},{label}\n" for row, label in enumerate(labels)))
    return with_metric(load_data(path, log=str), metric)


def test_few_rows_and_absent_labels_are_said(tmp_path: Path) -> None:
    lines: list[str] = []
    check_dev(data_of(tmp_path / "x.csv", ["a"] * 18 + ["b"] * 19 + ["c"] * 3), lines.append)
    assert lines[0] == "warning: the dev split has 4 rows, on which scores mean little. Give 100 or more."
    assert any("has no row of c, so that its scores leave them out" in line for line in lines)
    lines.clear()
    check_dev(data_of(tmp_path / "x.csv", ["a", "b"] * 100), lines.append)
    assert not lines


@pytest.mark.parametrize("rows", [10, 15, 19])
def test_a_score_of_values_needs_two_rows(tmp_path: Path, rows: int) -> None:
    with pytest.raises(LecoError, match="r2 says nothing on the dev split of 1 row where right answers"):
        check_dev(data_of(tmp_path / "x.csv", [row + 0.5 for row in range(rows)]), str)
    check_dev(data_of(tmp_path / "x.csv", [row + 0.5 for row in range(20)]), str)


def test_a_metric_needs_two_labels(tmp_path: Path) -> None:
    with pytest.raises(LecoError, match="matthews says nothing on the dev split of 1 row"):
        check_dev(data_of(tmp_path / "x.csv", ["a", "b"] * 6, "matthews"), str)
    check_dev(data_of(tmp_path / "x.csv", ["a", "b"] * 6, "accuracy"), str)


def test_a_test_set_of_which_the_score_means_nothing_is_said(tmp_path: Path) -> None:
    data = data_of(tmp_path / "x.csv", ["a", "b"] * 50, "matthews")
    lines: list[str] = []
    check_test(data, lines.append)
    assert not lines
    same = TextData(**{**vars(data), "test": data.test.take([row for row in range(10) if not data.test.labels[row]])})
    check_test(same, lines.append)
    assert lines[0].startswith("warning: matthews says nothing on the test set of 5 rows, all alike, where")
