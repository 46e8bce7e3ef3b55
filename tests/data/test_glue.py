"""GLUE: Table 1's counts on the real files, and every task's layout on small ones."""

from pathlib import Path

import numpy as np
import pytest

from leco.data import GLUE_TASKS, load_data
from leco.errors import LecoError


@pytest.mark.parametrize(
    ("task", "counts", "labels"),
    [
        ("rte", (2490, 138, 139), ("entailment", "not_entailment")),
        ("MRPC", (3668, 204, 204), ("not_equivalent", "equivalent")),
        ("CoLA", (8551, 521, 522), ("unacceptable", "acceptable")),
        ("SST-2", (66349, 1000, 872), ("negative", "positive")),
    ],
)
def test_counts_of_table_1(glue_dir: Path, task: str, counts: tuple[int, ...], labels: tuple[str, ...]) -> None:
    if not (glue_dir / GLUE_TASKS[task.lower().replace("-", "")].folder).is_dir():
        pytest.skip(f"{task} is not in the GLUE folder")
    data = load_data(f"glue/{task}", glue_dir=glue_dir)
    assert (len(data.train), len(data.dev), len(data.test)) == counts
    assert data.label_names == labels
    assert set(data.train.labels) == {0, 1}
    again = load_data(f"glue/{task}", glue_dir=glue_dir)
    other = load_data(f"glue/{task}", glue_dir=glue_dir, split_seed=1)
    assert data.dev.texts == again.dev.texts != other.dev.texts


HEADERS = {
    "qnli": "index\tquestion\tsentence\tlabel",
    "qqp": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
    "mnli": "index\tpromptID\tpairID\tgenre\tsentence1\tsentence2\tlabel1\tgold_label",
    "stsb": "index\tgenre\tsentence1\tsentence2\tscore",
}


def write_task(glue: Path, name: str, rows: int, dev_rows: int) -> None:
    task = GLUE_TASKS[name]
    (glue / task.folder).mkdir()
    header = HEADERS[name]
    for part, count in (("train", rows), *((part, dev_rows + index) for index, part in enumerate(task.dev_files))):
        fields = header.count("\t") - 2
        codes = task.codes or ("0.500", "3.800", "5.000")
        lines = ["\t".join([*["x"] * fields, f'a "{row}', f"b {row}"]) for row in range(count)]
        if name == "mnli":
            lines = ["\t".join([*["x"] * 4, f'a "{row}', f"b {row}", "x"]) for row in range(count)]
        lines = [f"{line}\t{codes[row % len(codes)]}" for row, line in enumerate(lines)]
        (glue / task.folder / f"{part}.tsv").write_text(
            "\n".join([header, *lines, "cut\toff", "", ""]), encoding="utf-8"
        )


@pytest.mark.parametrize(
    ("name", "counts", "metric"),
    [
        ("qnli", (30, 1000, 9), "accuracy"),
        ("qqp", (30, 1000, 9), "accuracy_f1"),
        ("mnli", (30, 1000, 19), "accuracy"),
        ("stsb", (1030, 4, 5), "pearson_spearman"),
    ],
)
def test_layouts(tmp_path: Path, name: str, counts: tuple[int, ...], metric: str) -> None:
    write_task(tmp_path, name, 1030, 9)
    data = load_data(f"glue/{name}", glue_dir=tmp_path)
    assert (len(data.train), len(data.dev), len(data.test)) == counts
    first, second = data.train.texts[0]
    assert first.replace('a "', "b ") == second
    assert (data.metric, data.pair, data.num_outputs) == (metric, True, max(1, len(GLUE_TASKS[name].label_names)))
    if name == "mnli":
        assert data.test.groups is not None
        assert np.bincount(data.test.groups).tolist() == [9, 10]
    else:
        assert data.test.groups is None


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_task(tmp_path, "stsb", 10, 10)
    monkeypatch.setenv("GLUE_DIR", str(tmp_path))
    data = load_data("glue/STS-B")
    assert data.train.labels.dtype == np.float32
    assert data.train.labels[1] == pytest.approx(3.8)


def test_errors_name_the_file_and_the_line(tmp_path: Path) -> None:
    with pytest.raises(LecoError, match=r"has no 'QNLI/train.tsv'. Give the folder .* glue_dir"):
        load_data("glue/qnli", glue_dir=tmp_path)
    write_task(tmp_path, "qnli", 20, 5)
    with pytest.raises(LecoError, match="20 rows are too few"):
        load_data("glue/qnli", glue_dir=tmp_path)
    path = tmp_path / "QNLI" / "train.tsv"
    path.write_text(f"{HEADERS['qnli']}\n0\ta\tb\tentailment\n\n1\ta\tb\tmaybe\n", encoding="utf-8")
    with pytest.raises(LecoError, match=r"'QNLI/train.tsv', line 4: the label 'maybe' is none of entailment, not_ent"):
        load_data("glue/qnli", glue_dir=tmp_path)
    path.write_text("0\ta\tb\tentailment\n1\ta\tb\tentailment\n", encoding="utf-8")
    with pytest.raises(LecoError, match=r"'QNLI/train.tsv' has no column 'question'"):
        load_data("glue/qnli", glue_dir=tmp_path)


@pytest.mark.parametrize("label", ["nan", "inf", "1e39"])
def test_labels_of_a_regression_are_finite(tmp_path: Path, label: str) -> None:
    write_task(tmp_path, "stsb", 20, 5)
    path = tmp_path / "STS-B" / "train.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("3.800", label, 1), encoding="utf-8")
    with pytest.raises(LecoError, match=rf"'STS-B/train.tsv', line 3: the label '{label}' is none of numbers"):
        load_data("glue/stsb", glue_dir=tmp_path)
