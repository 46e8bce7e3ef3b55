"""Files are written whole or not at all."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leco import LecoError
from leco.files import DEEPEST, atomic_path, format_json, parse_json, read_json, write_json


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


BROKEN = {
    "": "Expecting value",
    "{": "Expecting property name",
    b"\xff": "can't decode byte 0xff",
    "9" * 5000: "the number 99999999999999999999... is too large",
    str(2**63): "the number 9223372036854775808 is too large",
    "1e999": "the number 1e999 is too large",
    "[NaN]": "NaN is no number",
    "-Infinity": "-Infinity is no number",
    '"\\ud800"': "half a character",
    '{"\\ud800": 1}': "half a character",
    "[" * 100_000: "nested too deeply",
    "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1): "nested too deeply",
    '{"a":' * 100_000: "nested too deeply",
}


@pytest.mark.parametrize(("text", "message"), BROKEN.items(), ids=[repr(text[:12]) for text in BROKEN])
def test_json_that_nobody_can_trust_is_refused(text, message):
    with pytest.raises(LecoError, match=r"^'x' is not valid JSON: ") as error:
        parse_json(text, "'x'")
    assert message in str(error.value)
    assert len(str(error.value)) < 200


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read(value):
    assert parse_json(format_json(value), "x") == value


@given(
    st.binary()
    | st.text()
    | VALUES.map(json.dumps).flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut]))
)
def test_any_text_is_a_value_or_refused(text):
    with suppress(LecoError):
        parse_json(text, "x")


def test_there_is_no_nan_in_json():
    nan, infinity = float("nan"), float("inf")
    assert format_json({"a": [nan, (1.5, -infinity)], "b": infinity}) == '{"a": [null, [1.5, null]], "b": null}'
