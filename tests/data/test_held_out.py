"""What is said of a test set whose rows a model was made with, and what is kept apart of a training on it."""

import os
import random
import re

import pandas as pd
import pytest

from leco.data import Labels, load_data, load_held_out, source_for
from leco.data.types import TextData
from leco.settings import SourceOptions
from offline import write_csv

TEXTS = [(f"film {number}", "xy"[number % 2]) for number in range(1000)]
NEW = [(f"book {number}", "xy"[number % 2]) for number in range(40)]


def held_out(source, trained: TextData, **where):
    """The data for a model that is `trained`, and the lines said of them."""
    said: list[str] = []
    labels = Labels((), trained.problem_type, trained.label_names)
    return load_held_out(str(source), labels, trained.provenance, SourceOptions(**where), log=said.append), said


def write_rte(glue, train: int, dev: int):
    """GLUE's RTE in the folder `glue`, with so many rows."""
    for part, number in (("train", train), ("dev", dev)):
        rows = ((row, f"{part} {row}", f"b {row}", ("entailment", "not_entailment")[row % 2]) for row in range(number))
        lines = ["\t".join(map(str, row)) for row in [("index", "sentence1", "sentence2", "label"), *rows]]
        (glue / "RTE").mkdir(exist_ok=True)
        (glue / "RTE" / f"{part}.tsv").write_text("\n".join([*lines, ""]))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The data of a training, from a file."""
    return load_data(write_csv(tmp_path_factory.mktemp("trained") / "films.csv", TEXTS))


def test_a_part_of_the_training_is_known_in_another_order_and_among_other_rows(trained, tmp_path):
    shuffled = random.Random(0).sample(TEXTS, len(TEXTS))
    spaced = [(text.replace(" ", "  "), label) for text, label in TEXTS]
    for rows, share in [(TEXTS + NEW[:10], 0.89), (shuffled, 0.9), (spaced, 0.9), (NEW + TEXTS[:10], 0.2)]:
        path = write_csv(tmp_path / "test.csv", rows)
        data, said = held_out(path, trained)
        assert len(data.test) == len(rows)
        warning = next(line for line in said if line.startswith("warning"))
        told = re.match(rf"warning: '{path}': about (\d+)% ", warning)
        assert told is not None
        assert int(told[1]) / 100 == pytest.approx(share, abs=0.05)
        assert "of its texts are among those on which the model was trained, or its settings chosen" in warning
        assert "Scores on them say little about other texts." in warning


def test_nothing_is_said_of_new_rows_and_of_those_set_aside(trained, tmp_path):
    for rows in (NEW, list(zip(trained.test.texts, ["x"] * 100, strict=True))):
        _, said = held_out(write_csv(tmp_path / "test.csv", rows), trained)
        assert "warning" not in "".join(said)
    data, said = held_out(trained.name, trained)
    assert data.test.texts == trained.test.texts
    assert "warning" not in "".join(said)


def test_a_known_data_set_has_rows_of_a_file_that_was_trained_on(tmp_path):
    write_rte(tmp_path, 200, 60)
    known = load_data("glue/rte", glue_dir=tmp_path)
    names = known.label_names
    table = [(*text, names[label]) for text, label in zip(known.test.texts, known.test.labels, strict=True)]
    trained = load_data(write_csv(tmp_path / "pairs.csv", table * 3, ("question", "answer", "label")))
    _, said = held_out("glue/rte", trained, glue_dir=tmp_path)
    assert "warning: 'glue/rte': about 100% of its texts" in "".join(said)


@pytest.mark.parametrize("name", ["glue/rte", "glue/RTE", "glue/r_te"])
def test_rows_set_aside_for_a_certificate_stay_apart_however_the_name_is_written(tmp_path, name):
    write_rte(tmp_path, 300, 200)
    trained = load_data("glue/RTE", glue_dir=tmp_path, calibration_share=0.4)
    data, said = held_out(name, trained, glue_dir=tmp_path)
    assert data.calibration is not None
    assert trained.calibration is not None
    assert data.calibration.texts == trained.calibration.texts
    assert data.dev.texts == trained.dev.texts
    assert said == []


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_folder_that_is_utf8_needs_no_encoding_of_the_trainings(tmp_path, encoding):
    trained = load_data(write_csv(tmp_path / "films.csv", TEXTS), encoding="latin-1")
    folder = tmp_path / "new"
    folder.mkdir()
    rows = [(f"café {number}", "xy"[number % 2]) for number in range(20)]
    for part in ("dev", "test"):
        lines = "".join(f"{text},{label}\n" for text, label in [("text", "label"), *rows])
        (folder / f"{part}.csv").write_text(lines, encoding=encoding)
    where = source_for(trained.provenance, {}, folder)
    assert where.encoding == (None if encoding == "utf-8" else "latin-1")
    data, _ = held_out(folder, trained, encoding=where.encoding)
    assert data.test.texts == data.dev.texts == [text for text, _ in rows]
    assert source_for(trained.provenance, {}, tmp_path / "films.csv").encoding is None


def test_what_is_no_file_is_not_in_the_encoding_of_the_trainings(tmp_path):
    trained = load_data(write_csv(tmp_path / "films.csv", TEXTS), encoding="latin-1").provenance
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write("für\n".encode("latin-1"))
    with os.fdopen(reader, "rb") as pipe:
        for source in ("-", f"/dev/fd/{reader}", "someone/films", pd.DataFrame({"text": ["a"]})):
            assert source_for(trained, {}, source).encoding is None
            assert source_for(trained, {"encoding": "cp1252"}, source).encoding == "cp1252"
        assert pipe.read() == "für\n".encode("latin-1"), "what can be read but once is still there"
