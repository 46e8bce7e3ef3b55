"""A user's mistake is one message that names it and the remedy, exit code 2, and leaves the output folder free."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from offline import rows, write_csv

ROWS = list(rows(60))
DATA = {
    "good.csv": [("text", "label", "extra"), *((*row, "1") for row in ROWS)],
    "empty.csv": [],
    "header.csv": [("text", "label")],
    "one.csv": [("text", "label"), *((text, "yes") for text, _ in ROWS)],
    "nan.csv": [("text", "label"), *ROWS, ("", "positive")],
    "infinite.csv": [("text", "label"), *((text, f"{row}.5") for row, (text, _) in enumerate(ROWS)), ("x", "1e39")],
    "few.csv": [("text", "label"), *ROWS[:3]],
    "dev/train.csv": [("text", "label"), *ROWS],
    "dev/dev.csv": [("text", "label"), ("a film", "neutral"), *ROWS[:9]],
}
ARCHITECTURE = {"kind": "cell", "activation_1": "relu", "encoder_1": "conv_3", "encoder_2": "null", "pooler": "max"}
FILES = {
    "unknown.json": json.dumps([{**ARCHITECTURE, "activation_2": "sigmoid"}] * 3),
    "list.json": json.dumps([{**ARCHITECTURE, "activation_2": ["tanh"]}] * 3),
    "two.json": json.dumps([{"kind": "linear"}] * 2),
    "mixed.json": json.dumps([{"kind": "linear"}, {"kind": "past-future"}, {"kind": "linear"}]),
    "broken.json": "[",
    "number.jsonl": "\n".join(json.dumps({"text": 7, "label": row % 2}) for row in range(30)),
    "many.jsonl": "\n".join(json.dumps({"text": f"t {row}", "labels": ["a", "b"][: 1 + row % 2]}) for row in range(30)),
    "foreign/config.json": json.dumps({"model_type": "gpt2"}),
    "empty/config.json": "{}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, encoder_folder):
    """The data of the cases, and broken copies of the encoder."""
    folder = tmp_path_factory.mktemp("mistakes")
    for name, table in DATA.items():
        write_csv(folder / name, table[1:], table[0] if table else ())
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    shutil.copytree(encoder_folder, folder / "encoder")
    weights = (encoder_folder / "model.safetensors").read_bytes()
    shutil.copytree(encoder_folder, folder / "cut")
    (folder / "cut" / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--data missing.csv", "--data: The file 'missing.csv' does not exist."),
        ("--data ./missing", "--data: There is no file or folder './missing'."),
        ("--data empty.csv", "--data: 'empty.csv' has no rows."),
        ("--data header.csv", "--data: 'header.csv' has no rows."),
        ("--data one.csv", "has only one label, 'yes': there is nothing to learn."),
        ("--data nan.csv", "'nan.csv', line 62: the column 'text' has no text. Write a text or remove the row."),
        ("--data number.jsonl --text-column text", "the column 'text' has 7, which is not text"),
        ("--data few.csv", "training rows to set dev and test rows aside"),
        ("--data dev", "the training rows have no label 'neutral', only negative, positive"),
        ("--text-column words", "'good.csv' has no column 'words'. Its columns: text, label, extra."),
        ("--label-column class", "'good.csv' has no column 'class'."),
        ("--label-separator=", "--label-separator must be one character or more, not ''."),
        ("--data-config=", "--data-config must be one character or more, not ''."),
        ("--model=", "--model must be a path or a name, not ''."),
        ("--data glue/rtf", "--data: Unknown GLUE task 'rtf'. Did you mean 'rte'?"),
        ("--data demo/films", "--data: Unknown demo data set 'films'."),
        ("--model ./missing", "--model './missing': there is no such folder."),
        ("--model foreign", "--model 'foreign': Unknown backbone family 'gpt2'. Known: albert, bert,"),
        ("--model empty", "The configuration in the folder 'empty' is missing or broken"),
        ("--model cut", "The model in the folder 'cut' is missing or broken"),
        ("--preset quik", "--preset: Unknown preset 'quik'. Did you mean 'quick'?"),
        ("--strategy jont", "--strategy: Unknown training strategy 'jont'. Did you mean 'joint'?"),
        ("--space P", "error: --space: Unknown search space 'P'."),
        ("--encoders conv_9", "error: --encoders: Unknown encoder operation 'conv_9'."),
        ("--activations=", "error: --activations: Unknown activation ''."),
        ("--encoders=", "error: --encoders: Unknown encoder operation ''."),
        ("--poolers=", "error: --poolers: Unknown pooler ''."),
        ("--poolers cls,cls", "error: --poolers: The search space's pooler must name at least one operation and none"),
        ("--criterion kobee", "--criterion: Unknown exit criterion 'kobee'. Did you mean 'cobee'?"),
        ("--criterion oracle", "--criterion: 'oracle' needs the labels"),
        ("--exits nothing", "--exits 'nothing' is neither a file nor one of: learned, linear, mha,"),
        ("--exits=", "--exits '' is neither a file nor one of: learned, linear, mha,"),
        ("--strategy global-past-future --exits linear", "--exits: The training strategy 'global-past-future' brings"),
        ("--strategy global-past-future --exits learned", "--exits: The training strategy 'global-past-future' brings"),
        (
            "--strategy gaml --exits past-future",
            "--exits: The training strategy 'gaml' cannot train exits that 'global",
        ),
        (
            "--exits mixed.json",
            "--exits: The training strategy 'joint' cannot train exits that 'global-past-future' brings",
        ),
        ("--exits unknown.json", "'unknown.json', layer 1: Unknown activation 'sigmoid'."),
        ("--exits list.json", "'list.json', layer 1: Unknown activation '['tanh']'."),
        ("--exits two.json", "'two.json' holds 2 exit architectures, but the backbone has 3 layers."),
        ("--exits broken.json", "'broken.json' is not valid JSON"),
        ("--exits foreign", "'foreign' cannot be read: Is a directory."),
        ("--epochs 0", "--epochs must be at least 1, not 0."),
        ("--epochs many", "Invalid value for '--epochs'"),
        ("--epochs many", "'many'"),
        ("--lr -1", "--lr must be more than 0, not -1.0."),
        ("--lr inf", "--lr must be a number, not inf."),
        ("--exit-dropout 1.5", "--exit-dropout must be at most 1, not 1.5."),
        ("--max-length 2", "--max-length must be at least 4, not 2."),
        ("--width 30", "needs a width divisible by"),
        ("--max-drop=2", "--max-drop must be at most 1, not 2.0."),
        ("--repeats 0", "--repeats must be at least 1, not 0."),
        ("--epoch 3", "No such option"),
        ("--seed 4294967296", "--seed must be at most 4294967295, not 4294967296."),
        ("--batch-size 18446744073709551616", "--batch-size must be at most 2147483647, not so large."),
        ("--max-drop nan", "--max-drop must be a number, not nan."),
        ("--report-to tensorbord", "Unknown logger (--report-to) 'tensorbord'. Did you mean 'tensorboard'?"),
        ("--report-to flyte", "--report-to flyte needs a package that is not installed: pip install flyte."),
        (
            "--data many.jsonl --criterion cobee",
            "--criterion: The exit criterion 'cobee' is not defined for the problem type",
        ),
        ("--data infinite.csv", "line 62, column 'label': '1e39' is not a number of 32 bits"),
        ("--output good.csv", "--output 'good.csv' holds something else. Give a new folder."),
        ("--output encoder", "--output 'encoder' holds something else. Give a new folder."),
        ("--output good.csv/out", "--output 'good.csv/out' cannot be written to (Not a directory)."),
    ],
)
def test_fit(leco, folder, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(folder)
    output = tmp_path / "out"
    result = leco("fit", "--model", "encoder", "--data", "good.csv", "--output", output, *arguments.split())
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "error: " in result.err.splitlines()[-1], "one line, with nothing behind it"
    left = {path.name for path in output.glob("*")} if output.exists() else set()
    assert left <= {"run.json"}, "the folder is free for the corrected command"


def test_the_corrected_command_may_have_the_same_folder(leco, folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    flags = ["--exits", "linear", "--epochs", 1, "--data", "good.csv", "--output", tmp_path / "out"]
    assert leco("train", "--model", "cut", *flags).code == 2
    assert leco("train", "--model", "encoder", *flags).code == 0
    again = leco("train", "--model", "encoder", *flags, "--seed", 1)
    assert again.code == 2
    assert "holds a run with other settings (seed: 0 there, 1 now)" in again.err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "does not exist. 'leco fit' makes one."),
        (lambda model: (model / "config.json").unlink(), "is not a model folder"),
        (lambda model: (model / "config.json").write_text("{"), "is not a model folder"),
        (lambda model: (model / "config.json").write_text('{"model_type": "bert"}'), "holds a model of type 'bert'"),
        (lambda model: (model / "model.safetensors").write_bytes(b"no"), "is missing or broken"),
        (lambda model: (model / "model.safetensors").unlink(), "is missing or broken"),
        (lambda model: (model / "tokenizer.json").unlink(), "The tokenizer in the folder"),
        (
            lambda model: (model / "config.json").write_text(
                (model / "config.json").read_text().replace('"kind": "cell"', '"kind": "sell"')
            ),
            "Unknown exit kind 'sell'",
        ),
    ],
)
def test_predict_with_a_damaged_model(leco, fitted, reviews, tmp_path, damage, message):
    model = tmp_path / "model"
    shutil.copytree(fitted, model)
    damage(model)
    result = leco("predict", model, reviews)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("predict MODEL missing.txt", "The file 'missing.txt' does not exist."),
        ("predict MODEL good.csv --text-column words", "'good.csv' has no column 'words'."),
        ("predict MODEL good.csv --criterion cobee:tau=x", "--criterion: "),
        ("predict MODEL good.csv --criterion cobee:tau", "'tau' is not SETTING=VALUE."),
        ("predict MODEL good.csv --criterion cobee:tau=0.1,tau=0.2", "'tau' is given twice."),
        ("predict MODEL good.csv --criterion oracle", "--criterion: 'oracle' needs the labels"),
        ("predict MODEL good.csv --format=", "'good.csv' has an unsupported suffix or format ''."),
        ("evaluate MODEL --data missing.csv", "--data: The file 'missing.csv' does not exist."),
        ("evaluate MODEL --data dev", "the model has no label 'neutral', only negative, positive"),
        ("evaluate MODEL --data good.csv --criterion auto", "--criterion: 'auto' chooses a criterion in 'leco fit'"),
        ("predict MODEL good.csv --criterion auto", "--criterion: 'auto' chooses a criterion in 'leco fit'"),
        ("evaluate MODEL --data good.csv --criterion pabee", "--criterion: Unknown exit criterion 'pabee'."),
        ("evaluate MODEL --data good.csv --label-column extra", "the model has no label '1'"),
        ("evaluate", "Missing argument"),
    ],
)
def test_predict_and_evaluate(leco, folder, fitted, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    result = leco(*arguments.replace("MODEL", str(fitted)).split())
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_blank_lines_and_more_columns_do_no_harm(leco, encoder_folder, tmp_path):
    text = 'id,text,label\n1,"a good, fine film",é\n\n2,it is so bad,ü\n' + "\n".join(
        f"{number},{text},{'é' if label == 'positive' else 'ü'}\n" for number, (text, label) in enumerate(ROWS)
    )
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    flags = ["--exits", "linear", "--epochs", 1, "--repeats", 1, "--timed-texts", 2, "--json"]
    result = leco("fit", "--model", encoder_folder, "--data", tmp_path / "x.csv", "--output", tmp_path / "out", *flags)
    assert result.code == 0, result.err
    assert json.loads(result.out)["rows"] == 6


def test_an_interrupted_command_says_how_it_continues(leco, encoder_folder, reviews, tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("leco.training.trainer.MultiExitTrainer.training_step", interrupt)
    flags = ["--exits", "linear", "--output", tmp_path / "out"]
    result = leco("fit", "--model", encoder_folder, "--data", reviews, *flags)
    assert result.code == 130
    assert result.err.strip().splitlines()[-1].startswith("Interrupted. fit, search, train, calibrate and demo go on")


@pytest.mark.parametrize("arguments", ["--model nobody/encoder --data good.csv", "--model encoder --data nobody/texts"])
def test_a_hub_that_cannot_be_reached(folder, tmp_path, arguments):
    """In a process of its own: the address is read when the library is imported."""
    hub = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "from leco.cli import main; main()", "fit", *arguments.split()]
    command += ["--output", str(tmp_path / "out")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **hub}, cwd=folder, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "the Hugging Face Hub cannot be reached" in done.stderr
    assert len([line for line in done.stderr.splitlines() if not line.startswith("Columns:")]) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["predict", "MODEL", "DATA"], ["evaluate", "MODEL", "--data", "DATA", "--json"]])
def test_standard_output_that_is_full(fitted, reviews, arguments):
    """In a process of its own, as the shell starts it: to /dev/full."""
    words = {"MODEL": str(fitted), "DATA": str(reviews)}
    command = [sys.executable, "-c", "from leco.cli import main; main()", *(words.get(one, one) for one in arguments)]
    command += ["--repeats", "1", "--timed-texts", "2"] if "evaluate" in arguments else []
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last == "error: Standard output cannot be written to (No space left on device). Send it to another place."


@pytest.mark.parametrize("command", ["export", "evaluate", "report"])
def test_a_full_disk(leco, fitted, reviews, tmp_path, command):
    model = tmp_path / "model"
    shutil.copytree(fitted, model)
    data = ["--data", reviews, "--repeats", 1, "--timed-texts", 2]
    flags = {"export": [], "evaluate": [*data, "--output", model], "report": data}[command]
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limit[1]))
    try:
        result = leco(command, model, *flags)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert (result.code, result.out) == (2, "")
    assert f"'{model}' cannot be written to (File too large). Make room there and repeat the command" in result.err
    assert not list(model.glob(".leco*"))
    assert leco(command, model, *flags).code == 0
