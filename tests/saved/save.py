"""Save what a version makes, with its answers, for tests/test_saved.py: run once for each version, before its release.

PYTHONPATH=src:tests python tests/saved/save.py    # writes tests/saved/MAJOR.MINOR of the version that src has
"""

import json
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import leco
from leco.cli import main
from offline import SHORT, rows, write_csv, write_encoder

TEXTS = ["a good film", "a bad film of which nobody would say that it is good", "", "so dull and " * 20]
KEPT = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "architectures.json")


def run(*words):
    """A command, which ends well."""
    with suppress(SystemExit) as _:
        main([str(word) for word in words])


def answers(path):
    """What a predictor says of the texts."""
    found = leco.load(path).predict(TEXTS)
    return [{"label": one.label, "scores": one.scores, "exit_layer": one.exit_layer} for one in found]


def save(folder):
    """Train a tiny model, and keep in `folder` what is loaded of it, two exported files, and what all of them say."""
    with TemporaryDirectory() as work:
        encoder, data = write_encoder(Path(work) / "encoder"), write_csv(Path(work) / "reviews.csv", rows())
        made = Path(work) / "made"
        run("fit", "--model", encoder, "--data", data, "--output", made, *SHORT)
        (folder / "model").mkdir(parents=True)
        for name in KEPT:
            shutil.copy(made / name, folder / "model")
        run("export", made, "--output", folder / "model.onnx")
        run("export", made, "--output", folder / "model-int8.onnx", "--int8", "--data", data)
    said = {name: answers(folder / name) for name in ("model", "model.onnx", "model-int8.onnx")}
    (folder / "answers.json").write_text(json.dumps({"texts": TEXTS, "answers": said}, indent=1) + "\n")


if __name__ == "__main__":
    save(Path(__file__).parent / leco.__version__.rpartition(".")[0])
