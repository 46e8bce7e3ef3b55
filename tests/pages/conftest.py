"""The programs of the pages, started once."""

import pytest


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """`leco` and `python` of a warm process, and a small model."""
    pytest.importorskip("onnxruntime")
    from tests.pages.running import started

    programs, server = started(tmp_path_factory.mktemp("programs"))
    yield programs
    server.terminate()
    server.wait()
