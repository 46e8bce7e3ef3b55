"""Fixtures that several packages' tests share."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

GLUE_DIR = Path(os.environ.get("GLUE_DIR") or Path(__file__).parents[2] / "shared" / "glue")


class SkipTorch:
    """Where PyTorch is not installed, an import of it skips the test, or the tests of a file."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Skip for PyTorch; leave all others to the usual finders."""
        if name == "torch":
            pytest.skip("PyTorch is not installed", allow_module_level=True)


if find_spec("torch") is None:
    sys.meta_path.insert(0, SkipTorch)


@pytest.fixture(scope="session")
def glue_dir() -> Path:
    """The folder of a GLUE download; tests that need it are skipped where there is none."""
    if not GLUE_DIR.is_dir():
        pytest.skip("no GLUE data: set GLUE_DIR to the folder of a GLUE download")
    return GLUE_DIR


@pytest.fixture(scope="session")
def tokenizer():
    """The real tokenizer of the demo's encoder; tests that need it are skipped without `leco[demo]`."""
    from leco import LecoError
    from leco.data import minilm_folder
    from leco.model import load_tokenizer

    try:
        return load_tokenizer(str(minilm_folder()))
    except LecoError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    """The folder of a tiny random encoder with its tokenizer."""
    from offline import write_encoder

    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def reviews(tmp_path_factory):
    """A CSV file of a task that the tiny encoder learns in seconds."""
    from offline import rows, write_csv

    return write_csv(tmp_path_factory.mktemp("data") / "reviews.csv", rows())


@pytest.fixture(scope="session")
def fitted(tmp_path_factory, encoder_folder, reviews):
    """The folder that `leco fit` has made of the two; not to be changed."""
    from leco.cli import main
    from offline import SHORT

    folder = tmp_path_factory.mktemp("fitted") / "model"
    flags = ["--model", str(encoder_folder), "--data", str(reviews), "--output", str(folder), *SHORT]
    with pytest.raises(SystemExit) as ended:
        main(["fit", *flags])
    assert not ended.value.code
    return folder


@pytest.fixture
def padded():
    """The states of one text with noise behind it [1, PADDED, WIDTH], and its mask [1, PADDED]."""
    import torch

    from tiny import LENGTH, PADDED, WIDTH

    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, PADDED, WIDTH, generator=generator), (torch.arange(PADDED) < LENGTH)[None]


@pytest.fixture
def leco(capsys):
    """Runs a command line in this process: exit code, stdout and stderr."""
    from types import SimpleNamespace

    from leco.cli import main

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code or 0, out=printed.out, err=printed.err)

    return run
