"""A job goes on where it was stopped, and only where it is the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pandas as pd
import psutil
import pytest

from bulk.made import WRITE, assert_answered, frame, names_in, predict, read, write_parts
from leco import LecoError
from leco.bulk.answerer import Answerer
from leco.bulk.local import PROCESS
from leco.bulk.output import Output
from leco.bulk.parts import HIDDEN
from leco.files import TEMPORARY
from leco.fingerprint import content_files, fingerprint
from leco.settings import SourceOptions
from waiting import until

MANY = 3000
"""Rows of a part on which a process works long enough to be killed."""


def times(folder):
    """When each part was written."""
    return {name: (folder / name).stat().st_mtime_ns for name in names_in(folder)}


def begun(output):
    """The files that are being written."""
    return [path for path in output.rglob(f"{TEMPORARY}*") if path.suffix == ".parquet"]


@pytest.fixture
def folder(tmp_path):
    """A folder of four parts."""
    return write_parts(tmp_path / "in")


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out"


def test_what_is_missing_is_answered_and_nothing_else(fitted, folder, output):
    predict(fitted, folder, output)
    before = times(output)
    gone, unnoted = sorted(before)[:2]
    (output / gone).unlink()
    (output / "_leco" / "parts" / f"{unnoted}.json").unlink()  # as if it was killed between the two
    write_parts(folder, names=["later"])
    done = predict(fitted, folder, output)
    after = times(output)
    assert (done.parts, done.rows, done.answered) == (5, 150, 90)
    assert {name for name in before if before[name] == after[name]} == {*before} - {gone, unnoted}
    assert_answered(output, folder, fitted)


def test_a_part_that_changed_is_answered_again(leco, fitted, folder, output):
    predict(fitted, folder, output)
    before = times(output)
    frame(7).to_parquet(folder / "part-0.parquet")
    (folder / "y=2024" / "part-0.parquet").unlink()
    result = leco("predict", fitted, folder, "--output", output, "--workers", 1)
    assert "Changed since they were answered, and answered again: part-0.parquet." in result.err
    assert "No longer among the inputs, though their answers are there: y=2024/part-0.parquet." in result.err
    after = times(output)
    assert {name for name in before if before[name] != after[name]} == {"part-0.parquet"}
    assert len(pd.read_parquet(output / "part-0.parquet")) == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"criterion": "static:layer=1"}, r"by other settings \(criterion: 'cobee:.*' there, 'static:layer=1' now\)"),
        ({"scores": "all"}, r"by other settings \(scores: 'label' there, 'all' now\)"),
        ({"empty": "answer"}, r"by other settings \(empty: 'null' there, 'answer' now\)"),
    ],
)
def test_parts_by_other_settings_are_refused(fitted, folder, output, changes, message):
    predict(fitted, folder, output)
    before = times(output)
    (output / "part-0.parquet").unlink()
    with pytest.raises(LecoError, match=f"output '.*out' has parts {message}. Give a new folder"):
        predict(fitted, folder, output, **changes)
    assert before.keys() - times(output).keys() == {"part-0.parquet"}
    assert predict(fitted, folder, output, batch_size=1).answered == 30, "no answer depends on these"


def test_a_model_is_known_by_its_content(fitted, folder, output, tmp_path):
    predict(fitted, folder, output)
    same, other = tmp_path / "same", tmp_path / "other"
    shutil.copytree(fitted, same)
    (same / "README.md").write_text("moved")
    assert predict(same, folder, output).answered == 0
    shutil.copytree(fitted, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "id2label": {"0": "bad", "1": "good"}}))
    with pytest.raises(LecoError, match="has parts of another model"):
        predict(other, folder, output)


SHARD = "model-00002-of-00002.safetensors"


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "vocab.txt", "bpe.codes", SHARD, "model.safetensors.index.json", "pytorch_model.bin"]
)
def test_a_model_s_content_is_its_weights_whole_or_in_shards_and_its_tokenizer(fitted, tmp_path, name):
    folder = shutil.copytree(fitted, tmp_path / "model")
    before = fingerprint(folder)
    with (folder / name).open("a") as file:
        file.write(" ")
    assert folder / name in content_files(folder)
    assert fingerprint(folder) != before


@pytest.mark.parametrize("where", ["foreign", "file", "the texts"])
def test_what_is_no_folder_for_it(fitted, folder, output, where):
    output.mkdir()
    (output / "mine.txt").touch()
    target = {"foreign": output, "file": output / "mine.txt", "the texts": folder}[where]
    before = {*folder.parent.rglob("*")}
    with pytest.raises(LecoError, match=r"holds something else|is a file|has the texts|is the folder of the texts"):
        predict(fitted, folder, target)
    assert before == {*folder.parent.rglob("*")}


def test_columns_that_change_are_refused_before_anything_is_answered(fitted, folder, output):
    frame().assign(id="x").to_parquet(folder / "z.parquet", index=False)
    with pytest.raises(LecoError, match=r"column 1 is 'id' int64 in 'b/a.*parquet' and 'id' .*string in 'z.parquet'"):
        predict(fitted, folder, output)
    assert not names_in(output)
    (folder / "z.parquet").unlink()
    predict(fitted, folder, output)
    frame().drop(columns="text").to_parquet(folder / "z.parquet", index=False)
    with pytest.raises(LecoError, match=r"column 2 is 'text' .*string in 'b/a.*parquet' and none in 'z.parquet'"):
        predict(fitted, folder, output)


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "tsv"])
@pytest.mark.parametrize("first", ["rows", "none"])
def test_columns_that_change_in_a_part_without_rows_are_refused_too(fitted, tmp_path, output, kind, first):
    table = frame().astype({"text": "str"})
    parts = [table, table.assign(other=1)[:0][["text", "other", "id"]]]
    (tmp_path / "in").mkdir()
    for name, part in zip(("a", "b"), parts if first == "rows" else parts[::-1], strict=True):
        WRITE[kind](part, tmp_path / "in" / f"{name}.{kind}")
    columns = ("id", "text") if first == "rows" else ("text", "id")
    message = rf"column 1 is '{columns[0]}'.* in 'a\.{kind}' and '{columns[1]}'.* in 'b\.{kind}'\. Give parts of one"
    with pytest.raises(LecoError, match=message):
        predict(fitted, tmp_path / "in", output)
    assert not names_in(output)


def test_what_lines_of_json_say_later(fitted, tmp_path, output):
    """A name that the answers need comes late: known only there."""
    write_parts(tmp_path / "in", "jsonl", ["a", "b"])
    with (tmp_path / "in" / "b.jsonl").open("a") as file:
        file.write('{"text": "good", "label": 1}\n')
    done = predict(fitted, tmp_path / "in", output)
    assert done.parts == 1
    assert (
        "'b.jsonl' has rows with 'label', where the answers go since 'a.jsonl' has no such column"
        in done.failed["b.jsonl"]
    )
    assert names_in(output) == ["a.jsonl"]


@pytest.fixture
def asking(fitted, tmp_path):
    """A model that does not say in which columns its texts were."""
    model = shutil.copytree(fitted, tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    del config["trained_on"]["source"]["text_columns"]
    (model / "config.json").write_text(json.dumps(config))
    return model


def write_empty(folder, kind, name="a"):
    """A part with the columns of `frame` and `label`, as far as its kind says them, and no rows."""
    folder.mkdir(exist_ok=True)
    columns = {"id": pd.Series(dtype="int64"), "text": pd.Series(dtype="str"), "label": pd.Series(dtype="str")}
    WRITE[kind](pd.DataFrame(columns), folder / f"{name}.{kind}")


def write_rows(folder, kind, name):
    """A part with these columns and rows."""
    WRITE[kind](frame().assign(label="x").astype({"text": "str", "label": "str"}), folder / f"{name}.{kind}")


@pytest.mark.parametrize("source", [None, SourceOptions(text_columns=("text",))], ids=["guessed", "given"])
@pytest.mark.parametrize(("kind", "workers"), [("parquet", 1), ("csv", 1), ("csv", 2), ("jsonl", 1), ("csv.gz", 1)])
def test_rows_come_when_no_part_had_any(asking, tmp_path, output, kind, workers, source):
    """Only then are the columns known, those of the parts that are answered already included."""
    folder = tmp_path / "in"
    write_empty(folder, kind)
    for _ in range(2):
        done = predict(asking, folder, output, source=source)
        assert (done.parts, done.rows, done.failed) == (1, 0, {})
    for name in ("b", "c"):
        write_rows(folder, kind, name)
        write_empty(folder, kind, f"no {name}")
    done = predict(asking, folder, output, source=source, workers=workers)
    assert (done.parts, done.rows, done.answered, done.failed) == (5, 60, 60, {})
    assert (done.without_text, done.renamed) == (4, {"label": "predicted_label"})
    assert read(output / f"b.{kind}")["predicted_label"].notna().sum() == 28
    assert {tuple(read(output / f"{name}.{kind}")) for name in ("b", "c")} == {
        ("id", "text", "label", "predicted_label", "score", "exit_layer", "truncated", "reason")
    }
    if kind != "jsonl":
        assert list(read(output / f"a.{kind}")) == list(read(output / f"b.{kind}"))
    before = times(output)
    assert predict(asking, folder, output, source=source).answered == 0
    assert before == times(output)


def test_columns_that_are_known_late_are_those_of_later_parts(asking, tmp_path, output):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").touch()
    predict(asking, folder, output)
    write_rows(folder, "csv", "b")
    predict(asking, folder, output)
    pd.DataFrame({"text": ["good"]}).to_csv(folder / "c.csv", index=False)
    with pytest.raises(LecoError, match=r"column 1 is 'id' in 'b\.csv' and 'text' in 'c\.csv'"):
        predict(asking, folder, output)
    (folder / "c.csv").unlink()
    with pytest.raises(LecoError, match=r"by other settings \(text_columns: \['text'\] there, \['label'\] now\)"):
        predict(asking, folder, output, source=SourceOptions(text_columns=("label",)))


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_rows_that_come_while_the_job_runs(asking, tmp_path, output, kind, monkeypatch):
    """No part had any when it began: nothing is known of them, and the next call answers them."""
    folder = tmp_path / "in"
    write_empty(folder, kind)

    class Late(Answerer):
        def answer(self, part, on_rows):
            write_rows(folder, kind, "a")
            return super().answer(part, on_rows)

    with monkeypatch.context() as patched:
        patched.setattr("leco.bulk.local.Answerer", Late)
        done = predict(asking, folder, output)
    problem = f"'a.{kind}' has rows, and no part had any when the job began. Repeat the command."
    assert (done.parts, done.failed) == (0, {f"a.{kind}": problem})
    assert predict(asking, folder, output).rows == 30


@pytest.mark.parametrize("workers", [1, 2])
def test_a_part_that_is_broken_is_named_and_the_others_are_answered(leco, fitted, folder, output, workers):
    (folder / "broken.parquet").write_bytes(b"PAR1 no PAR1")
    whole = (folder / "part-0.parquet").read_bytes()
    middle = len(whole) // 3
    (folder / "damaged.parquet").write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])
    result = leco("predict", fitted, folder, "--output", output, "--workers", workers, "--json")
    assert (result.code, sorted(json.loads(result.out)["failed"])) == (1, ["broken.parquet", "damaged.parquet"])
    for name in ("broken", "damaged"):
        assert f"Not answered: {name}.parquet: '{name}.parquet' is not a Parquet file that can be read" in result.err
        (folder / f"{name}.parquet").unlink()
    assert not begun(output)
    assert_answered(output, folder, fitted)
    assert leco("predict", fitted, folder, "--output", output).code == 0


def test_two_jobs_at_once(fitted, folder, output):
    """The second is told who is there, and does no harm."""
    with Output(str(output)).held(), pytest.raises(LecoError, match=rf"is being written to by process {os.getpid()}"):
        predict(fitted, folder, output)
    assert not names_in(output)


def test_a_job_that_is_killed_goes_on(fitted, folder, output):
    write_parts(folder, names=["long-1", "long-2"], number=MANY)
    command = [sys.executable, "-m", "leco", "predict", fitted, folder, "--output", output, "--workers", "2"]
    job = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until(lambda: begun(output) and names_in(output), seconds=120, pause=0.01)
    children = psutil.Process(job.pid).children()
    job.kill()
    job.wait()
    assert not psutil.wait_procs(children, timeout=30)[1], "its processes end with it"
    before = times(output)
    done = predict(fitted, folder, output)
    assert before.items() <= times(output).items()
    assert (done.rows, begun(output)) == (2 * MANY + 120, [])
    assert_answered(output, folder, fitted)


def test_a_process_that_is_killed_costs_no_row(fitted, folder, output):
    write_parts(folder, names=["long-1", "long-2"], number=MANY)
    command = [sys.executable, "-m", "leco", "predict", fitted, folder, "--output", output, "--workers", "2", "--json"]
    job = subprocess.Popen(command, stdout=subprocess.PIPE)
    until(lambda: begun(output), seconds=120, pause=0.01)
    victims = [child for child in psutil.Process(job.pid).children() if PROCESS in child.cmdline()]
    assert len(victims) == 2
    victims[0].send_signal(signal.SIGKILL)
    out, _ = job.communicate(timeout=240)
    assert job.returncode == 0
    assert json.loads(out)["answered"] == 2 * MANY + 120
    assert not begun(output)
    assert_answered(output, folder, fitted)


def test_a_part_that_ends_each_process_is_given_up(fitted, folder, output, monkeypatch):
    """The others are answered, and no row of its counts."""
    shown = []

    @contextmanager
    def bar(*given, **options):
        yield shown.append

    write_parts(folder, names=["deadly"])
    monkeypatch.setattr("leco.bulk.local.PROCESS", "bulk.deadly_process")
    monkeypatch.setattr("leco.bulk.run.progress_bar", bar)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    done = predict(fitted, folder, output, workers=2)
    assert (done.rows, [*done.failed]) == (120, ["deadly.parquet"])
    assert done.failed["deadly.parquet"].startswith("The process that answers it has ended 3 times")
    assert sum(shown) == 7 * 4


def test_processes_that_never_load(fitted, folder, output, monkeypatch):
    """As where there is too little memory for several models."""
    monkeypatch.setattr("leco.bulk.local.PROCESS", "leco.bulk.no_such_process")
    with pytest.raises(LecoError, match=r"end while they load the model, perhaps for want of memory\. Give fewer"):
        predict(fitted, folder, output, workers=2)
    assert not names_in(output)


def test_a_full_disk_ends_the_job(leco, fitted, folder, output):
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2500, limit[1]))
    try:
        result = leco("predict", fitted, folder, "--output", output, "--workers", 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert (result.code, result.out) == (2, "")
    assert "cannot be written to (File too large). Make room there and repeat the command" in result.err
    assert not names_in(output)
    assert predict(fitted, folder, output).answered == 120


def test_hidden_names_are_those_that_readers_pass_over(fitted, folder, output):
    predict(fitted, folder, output)
    assert len(pd.read_parquet(output)) == 120
    given = {path.name for path in folder.iterdir()}
    assert all(path.name.startswith(HIDDEN) for path in output.iterdir() if path.name not in given)
