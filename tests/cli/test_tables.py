"""Tables: whole where they are piped, readable in a terminal of 80 columns, with numbers that are never cut."""

import re

import pytest

from leco.cli.output import print_evaluation
from leco.cli.tables import print_table

STYLE = re.compile(r"\x1b\[[\d;]*m")
EXIT = {
    "kind": "cell",
    "activation_1": "leaky_relu",
    "encoder_1": "skip-connect",
    "encoder_2": "skip-connect",
    "pooler": "avg",
    "activation_2": "leaky_relu",
}
SHOWN = "leaky_relu > skip-connect + skip-connect > avg > leaky_relu"
RESULTS = {
    "data": "a/data-set",
    "metric": "accuracy",
    "rows": 12345,
    "exit_scores": [0.87654, 0.9],
    "trust": [{"auroc": 0.76543, "calibration_error": 0.01234}, {"auroc": None, "calibration_error": 0.5}],
    "exit_layer_counts": [12000, 345],
    "architectures": [EXIT, EXIT],
    "curves": {},
    "avg": 0.88,
    "best": 0.9,
    "criterion": {"name": "static"},
    "score": 0.9,
    "full_depth_score": 0.9,
    "speedup": 0.0,
    "speedup_repeats": [0.0, 0.0],
    "timed_texts": 50,
    "mean_exit_layer": 2.0,
}


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Has what follows printed into a terminal of a width; gives the lines."""

    def lines(width, show):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))
        show()
        return [line.rstrip() for line in STYLE.sub("", capsys.readouterr().out).splitlines()]

    return lines


def evaluation():
    print_evaluation(RESULTS, next_commands=[], output=None)


def confusion():
    names = [f"label {number:02}" for number in range(12)]
    rows = [(name, *range(1000, 1012)) for name in names]
    print_table(("texts of", *(f">{name}" for name in names)), rows, "A title that is much longer than the table below")


def test_a_piped_table_is_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    evaluation()
    lines = capsys.readouterr().out.splitlines()
    assert f"1  0.8765  0.7654  0.0123  12000  {SHOWN}" in [line.strip() for line in lines]
    confusion()
    assert sum("label 11" in line and "label 00" in line for line in capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_has_all_of_it_within_its_width(terminal, width):
    lines = terminal(width, evaluation)
    table = lines[: next(place for place, line in enumerate(lines) if line.startswith("AUROC"))]
    assert max(map(len, table)) <= width
    words = " ".join(table).split()
    assert "…" not in "".join(table)
    assert {"0.8765", "0.7654", "0.0123", "12000"} <= {*words}
    assert words.count("skip-connect") == 4
    assert (f"1  0.8765  0.7654  0.0123  12000  {SHOWN}" in [line.strip() for line in table]) == (width == 120)


def test_numbers_are_whole_in_the_narrowest_terminal(terminal):
    lines = terminal(8, lambda: print_table(("name", ">number"), [("a name", 123456789)]))
    assert "123456789" in " ".join(lines).split()


def test_a_table_without_rows_has_its_headings(capsys):
    print_table(("name", ">number"), [])
    assert "name  number" in capsys.readouterr().out


def test_a_title_stands_on_one_line(terminal):
    assert terminal(80, lambda: print_table((">a",), [(1,)], "A title that is wider than this table"))[0] == (
        "A title that is wider than this table"
    )


def test_columns_without_room_follow_behind_the_first(terminal):
    lines = terminal(80, confusion)
    assert max(map(len, lines)) <= 80
    assert sum(line.lstrip().startswith("texts of") for line in lines) > 1
    row = [line.split()[2:] for line in lines if line.lstrip().startswith("label 03")]
    assert [cell for cells in row for cell in cells] == [str(number) for number in range(1000, 1012)]


def test_a_legend_is_wrapped_between_words(terminal):
    legend = "word " * 40 + "end"
    lines = terminal(80, lambda: print_table(("a",), [("b",)], legend=legend))
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines[-5:]).split()).endswith(legend)
