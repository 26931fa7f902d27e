"""Tables: no cell is cut where there is no terminal; Markdown and CSV hold what was given."""

import csv
import io

import numpy as np
import pytest

from lstmlab.tracking import markdown_table, print_table, write_csv
from lstmlab.tracking.tables import cell_text

LONG = "a note of more than eighty characters, " + "which an output piped to a file must not lose" * 2
COLUMNS = ("cell", "steps", "validation/bpc", "note")
ROWS = [["lstm", 2000, 2.41234567, LONG], ["[bold]gru[/bold]", 20, None, "–"]]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_without_a_terminal_every_cell_is_whole_on_its_row(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    print_table("Comparison", COLUMNS, ROWS, stream=stream)
    text = stream.getvalue()
    assert "\x1b" not in text
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "Comparison"
    assert lines[1].split() == list(COLUMNS)
    assert lines[3].split(maxsplit=3) == ["lstm", "2000", "2.412", LONG]
    assert lines[4].split() == ["[bold]gru[/bold]", "20", "–", "–"]
    assert len(lines) == 5
    assert all(line == line.rstrip() for line in lines)


def test_on_a_narrow_terminal_cells_are_folded_not_cut(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    print_table("Comparison", COLUMNS, ROWS, stream=stream)
    lines = stream.getvalue().splitlines()
    assert "…" not in stream.getvalue()
    assert sum(line.count("lose") for line in lines) == LONG.count("lose")


def test_standard_output_is_the_default(capsys):
    print_table("Tasks", ["task"], [["copy"]])
    assert capsys.readouterr().out.split()[0] == "Tasks"


def test_numbers_are_aligned_right_and_words_left():
    stream = io.StringIO()
    rows = [["lstm", "2.41 ± 0.03", 7], ["gru", "12.5 ± 0.4", None]]
    print_table("", ["cell", "value", "count"], rows, stream=stream)
    first, second = stream.getvalue().splitlines()[-3:-1]
    assert first.index("lstm") == second.index("gru")
    assert first.index("± 0.03") + len("± 0.03") == second.index("± 0.4") + len("± 0.4")
    assert len(first) == len(second)


def test_markdown_escapes_what_would_break_the_table():
    table = markdown_table(["cell", "loss"], [["a|b\\c\nd", 0.123456], ["gru", np.float32(2)]])
    assert table == "| cell | loss |\n| --- | ---: |\n| a\\|b\\\\c<br>d | 0.1235 |\n| gru | 2 |\n"


def test_csv_keeps_every_digit(tmp_path):
    rows = [["a,b\nc", 0.1 + 0.2, None], ["é", np.float64(1 / 3), 5]]
    write_csv(tmp_path / "t.csv", ["name", "x", "y"], rows)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as stream:
        head, first, second = csv.reader(stream)
    assert head == ["name", "x", "y"]
    assert first == ["a,b\nc", "0.30000000000000004", ""]
    assert second[0] == "é"
    assert float(second[1]) == 1 / 3


@pytest.mark.parametrize(
    "write",
    [
        lambda columns, rows: print_table("t", columns, rows, stream=io.StringIO()),
        markdown_table,
        lambda columns, rows: write_csv("/never/written.csv", columns, rows),
    ],
)
def test_a_row_of_the_wrong_width_is_an_error(write):
    with pytest.raises(ValueError, match="a row has 1 cells for 2 columns"):
        write(["a", "b"], [["x", 1], ["y"]])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1234567, "1234567"),
        (0.00001234, "1.234e-05"),
        (True, "True"),
        ("2.410", "2.410"),
    ],
)
def test_cells_read_well(value, text):
    assert cell_text(value) == text
