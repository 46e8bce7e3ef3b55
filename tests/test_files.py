"""Files are written whole or not at all."""

import pytest

from leco import LecoError
from leco.files import atomic_path, read_json, write_json


def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path):
    path = tmp_path / "new" / "value.json"
    write_json(path, {"é": 1})
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert read_json(path) == {"é": 1}
    assert list(path.parent.iterdir()) == [path]


def test_the_old_content_is_there_until_the_block_ends(tmp_path):
    path = tmp_path / "value.json"
    write_json(path, 1)
    with atomic_path(path) as temporary:
        temporary.write_text("2")
        assert read_json(path) == 1
    assert read_json(path) == 2
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "latin.json").write_bytes(b'"\xe9"')
    for name, message in {
        "none.json": "does not exist",
        "broken.json": "is not valid JSON",
        "latin.json": "is not valid JSON",
        ".": "cannot be read",
    }.items():
        with pytest.raises(LecoError, match=message):
            read_json(tmp_path / name)
