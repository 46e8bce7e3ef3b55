"""The commands that are printed as what can be done next do it when they are pasted, whatever the names are."""

import io
import json
import shlex
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from leco.cli.next_commands import command_line, predict_line
from leco.display import quoted
from offline import rows, write_csv

DATA, MODEL, TEXT, LABEL = """-it's "my".csv""", "-my model's", "a text's", "-la bel"
FAST = ["--exits", "linear", "--epochs", 1, "--repeats", 1, "--timed-texts", 1, "--batch-size", 16]
COLUMNS = ["--text-column", TEXT, f"--label-column={LABEL}"]


@pytest.fixture
def folder(tmp_path, encoder_folder, monkeypatch):
    """A folder to be in, with an encoder and a table that has names as people give them."""
    shutil.copytree(encoder_folder, tmp_path / "an encoder")
    table = [(text, label, f"{label} {row}") for row, (text, label) in enumerate(rows(80))]
    write_csv(tmp_path / DATA, table, (TEXT, LABEL, "text"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def paste(leco, monkeypatch):
    """Runs the commands in what a command printed, as a shell does; gives what each printed, by the command's name."""

    def run(result):
        assert result.code == 0, result.err
        lines = [line for line in result.out.splitlines() if line.startswith("  ") and "leco " in line]
        assert lines
        done = {}
        for line in lines:
            before, _, ours = line.rpartition(" | ")
            text = f"{shlex.split(before)[1]}\n" if before else ""
            stdin = SimpleNamespace(buffer=io.BytesIO(text.encode()), isatty=lambda: False)
            monkeypatch.setattr("sys.stdin", stdin)
            name, command, *words = shlex.split(ours)
            assert name == "leco"
            done[command] = leco(command, *words)
            assert done[command].code == 0, (line, done[command].err)
        return done

    return run


def test_after_fit_and_evaluate_and_report(leco, folder, paste):
    fit = ["fit", "--model", "an encoder", f"--data={DATA}", f"--output={MODEL}", *COLUMNS, *FAST]
    done = paste(leco(*fit))
    assert set(done) == {"predict", "evaluate"}
    assert json.loads(done["predict"].out)["label"] in ("positive", "negative")
    shown = paste(done["evaluate"])
    assert set(shown) == {"predict", "report"}
    assert (folder / MODEL / "report.html").is_file()
    (folder / MODEL / "evaluation.json").unlink()
    (folder / MODEL / "results.json").unlink()
    bare = leco("report", f"./{MODEL}", f"--output={MODEL}.html")
    assert "Not on it" in bare.out
    again = paste(bare)
    assert "Not on it" not in again["report"].out
    assert "--time-curves" in again["report"].out
    paste(again["report"])


def test_after_search_and_train_and_export(leco, folder, paste):
    search = ["--model", "an encoder", f"--data={DATA}", "--search-epochs", 2, "--batch-size", 16, "--seed", 3]
    found = leco("search", *search, f"--output={MODEL}", *COLUMNS, "--no-bf16", "--preset", "sampling")
    trained = paste(found)
    settings = json.loads((folder / "NEW_FOLDER" / "run.json").read_text())["settings"]
    assert (settings["seed"], settings["batch_size"]) == (3, 16)
    assert set(paste(trained["train"])) == {"evaluate"}
    exported = leco("export", "NEW_FOLDER", f"--output={MODEL}.onnx", "--int8", f"--data={DATA}", *COLUMNS)
    done = paste(exported)
    assert set(done) == {"predict", "bench"}
    assert set(paste(leco("evaluate", f"./{MODEL}.onnx", f"--data={DATA}", *FAST[4:8]))) == {"predict", "bench"}


def test_a_model_of_pairs_is_shown_a_pair(leco, encoder_folder, tmp_path, paste, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_csv(
        tmp_path / "x.csv", [(text, "it's", label) for text, label in rows(60)], ("the question", "it's", "label")
    )
    columns = ["--text-column", "the question", "--text-column", "it's"]
    fitted = leco("fit", "--model", encoder_folder, "--data", "x.csv", "--output", "out", *columns, *FAST)
    done = paste(fitted)
    assert json.loads(done["predict"].out)["label"] in ("positive", "negative")


@pytest.mark.parametrize(
    "word",
    [
        "plain",
        "a b",
        "it's",
        'a "b"',
        "$HOME `ls` !x",
        "a\nb",
        "tab\there",
        "é中",
        "back\\slash\n'",
        "",
        "-x",
        "\x1b[31m",
    ],
    ids=ascii,
)
def test_a_shell_takes_a_word_as_it_is(word):
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("no bash")
    done = subprocess.run([shell, "-c", f"printf %s {quoted(word)}"], capture_output=True, check=True)
    assert done.stdout.decode() == word


def test_flags_and_files():
    assert command_line("report", "-a", data="-b", glue_dir=None) == "leco report ./-a --data=-b"
    assert predict_line("a b", ["x"]) == "echo 'a text of yours' | leco predict 'a b'"
    assert '"it\'"\'"\'s"' in predict_line("a", ["it's", "y"])
