"""The tracker: one stream, several sinks; files must work, the others may fail once."""

import io
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstmlab.tracking import BestEffort, Progress, RunError, RunFiles, Tracker, open_tracker
from lstmlab.tracking.files import read_metrics, read_summary


class Recorder:
    """A sink that keeps what it is given, and fails where it is told to."""

    def __init__(self, fails_at=()):
        self.calls, self._fails_at = [], fails_at

    def __getattr__(self, method):
        def record(*arguments):
            self.calls.append((method, *arguments))
            if method in self._fails_at:
                raise ConnectionError("wire\ncut")

        return record


def test_every_sink_gets_every_call():
    sinks = [Recorder(), Recorder()]
    pixels, frames = np.zeros((2, 2), np.uint8), np.zeros((3, 2, 2), np.uint8)
    tracker = Tracker(*sinks)
    tracker.log(1, {"loss": 0.5})
    tracker.text(1, "sample", "abc")
    tracker.image(1, "gates", pixels)
    tracker.image(1, "curve", "curve.png")
    tracker.video(1, "frames", frames)
    tracker.table(1, "cells", ["cell"], [["lstm"]])
    tracker.finish({"loss": 0.25})
    for sink in sinks:
        assert sink.calls == [
            ("log", 1, {"loss": 0.5}),
            ("text", 1, "sample", "abc"),
            ("image", 1, "gates", pixels),
            ("image", 1, "curve", Path("curve.png")),
            ("video", 1, "frames", frames),
            ("table", 1, "cells", ["cell"], [["lstm"]]),
            ("finish", {"loss": 0.25}),
        ]


def test_scalars_of_numpy_and_jax_become_python_numbers():
    import jax.numpy as jnp

    sink = Recorder()
    values = {"a": np.float32(0.5), "b": jnp.asarray(0.25), "c": np.asarray(3), "d": True}
    Tracker(sink).log(1, values)
    (_, _, logged) = sink.calls[0]
    assert logged == {"a": 0.5, "b": 0.25, "c": 3, "d": True}
    assert [type(value) for value in logged.values()] == [float, float, int, bool]


@pytest.mark.parametrize("value", [np.zeros(2), np.zeros((1,)), "0.5", None, {"a": 1}])
def test_a_metric_that_is_not_one_number_is_refused_by_name(value):
    sink = Recorder()
    with pytest.raises(TypeError, match="metric 'train/loss' must be one number"):
        Tracker(sink).log(1, {"train/loss": value})
    assert sink.calls == []


def test_leaving_normally_finishes_the_run(tmp_path):
    with Tracker(RunFiles(tmp_path)) as tracker:
        tracker.log(1, {"loss": 1.0})
    assert read_summary(tmp_path) == {"status": "finished"}


def test_leaving_with_an_exception_fails_the_run_and_lets_the_exception_pass(tmp_path):
    with pytest.raises(ValueError, match="two"), Tracker(RunFiles(tmp_path)):
        raise ValueError("one\ntwo")
    assert read_summary(tmp_path) == {"status": "failed", "error": "ValueError: one two"}


def test_an_interrupted_run_is_a_failed_run(tmp_path):
    with pytest.raises(KeyboardInterrupt), Tracker(RunFiles(tmp_path)):
        raise KeyboardInterrupt
    assert read_summary(tmp_path) == {"status": "failed", "error": "interrupted"}


def test_a_finished_run_stays_finished_whatever_comes_after(tmp_path):
    with pytest.raises(ValueError), Tracker(RunFiles(tmp_path)) as tracker:
        tracker.finish({"loss": 1.0})
        raise ValueError
    assert read_summary(tmp_path)["status"] == "finished"
    with pytest.raises(RunError, match="the run is finished"):
        tracker.log(2, {"loss": 1.0})
    with pytest.raises(RunError, match="the run is finished"):
        tracker.fail("too late")


def test_a_full_disk_is_an_error_of_the_run(tmp_path, monkeypatch):
    files = RunFiles(tmp_path)

    def no_space(text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_stream", type("Full", (), {"write": staticmethod(no_space)})())
    with pytest.raises(OSError, match="No space left"):
        Tracker(files).log(1, {"loss": 1.0})


def test_a_failure_while_failing_does_not_hide_the_first_exception():
    other = Recorder()
    broken = Recorder(fails_at=["fail"])
    with pytest.raises(ValueError, match="first") as caught, Tracker(broken, other):
        raise ValueError("first")
    assert "could not be recorded: ConnectionError: wire cut" in caught.value.__notes__[0]
    assert other.calls == [("fail", "ValueError: first")]


@pytest.mark.parametrize("method", ["log", "text", "image", "finish"])
def test_a_best_effort_sink_that_fails_is_one_warning_and_then_left_out(tmp_path, caplog, method):
    flaky = Recorder(fails_at=[method])
    optional = BestEffort("W&B", lambda: flaky)
    with Tracker(RunFiles(tmp_path), optional) as tracker:
        for step in (1, 2):
            tracker.log(step, {"loss": 1.0})
            tracker.text(step, "sample", "abc")
            tracker.image(step, "gates", np.zeros((2, 2), np.uint8))
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 2]
    assert read_summary(tmp_path)["status"] == "finished"
    assert [call[0] for call in flaky.calls].count(method) == 1
    assert flaky.calls[-1][0] == method
    assert not optional.alive
    [warning] = caplog.messages
    assert warning.startswith("W&B is left out from here on (ConnectionError: wire cut)")


def test_a_best_effort_sink_that_cannot_be_made_is_one_warning(tmp_path, caplog):
    def make():
        raise ImportError("no module named 'wandb'")

    with Tracker(RunFiles(tmp_path), BestEffort("W&B", make)) as tracker:
        tracker.log(1, {"loss": 1.0})
    assert len(caplog.messages) == 1
    assert caplog.records[0].levelno == logging.WARNING
    assert read_summary(tmp_path)["status"] == "finished"


def test_ctrl_c_inside_a_best_effort_sink_still_stops_the_run():
    def make():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BestEffort("W&B", make)


def test_a_broken_terminal_does_not_stop_a_run(tmp_path, caplog):
    terminal = io.StringIO()
    progress = Progress("lstm · copy", 10, out=terminal, err=terminal)
    terminal.close()
    with open_tracker(tmp_path, progress=progress) as tracker:
        tracker.log(10, {"loss": 1.0})
    assert read_summary(tmp_path)["status"] == "finished"
    assert len(caplog.messages) == 1


def test_open_tracker_starts_over_or_resumes(tmp_path):
    with open_tracker(tmp_path) as tracker:
        for step in (10, 20, 30):
            tracker.log(step, {"loss": 1.0})
    with open_tracker(tmp_path, resume_step=20) as tracker:
        tracker.log(25, {"loss": 1.0})
    assert [row["step"] for row in read_metrics(tmp_path)] == [10, 20, 25]
    with open_tracker(tmp_path) as tracker:
        tracker.log(1, {"loss": 1.0})
    assert [row["step"] for row in read_metrics(tmp_path)] == [1]


def test_importing_the_package_loads_nothing_heavy():
    program = (
        "import sys, lstmlab.tracking\n"
        "print([name for name in ('wandb', 'matplotlib', 'jax', 'flax', 'rich') "
        "if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
