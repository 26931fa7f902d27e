"""What a run directory holds is shown on the terminal; it does not act there."""

import io

import pytest

from lstmlab.printable import escaped
from lstmlab.tracking import Progress, print_table

ACTS = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\rb", "\x08\x08", "\u202eabc", "\x00", "\x7f", "two\nlines"]


@pytest.mark.parametrize("text", ACTS)
def test_what_acts_on_a_terminal_is_shown_by_its_number(text):
    shown = escaped(text)
    assert "\\" in shown
    assert shown.isprintable()
    assert escaped(shown) == shown


def test_what_only_shows_stays():
    text = "Ünïcode · 日本 · \\x1b as text 👩‍🚀"
    assert escaped(text) == text


@pytest.mark.parametrize("text", ACTS)
def test_tables_and_progress_lines_show_it(text):
    out, err = io.StringIO(), io.StringIO()
    print_table(f"title {text}", [f"column {text}"], [[f"cell {text}"]], stream=out)
    bar = Progress(f"name {text}", 2, out=out, err=err)
    bar.log(1, {"loss": 1.0})
    bar.fail(f"reason {text}")
    for line in (out.getvalue() + err.getvalue()).splitlines():
        assert line.isprintable(), line
