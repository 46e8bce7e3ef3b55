"""`leco calibrate` and `leco verify`: what is promised, where it is kept, what voids it, and users' mistakes."""

import json
import logging
import random
import shutil

import numpy as np
import onnx
import pytest

import leco as library
from leco import LecoError, MultiExitModel
from leco.calibration import RULES, CalibrationOptions, Certificate, rows_needed
from leco.criteria import CRITERIA
from leco.evaluation.certify import Calibration
from leco.evaluation.kept import Kept
from leco.evaluation.unseen import unseen_texts
from leco.files import read_json, write_json
from offline import rows, write_csv


@pytest.fixture
def model(fitted, tmp_path):
    """A copy of the fitted model, to be written into."""
    return shutil.copytree(fitted, tmp_path / "model")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Files of texts that the model has not seen: to calibrate, to verify, with wrong labels, without, too few."""
    folder = tmp_path_factory.mktemp("texts")
    new, newer = list(rows(400, 5)), list(rows(300, 6))
    swapped = {"positive": "negative", "negative": "positive"}
    write_csv(folder / "new.csv", new)
    write_csv(folder / "newer.csv", newer)
    write_csv(folder / "wrong.csv", [(text, swapped[label]) for text, label in newer])
    write_csv(folder / "few.csv", rows(40, 7))
    write_csv(folder / "other.csv", [(text, label.upper()) for text, label in newer])
    write_csv(folder / "values.csv", [(text, row + 0.5) for row, (text, _) in enumerate(newer)])
    (folder / "plain.txt").write_text("".join(f"{text}\n" for text, _ in new))
    return folder


@pytest.fixture(scope="module")
def calibrated(fitted, texts, tmp_path_factory):
    """A model with a certificate, and the certificate; not to be changed."""
    folder = shutil.copytree(fitted, tmp_path_factory.mktemp("calibrated") / "model")
    return folder, library.calibrate(folder, texts / "new.csv", max_drop=0.05, criterion="entropy")


def spoiled(folder, target, **changes):
    """A copy of a model's folder with some of its configuration changed by hand."""
    copy = shutil.copytree(folder, target)
    write_json(copy / "config.json", {**read_json(copy / "config.json"), **changes})
    return copy


def test_the_certificate_is_in_the_model_its_card_and_its_output(leco, model, texts):
    result = leco("calibrate", model, "--data", texts / "new.csv", "--max-drop", 0.05, "--confidence", 0.95)
    assert result.code == 0, result.err
    assert "set apart" not in result.err  # the dev rows have fixed the order
    assert "To certify 5 % at 95 % confidence takes at least 59 texts without an error; these 400 allow" in result.err
    loaded = MultiExitModel.from_pretrained(model)
    held = loaded.certificate
    assert (held.bound, held.confidence, held.rows, held.method, held.loss) == (0.05, 0.95, 400, "ltt", "worse")
    assert loaded.criterion == held.exits
    assert held.mean_exit_layer < loaded.num_layers
    assert held.sentence() in result.out
    card = (model / "README.md").read_text()
    assert card.count("What is promised") == 1
    assert str(held.exits) in card
    assert f"leco verify {model}" in result.out
    assert not list(model.glob(".calibration*"))


def test_calibrating_again_replaces_the_certificate(calibrated, texts, tmp_path):
    copy = shutil.copytree(calibrated[0], tmp_path / "model")
    made = library.calibrate(copy, texts / "new.csv", max_drop=0.2, criterion="static:layer=1")
    assert str(made.exits) == "static:layer=1" or made.exits == MultiExitModel.from_pretrained(copy).full_depth
    assert made.settings == 1
    card = (copy / "README.md").read_text()
    assert card.count("What is promised") == 1
    assert "at most 20 %" in card
    assert "at most 5 %" not in card


