"""Each part is read by what is given, by what the model keeps of its training, and by what it is itself."""

import json
import shutil

import fsspec
import pandas as pd
import pytest

from bulk.made import predict, read, write_parts
from leco import LecoError
from leco.settings import SourceOptions

FILM = {"ascii": "a good film", "utf-8": "für a good film", "latin-1": "für a bad film"}
"""A text in each encoding."""
ORDERS = [("ascii", "latin-1"), ("latin-1", "utf-8"), ("utf-8", "latin-1"), ("latin-1", "ascii", "utf-8")]


@pytest.fixture
def trained(fitted, tmp_path):
    """A model whose training data were in Latin-1."""
    folder = shutil.copytree(fitted, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["trained_on"]["source"]["encoding"] = "latin-1"
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def content(encoding, kind="csv"):
    """The bytes of a part with one row."""
    text = FILM[encoding]
    rows = {"csv": f"text\n{text}\n", "tsv": f"id\ttext\n1\t{text}\n", "jsonl": f'{{"text": "{text}"}}\n'}
    return rows[kind].encode(encoding)


def write(folder, encodings, kind="csv"):
    """A folder of a part in each encoding, in this order."""
    folder.mkdir(exist_ok=True)
    for place, encoding in enumerate(encodings):
        (folder / f"{place}-{encoding}.{kind}").write_bytes(content(encoding, kind))
    return folder


def assert_read(output, encodings, kind="csv"):
    for place, encoding in enumerate(encodings):
        assert [*read(output / f"{place}-{encoding}.{kind}")["text"]] == [FILM[encoding]]


def settings(output, **changes):
    """What the output keeps of its job's settings, with changes, where None is none."""
    path = output / "_leco" / "job.json"
    job = json.loads(path.read_text())
    kept = {name: value for name, value in {**job["settings"], **changes}.items() if value is not None}
    path.write_text(json.dumps({**job, "settings": kept}))
    return kept


@pytest.mark.parametrize("encodings", ORDERS, ids=" ".join)
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_the_training_s_encoding_is_that_of_parts_that_are_not_utf8(trained, tmp_path, encodings, kind):
    """As where each is answered alone, whichever comes first."""
    done = predict(trained, write(tmp_path / "in", encodings, kind), tmp_path / "out")
    assert (done.rows, done.failed) == (len(encodings), {})
    assert_read(tmp_path / "out", encodings, kind)


def test_processes_and_addresses_read_them_so_too(trained, tmp_path):
    write(tmp_path / "in", ORDERS[-1])
    assert predict(trained, tmp_path / "in", tmp_path / "out", workers=2).failed == {}
    assert_read(tmp_path / "out", ORDERS[-1])
    memory = fsspec.filesystem("memory")
    for encoding in ("latin-1", "utf-8"):
        memory.pipe(f"memory://encodings/{encoding}.csv", content(encoding))
    assert predict(trained, "memory://encodings", tmp_path / "far").failed == {}
    for encoding in ("latin-1", "utf-8"):
        assert [*read(tmp_path / "far" / f"{encoding}.csv")["text"]] == [FILM[encoding]]


@pytest.mark.parametrize("encodings", ORDERS, ids=" ".join)
def test_a_resumption_does_not_depend_on_the_parts_that_are_left(trained, tmp_path, encodings):
    folder, output = write(tmp_path / "in", encodings), tmp_path / "out"
    predict(trained, folder, output)
    for name in [path.name for path in output.glob("*.csv")]:
        (output / name).unlink()
        assert predict(trained, folder, output).answered == 1
    (folder / f"0-{encodings[0]}.csv").unlink()
    (output / f"1-{encodings[1]}.csv").unlink()
    assert predict(trained, folder, output).answered == 1
    assert_read(output, encodings)


def test_an_encoding_that_is_given_is_that_of_all(trained, tmp_path):
    folder, given = write(tmp_path / "in", ["ascii", "latin-1", "utf-8"]), SourceOptions(encoding="utf-8")
    done = predict(trained, folder, tmp_path / "out", source=given)
    assert [*done.failed] == ["1-latin-1.csv"]
    assert "'1-latin-1.csv', line 2 is not UTF-8 text" in done.failed["1-latin-1.csv"]
    given = SourceOptions(encoding="latin-1")
    assert predict(trained, folder, tmp_path / "all", source=given).failed == {}
    assert [*read(tmp_path / "all" / "2-utf-8.csv")["text"]] == [FILM["utf-8"].encode().decode("latin-1")]
    with pytest.raises(LecoError, match=r"by other settings \(encoding: 'latin-1' there, None now\)\. Give a new"):
        predict(trained, folder, tmp_path / "all")


def test_outputs_of_before_are_gone_on_with_unless_parts_may_be_garbled_there(trained, tmp_path):
    """These named the encoding by which all parts were read, of which the first one decided."""
    folder, output = write(tmp_path / "in", ["ascii", "latin-1"]), tmp_path / "out"
    predict(trained, folder, output)
    (output / "1-latin-1.csv").unlink()  # which could not be read
    assert "encoding" not in settings(output, encoding=None)
    assert predict(trained, folder, output).answered == 1
    settings(output, encoding="latin-1")
    with pytest.raises(LecoError, match=r"by other settings \(encoding: 'latin-1' there, None now\)\. Give a new"):
        predict(trained, folder, output)
    assert predict(trained, folder, output, source=SourceOptions(encoding="latin-1")).answered == 0


def test_outputs_of_parquet_depend_on_no_encoding(trained, tmp_path):
    write_parts(tmp_path / "in", names=["a"])
    predict(trained, tmp_path / "in", tmp_path / "out")
    settings(tmp_path / "out", encoding="latin-1")  # as it was named before
    assert predict(trained, tmp_path / "in", tmp_path / "out").answered == 0
    assert "encoding" not in settings(tmp_path / "out")
    assert len(pd.read_parquet(tmp_path / "out")) == 30
