"""What a model keeps of its training data: other files are its test set, and are read as those were."""

import json
import shutil

import datasets
import pandas as pd
import pytest

from leco import LecoError
from leco.data import load_data
from leco.evaluation import data_for, evaluate
from leco.loading import load
from leco.pipeline import train
from offline import rows, write_csv

FAST = ["--repeats", 1, "--timed-texts", 2, "--criterion", "static"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, encoder_folder):
    """A model folder in a folder with its data: the usual name is another text's, not that of the column it reads."""
    folder = tmp_path_factory.mktemp("trained")
    table = ((text, label, text[::-1]) for text, label in rows())
    data = write_csv(folder / "reviews.csv", table, ("body", "mood", "text"))
    fast = {"exits": "linear", "epochs": 3, "batch_size": 16, "lr": 3e-3, "exit_lr": 1e-2}
    train(str(encoder_folder), str(data), folder / "model", text_columns=["body"], label_column="mood", **fast)
    return folder


def other(path, number, seed=1):
    """A file of other rows, with the columns that the model knows behind one that would be guessed."""
    return write_csv(path, ((text[::-1], label, text) for text, label in rows(number, seed)), ("text", "mood", "body"))


@pytest.mark.parametrize("number", [1, 9, 100])
def test_another_file_is_the_test_set_whatever_its_size(leco, trained, tmp_path, number):
    data = other(tmp_path / "test.csv", number)
    result = leco("evaluate", trained / "model", "--data", data, *FAST, "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert (found["rows"], found["score"] > 0.9) == (number, True), "and its texts are those of the model's column"
    assert f"'{data}': {number} row" in result.err
    assert f"those of '{trained / 'reviews.csv'}', as in the training" in result.err
    assert set(found["curves"]) == {"static", "oracle"}


def test_the_training_file_is_cut_as_in_the_training(trained, tmp_path):
    columns = {"text_columns": ["body"], "label_column": "mood"}
    expected = load_data(str(trained / "reviews.csv"), **columns).test
    copy = tmp_path / "copy.csv"  # known by its content, also where columns were added
    lines = (trained / "reviews.csv").read_text().splitlines()
    copy.write_text("\n".join(f"{number},{line}" for number, line in enumerate(lines)))
    said = []
    for path in (trained / "reviews.csv", copy):
        data = data_for(load(trained / "model"), str(path), log=said.append)
        assert data.test.texts == expected.texts
        assert "is what the model was trained on" in said.pop()


def test_a_folder_has_its_test_rows_scored_and_known_rows_are_warned_of(leco, trained, tmp_path):
    other(tmp_path / "test.csv", 30)
    (tmp_path / "train.csv").write_text((trained / "reviews.csv").read_text())
    result = leco("evaluate", trained / "model", "--data", tmp_path, *FAST, "--json")
    assert (json.loads(result.out)["rows"], "warning" in result.err) == (30, False)
    (tmp_path / "test.csv").write_text((trained / "reviews.csv").read_text())
    result = leco("evaluate", trained / "model", "--data", tmp_path, *FAST, "--json")
    assert "has the train rows of" in result.err


@pytest.mark.parametrize("command", ["evaluate", "bench", "report"])
def test_the_training_file_with_more_rows_is_warned_of(leco, trained, tmp_path, command):
    data = tmp_path / "more.csv"
    data.write_text((trained / "reviews.csv").read_text() + "".join(f"a book {row},positive,\n" for row in range(10)))
    model = shutil.copytree(trained / "model", tmp_path / "model")
    few = ["--texts", 5, "--output", tmp_path / "bench"] if command == "bench" else ["--repeats", 1, "--timed-texts", 2]
    result = leco(command, model, "--data", data, *few)
    assert result.code == 0, result.err
    assert f"warning: '{data}': about " in result.err
    assert "of its texts are among those on which the model was trained" in result.err


def test_other_parts_may_have_labels_that_the_model_lacks(leco, trained, tmp_path):
    other(tmp_path / "TEST.csv", 30)
    write_csv(tmp_path / "train.csv", [("a film", "mixed", "of")] * 20, ("text", "mood", "body"))
    result = leco("evaluate", trained / "model", "--data", tmp_path, *FAST, "--json")
    assert (result.code, json.loads(result.out)["rows"]) == (0, 30), result.err


def test_labels_that_a_test_file_lacks_are_fine_and_others_are_not(leco, trained, tmp_path):
    data = write_csv(tmp_path / "test.csv", [("a good film", "positive")] * 3, ("body", "mood"))
    result = leco("evaluate", trained / "model", "--data", data, *FAST, "--json")
    assert json.loads(result.out)["exit_layer_counts_by_label"]["negative"] == [0, 0, 0]
    write_csv(data, [("a good film", "positive"), ("a film", "mixed")], ("body", "mood"))
    result = leco("evaluate", trained / "model", "--data", data, *FAST)
    assert (result.code, "line 3, column 'mood': the model has no label 'mixed'" in result.err) == (2, True)


@pytest.fixture
def without_data(trained, tmp_path):
    """A model whose training data are no longer what they were."""
    folder = shutil.copytree(trained / "model", tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["trained_on"]["name"] = str(other(tmp_path / "changed.csv", 40, seed=2))
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_without_dev_rows_there_are_no_curves_and_the_report_says_so(leco, without_data, tmp_path):
    data = other(tmp_path / "test.csv", 20)
    for path in (without_data, tmp_path / "model.onnx"):
        result = leco("evaluate", path, "--data", data, "--repeats", 1, "--timed-texts", 2, "--json")
        found = json.loads(result.out)
        assert (found["rows"], found["curves"], found["dev"]) == (20, {}, {})
        assert "changed.csv' is no longer what the model was trained on" in result.err
        assert leco("export", without_data, "--output", tmp_path / "model.onnx").code == 0
    assert leco("report", without_data, "--data", data, "--repeats", 1, "--timed-texts", 2).code == 0
    assert leco("report", without_data).code == 0
    chosen = leco("evaluate", without_data, "--data", data, "--criterion", "entropy")
    assert (chosen.code, "no dev rows on which the settings of 'entropy' could be chosen" in chosen.err) == (2, True)


def test_int8_settings_are_chosen_on_half_of_another_file(leco, trained, tmp_path):
    pytest.importorskip("onnx")
    file, data = tmp_path / "model.onnx", other(tmp_path / "test.csv", 20)
    result = leco("export", trained / "model", "--int8", "--data", data, "--output", file)
    assert "settings are chosen on 10 rows, and measured on the other 10 rows" in result.err
    result = leco("export", trained / "model", "--int8", "--output", file)
    assert "is cut as it was then" in result.err
    found = json.loads(leco("evaluate", file, "--data", data, "--repeats", 1, "--json").out)
    assert (found["rows"], found["score"] > 0.9) == (20, True)


@pytest.mark.parametrize("command", ["evaluate", "report", "bench", "predict"])
def test_a_file_without_the_columns_of_the_model_is_refused(leco, trained, tmp_path, command):
    data = write_csv(tmp_path / "test.csv", rows(20))
    arguments = [data] if command == "predict" else ["--data", data]
    result = leco(command, trained / "model", *arguments)
    assert (result.code, result.out) == (2, "")
    assert "has no column 'body'. Its columns: text, label. Choose one with --text-column." in result.err


def test_predict_reads_the_column_of_the_model_and_no_pairs(leco, trained, tmp_path):
    pytest.importorskip("onnx")
    data, file = other(tmp_path / "test.csv", 20), tmp_path / "model.onnx"
    assert leco("export", trained / "model", "--output", file).code == 0
    for path in (trained / "model", file):
        assert load(path).trained_on.source.text_columns == ("body",)
        labels = [json.loads(line)["label"] for line in leco("predict", path, data).out.splitlines()]
        assert sum(one == label for one, (_, label) in zip(labels, rows(20, 1), strict=True)) > 18
        pairs = leco("predict", path, data, "--text-column", "text", "--text-column", "body")
        assert (pairs.code, "one of pairs of texts, but the model was trained on single texts" in pairs.err) == (
            2,
            True,
        )
    flags = ["--text-column", "text", "--text-column", "body", *FAST]
    result = leco("evaluate", trained / "model", "--data", data, *flags)
    assert (result.code, "has pairs of texts, but the model was trained on single texts" in result.err) == (2, True)


def test_a_model_of_pairs_refuses_single_texts(leco, encoder_folder, tmp_path):
    table = ((text, "a film", label) for text, label in rows(60))
    data = write_csv(tmp_path / "pairs.csv", table, ("question", "answer", "label"))
    flags = ["--exits", "linear", "--epochs", 1, "--output", tmp_path / "model"]
    assert leco("train", "--model", encoder_folder, "--data", data, *flags).code == 0
    texts = tmp_path / "texts.txt"
    texts.write_text("a film\n")
    result = leco("predict", tmp_path / "model", texts)
    assert (result.code, "one of single texts, but the model was trained on pairs" in result.err) == (2, True)
    with pytest.raises(LecoError, match="Text 2 is one of single texts"):
        load(tmp_path / "model").predict([("a film", "of"), "a film"])
    assert leco("predict", tmp_path / "model", data).code == 0


def test_fit_keeps_what_it_guessed(fitted, reviews):
    config = json.loads((fitted / "config.json").read_text())["trained_on"]
    assert (config["name"], config["pair"], list(config["hashes"])) == (str(reviews), False, ["train"])
    assert config["source"] == {"text_columns": ["text"], "label_column": ["label"]}


def test_python_takes_frames_data_sets_and_paths(encoder_folder, tmp_path):
    columns = dict(zip(("text", "label"), map(list, zip(*rows(), strict=True)), strict=True))
    frame, folder = pd.DataFrame(columns, index=range(240, 0, -1)), tmp_path / "model"
    fast = {"exits": "linear", "epochs": 2, "batch_size": 16, "lr": 3e-3, "exit_lr": 1e-2}
    model = train(str(encoder_folder), frame, folder, **fast)
    assert json.loads((folder / "run.json").read_text())["settings"]["data"] == "<DataFrame>"
    train(str(encoder_folder), frame, folder, **fast)  # which is done
    with pytest.raises(LecoError, match=r"holds a run with other settings .*data_hash"):
        train(str(encoder_folder), frame[::-1], folder, **fast)
    held_out = {"repeats": 1, "timed_texts": 2, "criterion": "static"}
    assert evaluate(model, frame, **held_out).rows == 24, "it is cut as in the training"
    other = dict(zip(("text", "label"), map(list, zip(*rows(50, 1), strict=True)), strict=True))
    for path in (folder, str(folder)):
        assert evaluate(path, frame, **held_out).rows == 24
    several = datasets.DatasetDict({"train": datasets.Dataset.from_dict(columns)})
    several["test"] = datasets.Dataset.from_dict(other)
    several.save_to_disk(tmp_path / "saved")
    for source in (pd.DataFrame(other), datasets.Dataset.from_dict(other), several, tmp_path / "saved"):
        assert evaluate(model, source, **held_out).rows == 50
    with pytest.raises(LecoError, match=r"'<DataFrame>'|were in a program's memory"):
        data_for(model, "<DataFrame>")