def test_the_losses_are_those_of_the_answers(calibrated, texts):
    folder, made = calibrated
    predictor = library.load(folder)
    _, split = unseen_texts(predictor, texts / "new.csv", {}, labelled=True)
    early = predictor.predict(split.texts)
    full = predictor.predict(split.texts, criterion="static:layer=0")
    names = predictor.label_names
    worse = [
        one.label != names[label] == late.label for one, late, label in zip(early, full, split.labels, strict=True)
    ]
    assert made.errors <= sum(worse) <= made.errors + 0.2 * len(worse)  # a fifth of the texts fixed the order
    assert made.fingerprint == split.fingerprint


def test_it_continues_from_what_it_has_and_says_the_same(calibrated, texts, tmp_path):
    folder, made = calibrated
    predictor = library.load(folder)
    name, split = unseen_texts(predictor, texts / "new.csv", {}, labelled=True)
    options, asked = CalibrationOptions(max_drop=0.05), []

    def outputs(*arguments, **more):
        asked.append(len(arguments[0]))
        return MultiExitModel.exit_outputs(predictor, *arguments, **more)

    predictor.exit_outputs = outputs
    for _ in range(2):
        calibration = Calibration(predictor, name, split, options, Kept(tmp_path / "kept", "x"), "entropy")
        assert calibration.certificate() == made
    assert sorted(asked) == [80, 320]


@pytest.mark.parametrize("changed", [None, "tokenizer.json", "tokenizer_config.json"])
def test_a_killed_calibration_goes_on_with_the_same_files_alone(model, texts, monkeypatch, changed):
    asked = []

    def calibrate():
        return library.calibrate(model, texts / "new.csv", max_drop=0.05, criterion="entropy", log=lambda line: None)

    def outputs(*arguments, own=MultiExitModel.exit_outputs, **more):
        asked.append(len(arguments[1]))
        return own(*arguments, **more)

    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(MultiExitModel, "exit_outputs", outputs)
    with monkeypatch.context() as patched:
        patched.setattr("leco.certifying.keep", killed)
        with pytest.raises(KeyboardInterrupt):
            calibrate()
    if changed is not None:
        with (model / changed).open("a") as file:
            file.write("\n")
    before = list(asked)
    calibrate()
    assert asked == before * (1 if changed is None else 2)
    assert not list(model.glob(".calibration*"))


def test_verify_says_whether_new_texts_contradict_it(leco, calibrated, texts, monkeypatch):
    folder, held = calibrated
    result = leco("verify", folder, "--data", texts / "newer.csv")
    assert (result.code, "Nothing contradicts" in result.out) == (0, True), result.err
    assert held.sentence() in result.out
    tight = Certificate(**{**held.to_dict(), "bound": 1e-9})
    monkeypatch.setattr(MultiExitModel, "certificate", tight)
    result = leco("verify", folder, "--data", texts / "newer.csv", "--json")
    found = json.loads(result.out)
    assert result.code == int(found["errors"] > 0) == int(found["contradicted"])
    assert 0 < found["p_value"] <= 1


def test_texts_on_which_early_answers_are_lost_contradict_it(leco, model, texts):
    kept = read_json(model / "config.json")
    held = library.calibrate(model, texts / "plain.txt", loss="disagreement", max_drop=0.2, criterion="entropy")
    config = read_json(model / "config.json")
    early = {"name": "static", "layer": 1}
    assert kept["exit_criterion"] != config["exit_criterion"]
    claimed = {**held.to_dict(), "criterion": early, "bound": 0.001}
    write_json(model / "config.json", {**config, "exit_criterion": early, "certificate": claimed})
    result = leco("verify", model, "--data", texts / "newer.csv")
    assert result.code == 1, result.err
    assert "These texts contradict the certificate" in result.out


def test_texts_without_labels_serve_for_disagreement(leco, model, texts):
    arguments = ["calibrate", model, "--data", texts / "plain.txt", "--max-drop", 0.1]
    result = leco(*arguments, "--loss", "disagreement", "--criterion", "cobee", "--json")
    assert result.code == 0, result.err
    made = json.loads(result.out)
    assert (made["loss"], made["criterion"]["name"], made["rows"]) == ("disagreement", "cobee", 400)
    assert leco(*arguments).code == 2
    assert leco("verify", model, "--data", texts / "plain.txt").code == 2  # the texts that it was calibrated on


