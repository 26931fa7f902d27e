"""Progress: a bar on a terminal, a few plain lines elsewhere, one line per finished run."""

import io
import re

import numpy as np
import pytest

from lstmlab.tracking import Progress, Tracker
from lstmlab.tracking.progress import duration


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def streams():
    return {"out": io.StringIO(), "err": io.StringIO(), "clock": Clock()}


def test_the_finished_line_goes_to_standard_output(streams):
    progress = Progress("lstm · char_lm", 2000, metric="validation/bpc", **streams)
    with Tracker(progress) as tracker:
        streams["clock"].now += 41
        tracker.log(2000, {"train/loss": 1.7, "validation/bpc": 2.5})
        tracker.finish({"validation/bpc": np.float32(2.41)})
    line = "lstm · char_lm · 2000 steps · 41 s · validation/bpc 2.41\n"
    assert streams["out"].getvalue() == line


def test_without_the_metric_in_the_summary_the_last_logged_value_is_shown(streams):
    with Tracker(Progress("gru · copy", 10, metric="validation/loss", **streams)) as tracker:
        tracker.log(5, {"validation/loss": 0.5})
        tracker.log(10, {"train/loss": 0.1})
    assert streams["out"].getvalue() == "gru · copy · 10 steps · 0.0 s · validation/loss 0.5\n"


def test_a_run_without_any_value_still_leaves_its_line(streams):
    Progress("gru · copy", 10, metric="validation/loss", **streams).finish({})
    assert streams["out"].getvalue() == "gru · copy · 0 steps · 0.0 s\n"


def test_plain_lines_come_every_ten_seconds_at_most_and_hold_no_control_codes(streams, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    clock = streams["clock"]
    progress = Progress("lstm · copy", 300, metric="validation/loss", **streams)
    tracker = Tracker(progress)
    for step in range(1, 200):
        clock.now += 0.125
        tracker.log(step, {"train/loss": 2.0 - step / 200, "other": 1.0})
    tracker.log(200, {"validation/loss": 0.75})
    assert streams["err"].getvalue().splitlines() == [
        "lstm · copy · 80/300 steps · train/loss 1.6 · 8 steps/s · 28 s left",
        "lstm · copy · 160/300 steps · train/loss 1.2 · 8 steps/s · 18 s left",
    ]
    assert streams["out"].getvalue() == ""
    assert "\x1b" not in streams["err"].getvalue()


def test_a_resumed_run_counts_its_speed_from_where_it_resumed(streams):
    progress = Progress("lstm · copy", 1100, start=1000, **streams)
    for step in (1025, 1050):
        streams["clock"].now += 5
        progress.step(step)
    assert "1050/1100 steps · 5 steps/s · 10 s left" in streams["err"].getvalue()


def test_the_time_left_does_not_count_compiling(streams):
    progress = Progress("lstm · copy", 1000, **streams)
    progress.step(0)  # a run that has been opened
    for seconds, step in ((60, 100), (5, 150), (5, 200)):
        streams["clock"].now += seconds
        progress.step(step)
    assert streams["err"].getvalue().splitlines() == [
        "lstm · copy · 100/1000 steps",
        "lstm · copy · 200/1000 steps · 10 steps/s · 1 min 20 s left",
    ]


def test_a_failed_run_says_where_and_why_on_standard_error(streams):
    progress = Progress("lstm · copy", 10, **streams)
    with pytest.raises(ValueError), Tracker(progress) as tracker:
        tracker.log(3, {"train/loss": 1.0})
        raise ValueError("loss is\nnan")
    assert streams["out"].getvalue() == ""
    line = "lstm · copy · failed at step 3 · 0.0 s · ValueError: loss is nan\n"
    assert streams["err"].getvalue() == line


def test_on_a_terminal_bars_come_and_go_and_leave_one_line_per_run(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    out, err = io.StringIO(), Terminal()
    for cell in ("lstm", "gru"):
        progress = Progress(f"{cell} [x]", 20, metric="validation/loss", out=out, err=err)
        with Tracker(progress) as tracker:
            for step in (10, 20):
                tracker.log(step, {"validation/loss": 1 / step})
                print("a result of the program's own", file=out)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err.getvalue())
    assert re.search(r"lstm \[x\] .*20/20 validation/loss 0\.05", drawn)
    assert re.search(r"gru \[x\] .*20/20 validation/loss 0\.05", drawn)
    # The cursor is hidden while a bar lives, and every bar has given it back.
    assert err.getvalue().count("\x1b[?25l") == err.getvalue().count("\x1b[?25h") == 2
    lines = out.getvalue().splitlines()
    assert [re.sub(r"[\d.]+ s ", "T ", line) for line in lines if "steps" in line] == [
        "lstm [x] · 20 steps · T · validation/loss 0.05",
        "gru [x] · 20 steps · T · validation/loss 0.05",
    ]
    assert "\x1b" not in out.getvalue()


def test_what_is_printed_into_a_pipe_while_a_bar_is_on_the_terminal_stays_in_the_pipe(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    progress = Progress("lstm · copy", 10, err=err)
    progress.step(5)
    print("a result")
    progress.finish({})
    assert capsys.readouterr().out.splitlines()[0] == "a result"
    assert "a result" not in err.getvalue()


@pytest.mark.parametrize("terminal", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(monkeypatch, terminal):
    monkeypatch.setenv("TERM", terminal)
    err = Terminal()
    Progress("lstm · copy", 10, interval=0.0, out=io.StringIO(), err=err).step(5)
    assert err.getvalue().startswith("lstm · copy · 5/10 steps")
    assert "\x1b" not in err.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text
