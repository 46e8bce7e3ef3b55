"""Standard input and output as others leave them: slow, closed, full, or of another encoding; in real processes."""

import json
import os
import subprocess
import sys

import pytest

from offline import rows, write_csv

LECO = [sys.executable, "-c", "from leco.cli import main; main()"]


def shell(command, *arguments, **settings):
    """A shell's command in which `leco` is this one."""
    words = ["sh", "-c", command.replace("leco", '"$0" -c "from leco.cli import main; main()"'), sys.executable]
    return subprocess.run([*words, *arguments], capture_output=True, check=False, timeout=120, **settings)


def test_answers_come_line_by_line(fitted):
    """Whoever writes a line and waits for its answer has it before the next."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*LECO, "predict", str(fitted)], bufsize=0, **pipes) as process:
        answers = os.fdopen(os.dup(process.stdout.fileno()))
        for text in ("it is good", "", "it is bad", "a film"):
            process.stdin.write(f"{text}\n".encode())
            assert json.loads(answers.readline())["label"] in (("positive", "negative") if text else (None,))
        process.stdin.write(b"no end of line")
        process.stdin.close()
        assert json.loads(answers.readline())["label"]
        assert not answers.read()
        assert process.wait() == 0


def test_objects_are_answered_line_by_line(fitted):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*LECO, "predict", str(fitted), "-", "--format", "jsonl"], bufsize=0, **pipes) as process:
        answers = os.fdopen(os.dup(process.stdout.fileno()))
        for text in ("it is good", None, "it is bad"):
            process.stdin.write(json.dumps({"text": text, "id": 7}).encode() + b"\n")
            assert bool(json.loads(answers.readline())["label"]) == bool(text)
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ('leco predict "$1" <&-', "'standard input' has no texts"),
        ('echo a | leco predict "$1" >&-', "Standard output is closed"),
        ('echo a | leco predict "$1" >/dev/full', "Standard output cannot be written to (No space left on device)"),
        ("leco predict nowhere >&- <&-", "Standard output is closed"),
        ("leco --help >&-", "Standard output is closed"),
        ("leco --version >/dev/full", "Standard output cannot be written to"),
        ('leco predict "$1" 0>/dev/null', "'standard input' cannot be read"),
        ("leco predict nowhere <&- >&- 2>&-", ""),
    ],
)
def test_streams_that_are_of_no_use(fitted, command, message):
    done = shell(command, str(fitted))
    assert (done.returncode, done.stdout) == (2, b""), done.stderr.decode()
    assert message in done.stderr.decode()
    assert len(done.stderr.splitlines()) == bool(message)


def test_an_input_in_the_encoding_of_the_console(fitted):
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = shell("printf 'it is good \\351\nit is bad\n' | leco predict \"$1\"", str(fitted), env=environment)
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["positive", "negative"]


def test_what_was_right_is_answered_before_what_is_wrong(fitted):
    done = shell("printf 'a\\n\\377' | leco predict \"$1\"", str(fitted))
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 1)
    said = "error: 'standard input', line 2 is not UTF-8 text. Name the file's encoding with --encoding.\n"
    assert done.stderr.decode() == said


def test_a_closed_standard_error_does_no_harm(fitted):
    done = shell('echo a | leco predict "$1" 2>&-', str(fitted))
    assert done.returncode == 0
    assert json.loads(done.stdout)["exit_layer"]


def test_a_reader_who_has_enough(fitted, tmp_path):
    (tmp_path / "x.txt").write_text("a film\n" * 5000)
    done = shell('leco predict "$1" "$2" --batch-size 64 | head -n 1', str(fitted), str(tmp_path / "x.txt"))
    assert json.loads(done.stdout)["exit_layer"]
    assert not done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_output_of_few_letters(encoder_folder, tmp_path, encoding):
    """Whatever the encoding, JSON is JSON, and lines and tables are printed."""
    table = [(text, {"positive": "é\U0001f600", "negative": "中"}[label]) for text, label in rows(60)]
    data = write_csv(tmp_path / "x.csv", table)
    flags = "--exits linear --epochs 1 --repeats 1 --timed-texts 1"
    command = f'leco fit --model "$1" --data "$2" --output "$3" {flags} && leco report "$3" && leco predict "$3" "$2"'
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = shell(command, str(encoder_folder), str(data), str(tmp_path / "é→"), env=environment)
    assert done.returncode == 0, done.stderr.decode()
    assert r"\u2192" in done.stdout.decode(encoding)
    assert b"Traceback" not in done.stderr
    answers = [json.loads(line)["label"] for line in done.stdout.decode(encoding).splitlines()[-60:]]
    assert set(answers) <= {"é\U0001f600", "中"}