@pytest.mark.parametrize("method", ["ucb", "crc", "naive"])
def test_every_method(leco, model, texts, method):
    result = leco("calibrate", model, "--data", texts / "new.csv", "--max-drop", 0.1, "--method", method, "--json")
    made = json.loads(result.out)
    assert (made["method"], made["confidence"] is None) == (method, method != "ucb")
    assert leco("verify", model, "--data", texts / "newer.csv").code == 0


def test_all_kinds_share_the_error(leco, model, texts):
    result = leco("calibrate", model, "--data", texts / "new.csv", "--max-drop", 0.1, "--criterion", "auto", "--json")
    made = json.loads(result.out)
    assert made["settings"] > 40
    assert "80 of the texts are set apart to order the settings; the other 320 certify" in result.err
    kinds = sum(one.deployable for one in CRITERIA.values())
    assert f"takes at least {rows_needed(RULES['ltt'], 0.1, 0.1 / kinds)} texts" in result.err


def test_goals(leco, model, texts):
    arguments = ["calibrate", model, "--data", texts / "new.csv", "--criterion", "entropy", "--json"]
    made = json.loads(leco(*arguments, "--target-speedup", 1.1).out)
    assert 0 < made["bound"] < 0.5
    assert made["mean_exit_layer"] < 3
    assert json.loads(leco(*arguments, "--budget-ms", 10_000).out)["bound"] <= made["bound"]
    result = leco(*arguments, "--target-speedup", 50)
    assert (result.code, "out of reach" in result.err) == (2, True)


def test_a_bound_beside_a_goal_of_speed_is_refused(model, texts):
    """It would be promised without being looked at; by default it is 0.02 where there is no such goal."""
    before = (model / "config.json").read_bytes()
    with pytest.raises(LecoError, match=r"^max_drop and target_speedup are two goals\. Give one of them\.$"):
        library.calibrate(model, texts / "new.csv", target_speedup=1.45, max_drop=0.001)
    assert (model / "config.json").read_bytes() == before
    assert (CalibrationOptions().bound, CalibrationOptions(max_drop=0.3).bound) == (0.02, 0.3)
    with pytest.raises(LecoError) as error:
        CalibrationOptions(max_drop=0)
    assert ("By default 0.02" in str(error.value), "default None" in str(error.value)) == (True, False)


def test_where_nothing_can_be_certified_the_model_answers_at_full_depth(leco, model, texts, monkeypatch):
    monkeypatch.setattr("leco.calibration.losses.Loss.of", lambda *given: np.ones(len(given[2]), bool))
    result = leco("calibrate", model, "--data", texts / "new.csv", "--max-drop", 0.05, "--criterion", "entropy")
    assert "the model answers at full depth" in result.err
    assert str(MultiExitModel.from_pretrained(model).criterion) == "static:layer=0"


def test_settings_changed_by_hand_void_it(leco, calibrated, texts, tmp_path, caplog):
    folder, held = calibrated
    copy = spoiled(folder, tmp_path / "model", exit_criterion={"name": "entropy", "tau": 0.6543})
    doubt = f"The certificate does not hold: it is for '{held.exits}', but texts leave by 'entropy:tau=0.6543"
    with caplog.at_level(logging.WARNING):
        library.load(copy)
        assert doubt in caplog.text
    text = tmp_path / "text.txt"
    text.write_text("a good film\n")
    for arguments in (["predict", copy, text], ["report", copy], ["verify", copy, "--data", texts / "newer.csv"]):
        result = leco(*arguments)
        assert doubt in result.err
        assert result.code == (2 if arguments[0] == "verify" else 0)


def test_another_criterion_or_precision_is_not_what_was_certified(leco, calibrated, tmp_path, caplog):
    folder, _ = calibrated
    text = tmp_path / "text.txt"
    text.write_text("a good film\n")
    assert "certificate" not in leco("predict", folder, text).err
    assert "does not hold: it is for 'entropy" in leco("predict", folder, text, "--criterion", "static:layer=1").err
    assert "in float32, but these are in bfloat16" in leco("predict", folder, text, "--bf16").err
    predictor = library.load(folder)
    with caplog.at_level(logging.WARNING):
        predictor.predict(["a good film"])
        assert not caplog.text
        predictor.predict(["a good film"], criterion="static:layer=1")
        assert "does not hold" in caplog.text


