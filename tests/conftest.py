"""Fixtures that several packages' tests share."""

import os
from pathlib import Path

import pytest

GLUE_DIR = Path(os.environ.get("GLUE_DIR") or Path(__file__).parents[2] / "shared" / "glue")


@pytest.fixture(scope="session")
def glue_dir() -> Path:
    """The folder of a GLUE download; tests that need it are skipped where there is none."""
    if not GLUE_DIR.is_dir():
        pytest.skip("no GLUE data: set GLUE_DIR to the folder of a GLUE download")
    return GLUE_DIR
