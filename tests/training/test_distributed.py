"""One run by two processes that know each other through ``jax.distributed``: one set of files, one end."""

import contextlib
import signal
import socket
from pathlib import Path

import pytest
from processes import started
from small_runs import TASKS, TINY, command, run, small, untimed

from lstmlab.tracking.files import METRICS, read_metrics, read_summary

TOGETHER = ["training.devices=0", "training.distributed=true"]
ROOT = Path(__file__).parents[2]


class Pair:
    """Two processes of one run; the second one stands in a folder of its own, which must stay empty."""

    def __init__(self, folder, processes):
        self.elsewhere, self.processes = folder, processes

    def end(self):
        """Exit statuses, and what each process wrote to its terminal, without what XLA says of its sockets."""
        outcomes = [process.end() for process in self.processes]
        assert list(self.elsewhere.iterdir()) == []
        written = [(outcome.out + outcome.err).splitlines() for outcome in outcomes]
        lines = [[line for line in some if not line.startswith("[Gloo]")] for some in written]
        return [outcome.code for outcome in outcomes], lines


@contextlib.contextmanager
def pair(folder, directory, *more):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    arguments = ["task=adding", *TASKS["adding"], *TINY, *TOGETHER, f"hydra.run.dir={directory}", *more]
    shared = {
        "PYTHONPATH": str(ROOT), "LSTMLAB_CACHE_DIR": str(folder / "programs"), "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": "1", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "LSTMLAB_COORDINATOR": f"localhost:{port}", "LSTMLAB_PROCESSES": "2",
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(started("-m", "lstmlab.cli", *arguments, cwd=cwd, **shared, LSTMLAB_PROCESS=str(index)))
            for index, cwd in enumerate((folder, elsewhere))
        ]
        yield Pair(elsewhere, processes)


def train_together(*arguments):
    with pair(*arguments) as both:
        return both.end()


def assert_same_curve(directory, other):
    rows, expected = untimed(read_metrics(directory)), untimed(read_metrics(other))
    assert [row["step"] for row in rows] == [row["step"] for row in expected]
    for row, told in zip(rows, expected, strict=True):
        assert row == pytest.approx(told, rel=1e-3)


def test_two_processes_train_one_run_and_one_of_them_writes(tmp_path):
    run(small("adding"), tmp_path / "alone")
    status, written = train_together(tmp_path, tmp_path / "both")
    assert status == [0, 0], written
    assert written[1] == []
    assert_same_curve(tmp_path / "both", tmp_path / "alone")
    summary = read_summary(tmp_path / "both")
    assert (summary["status"], summary["processes"], summary["devices"]) == ("finished", 2, 2)


def test_an_interrupt_of_one_stops_both_and_they_can_go_on(tmp_path):
    settings = ["training.steps=200", "training.eval_every=40", "training.checkpoint_every=20"]
    rows = tmp_path / "both" / METRICS
    with pair(tmp_path, tmp_path / "both", *settings) as both:
        both.processes[1].wait_for(lambda: rows.exists() and len(read_metrics(tmp_path / "both")) > 12)
        both.processes[1].send(signal.SIGINT)
        status, written = both.end()
    assert status == [130, 130], written
    assert read_summary(tmp_path / "both")["status"] == "failed", "it ended before it was interrupted: take more steps"
    status, written = train_together(tmp_path, tmp_path / "both", *settings, "resume=true")
    assert status == [0, 0], written
    run(small("adding", *settings), tmp_path / "alone")
    assert_same_curve(tmp_path / "both", tmp_path / "alone")
    # And once more: it has finished, so both load it.
    before = (tmp_path / "both" / METRICS).stat().st_mtime_ns
    status, written = train_together(tmp_path, tmp_path / "both", *settings, "resume=true")
    assert status == [0, 0], written
    assert (tmp_path / "both" / METRICS).stat().st_mtime_ns == before


def test_what_fails_in_one_ends_both_with_one_line(tmp_path):
    status, written = train_together(
        tmp_path, tmp_path / "run", "optimizer.learning_rate=1e30", "optimizer.clip_norm=0"
    )
    assert status == [1, 1], written
    assert any("stopped being finite" in line for line in written[0])
    assert written[1] == []


@pytest.mark.slow
def test_a_killed_process_does_not_leave_the_other_waiting(tmp_path):
    with pair(tmp_path, tmp_path / "run", "training.steps=100000") as both:
        both.processes[1].wait_for((tmp_path / "run" / METRICS).exists)
        both.processes[1].send(signal.SIGKILL)
        status, _ = both.end()
    assert status[0] != 0
    assert status[1] == -signal.SIGKILL


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"LSTMLAB_PROCESSES": "2"}, "LSTMLAB_COORDINATOR is not set, but LSTMLAB_PROCESSES is"),
        ({"LSTMLAB_COORDINATOR": "here"}, "LSTMLAB_PROCESSES is not set"),
        ({"LSTMLAB_COORDINATOR": "here", "LSTMLAB_PROCESSES": "2", "LSTMLAB_PROCESS": "0"}, "'here', but must be HOST"),
        ({"LSTMLAB_COORDINATOR": "a:1", "LSTMLAB_PROCESSES": "2", "LSTMLAB_PROCESS": "2"}, "LSTMLAB_PROCESS is 2, but"),
        (
            {"LSTMLAB_COORDINATOR": "a:1", "LSTMLAB_PROCESSES": "no", "LSTMLAB_PROCESS": "2"},
            "LSTMLAB_PROCESSES is 'no'",
        ),
        ({}, "set LSTMLAB_COORDINATOR, LSTMLAB_PROCESSES and LSTMLAB_PROCESS"),
    ],
)
def test_a_wrong_environment_is_one_line(environment, told, monkeypatch, tmp_path):
    for name in ("COORDINATOR", "PROCESSES", "PROCESS"):
        monkeypatch.delenv(f"LSTMLAB_{name}", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    outcome = command("task=adding", *TOGETHER, f"hydra.run.dir={tmp_path / 'run'}")
    assert outcome.code == 1
    assert told in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_sweep_is_refused(tmp_path):
    outcome = command("-m", "task=adding", *TOGETHER, "seed=0,1", f"hydra.sweep.dir={tmp_path / 'sweep'}")
    assert outcome.code == 1
    assert "training.distributed=true is for one run at a time" in outcome.err
    assert not (tmp_path / "sweep").exists()