def test_an_exported_file_keeps_it_in_float32_alone(leco, calibrated, reviews, tmp_path):
    folder, held = calibrated
    file = tmp_path / "model.onnx"
    assert "certificate" not in leco("export", folder, "--output", file).err
    assert library.load(file).certificate == held
    for flags in (["--int8", "--data", reviews], ["--criterion", "static:layer=1"]):
        result = leco("export", folder, "--output", file, *flags)
        assert "The certificate is left out" in result.err
        assert library.load(file).certificate is None


def test_a_file_is_calibrated_on_its_own_answers(leco, fitted, texts, reviews, tmp_path):
    file = tmp_path / "model-int8.onnx"
    assert leco("export", fitted, "--output", file, "--int8", "--data", reviews).code == 0
    before = library.load(file)
    result = leco("calibrate", file, "--data", texts / "new.csv", "--max-drop", 0.05, "--json")
    assert result.code == 0, result.err
    loaded = library.load(file)
    held = loaded.certificate
    assert held.to_dict() == json.loads(result.out)
    assert (held.runtime, held.precision, held.rows) == ("ONNX Runtime", "int8", 400)
    assert loaded.criterion == held.exits
    assert (type(loaded.criterion), loaded.label_names) == (type(before.criterion), before.label_names)
    defaults = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(file).graph.initializer}
    assert defaults["tau"] == np.float32(held.exits.tau)
    _, split = unseen_texts(loaded, texts / "new.csv", {}, labelled=True)
    assert np.mean([answer.exit_layer for answer in loaded.predict(split.texts)]) == held.mean_exit_layer
    assert leco("verify", file, "--data", texts / "newer.csv").code == 0
    assert not list(tmp_path.glob(".calibration*"))
    other = leco("calibrate", file, "--data", texts / "new.csv", "--criterion", "static")
    assert (other.code, "a file has its own alone" in other.err) == (2, True)


def test_an_int8_file_whose_answers_depend_on_the_batch_is_refused(leco, fitted, texts, reviews, tmp_path):
    file = tmp_path / "model-int8.onnx"
    assert leco("export", fitted, "--output", file, "--int8", "--data", reviews).code == 0
    made = onnx.load(file)
    props = {prop.key: prop.value for prop in made.metadata_props if prop.key != "leco.batch_invariant"}
    onnx.helper.set_model_props(made, props)
    file.write_bytes(made.SerializeToString())
    result = leco("calibrate", file, "--data", texts / "new.csv", "--max-drop", 0.05)
    assert (result.code, "answers depend on the batch" in result.err) == (2, True)
    assert file.read_bytes() == made.SerializeToString(), "it stays as it was"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--data few.csv", "has 40 texts that can certify, but 2 % at 90 % confidence takes at least 114"),
        ("--data REVIEWS", "is what the model was trained on"),
        ("--data other.csv", "label"),
        ("--data values.csv", "label"),
        ("--data new.csv --max-drop 0", "--max-drop must be more than 0, not 0.0. Share of texts"),
        ("--data new.csv --max-drop 1", "--max-drop must be below 1"),
        ("--data new.csv --max-drop nan", "--max-drop must be a number"),
        ("--data new.csv --confidence 0.5", "--confidence must be more than 0.5"),
        ("--data new.csv --confidence 1", "--confidence must be below 1"),
        ("--data new.csv --method guess", "--method must be one of"),
        ("--data new.csv --loss pain", "--loss must be one of"),
        ("--data new.csv --criterion oracle", "needs the labels"),
        ("--data new.csv --criterion lotto", "Unknown exit criterion 'lotto'"),
        ("--data new.csv --criterion entropy:tau=-1", "tau must be at least 0"),
        ("--data new.csv --target-speedup 1", "--target-speedup must be more than 1"),
        ("--data new.csv --target-speedup 2 --budget-ms 3", "--target-speedup and --budget-ms are two goals"),
        ("--data new.csv --target-speedup 1.1 --max-drop 0.02", "--max-drop and --target-speedup are two goals"),
        ("--data new.csv --budget-ms 3 --max-drop 0.5", "--max-drop and --budget-ms are two goals"),
        ("--data none.csv", "none.csv"),
    ],
)
def test_mistakes_are_one_sentence_and_the_model_is_as_it_was(leco, model, texts, reviews, monkeypatch, flags, message):
    monkeypatch.chdir(texts)
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    result = leco("calibrate", model, *(reviews if word == "REVIEWS" else word for word in flags.split()))
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before


def test_what_has_no_certificate_and_what_is_none(leco, fitted, calibrated, texts, tmp_path, encoder_folder):
    result = leco("verify", fitted, "--data", texts / "newer.csv")
    assert (result.code, "has no certificate. 'leco calibrate' makes one" in result.err) == (2, True)
    copy = spoiled(calibrated[0], tmp_path / "model", certificate={"bound": 0})
    result = leco("verify", copy, "--data", texts / "newer.csv")
    assert (result.code, "is broken" in result.err) == (2, True)
    result = leco("verify", calibrated[0], "--data", texts / "new.csv")
    assert (result.code, "was calibrated on" in result.err) == (2, True)
    assert leco("calibrate", encoder_folder, "--data", texts / "new.csv").code == 2


@pytest.mark.parametrize(
    "broken",
    ["{", "[]", {"source": "x"}, {"source": "x", "chains": {"cobee": [{"criterion": {"name": "cobee", "tau": -1}}]}}],
    ids=["no JSON", "a list", "no chains", "no setting"],
)
def test_an_order_that_was_never_written_is_refused(leco, model, texts, broken):
    text = broken if isinstance(broken, str) else json.dumps(broken)
    (model / "order.json").write_text(text)
    result = leco("calibrate", model, "--data", texts / "new.csv")
    assert (result.code, "order.json" in result.err, "Traceback" in result.err) == (2, True, False)


def test_answers_that_are_no_numbers_certify_nothing(model, texts, monkeypatch):
    def outputs(self, encodings, **more):
        return np.full((3, len(encodings), 2), np.nan, np.float32), {}

    monkeypatch.setattr(MultiExitModel, "exit_outputs", outputs)
    with pytest.raises(LecoError, match="The model gives no answers"):
        library.calibrate(model, texts / "new.csv")


@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
def test_texts_that_made_the_model_are_known_again_however_they_come(model, reviews, tmp_path, labelled):
    # in another order, in part, among others, with other spaces; and some of them among many new ones
    known = [line.split(",") for line in reviews.read_text().splitlines()[1:]]
    new = list(rows(400, 5))
    choice = random.Random(0)
    shuffled = choice.sample(known, len(known))
    spaced = [(f"  {text.replace(' ', '   ')} ", label) for text, label in known]
    loss = {} if labelled else {"loss": "disagreement"}

    def calibrate(table):
        lines = []
        held = [row if labelled else row[:1] for row in table]
        path = write_csv(tmp_path / "given.csv", held, ("text", "label") if labelled else ("text",))
        library.calibrate(model, path, max_drop=0.2, log=lines.append, **loss)
        return "\n".join(lines)

    for table in (shuffled, shuffled[:100], known + new[:60], spaced):
        with pytest.raises(LecoError, match="on which the model was trained"):
            calibrate(table)
    assert "about 2" in calibrate(new + shuffled[:130]), "a fifth or so: said, not refused"
    assert "refused" not in calibrate(new)


def test_texts_of_the_calibration_are_known_again_by_verify(calibrated, texts, tmp_path):
    folder, _ = calibrated
    lines = (texts / "new.csv").read_text().splitlines()
    for name, some in (("turned", lines[:0:-1]), ("part", lines[100:250]), ("more", [*lines[1:], "so good,positive"])):
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,label", *some]))
        with pytest.raises(LecoError, match="on which the model was calibrated"):
            library.verify(folder, tmp_path / f"{name}.csv")
    assert library.verify(folder, texts / "newer.csv").rows == 300
