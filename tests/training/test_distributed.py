"""One run by two processes that know each other through ``jax.distributed``: one set of files, one end."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_runs import TASKS, TINY, command, hears_ctrl_c, run, small, untimed

from lstmlab.tracking.files import METRICS, read_metrics, read_summary

PATIENCE = 120.0  # seconds until a process counts as hanging
TOGETHER = ["training.devices=0", "training.distributed=true"]
ROOT = Path(__file__).parents[2]


class Pair:
    """Two processes of one run; the second one stands in a folder of its own, which must stay empty."""

    def __init__(self, folder, directory, *more):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir(exist_ok=True)
        arguments = ["task=adding", *TASKS["adding"], *TINY, *TOGETHER, f"hydra.run.dir={directory}", *more]
        shared = os.environ | {
            "PYTHONPATH": str(ROOT), "LSTMLAB_CACHE_DIR": str(folder / "programs"), "JAX_PLATFORMS": "cpu",
            "JAX_NUM_CPU_DEVICES": "1", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "LSTMLAB_COORDINATOR": f"localhost:{port}", "LSTMLAB_PROCESSES": "2",
        }  # fmt: skip
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "lstmlab.cli", *arguments], cwd=cwd, text=True,
                env=shared | {"LSTMLAB_PROCESS": str(index)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                preexec_fn=hears_ctrl_c,
            )
            for index, cwd in enumerate((folder, self.elsewhere))
        ]  # fmt: skip

    def end(self):
        """Exit statuses, and what each process wrote to its terminal, without what XLA says of its sockets."""
        written = ["".join(process.communicate(timeout=PATIENCE)) for process in self.processes]
        assert list(self.elsewhere.iterdir()) == []
        lines = [[line for line in text.splitlines() if not line.startswith("[Gloo]")] for text in written]
        return [process.returncode for process in self.processes], lines

    def wait_for(self, reached):
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert all(process.poll() is None for process in self.processes), self.end()
            assert time.monotonic() < deadline, "the run hangs"
            time.sleep(0.01)


def assert_same_curve(directory, other):
    rows, expected = untimed(read_metrics(directory)), untimed(read_metrics(other))
    assert [row["step"] for row in rows] == [row["step"] for row in expected]
    for row, told in zip(rows, expected, strict=True):
        assert row == pytest.approx(told, rel=1e-3)


def test_two_processes_train_one_run_and_one_of_them_writes(tmp_path):
    run(small("adding"), tmp_path / "alone")
    status, written = Pair(tmp_path, tmp_path / "both").end()
    assert status == [0, 0], written
    assert written[1] == []
    assert_same_curve(tmp_path / "both", tmp_path / "alone")
    summary = read_summary(tmp_path / "both")
    assert (summary["status"], summary["processes"], summary["devices"]) == ("finished", 2, 2)


def test_an_interrupt_of_one_stops_both_and_they_can_go_on(tmp_path):
    settings = ["training.steps=200", "training.eval_every=40", "training.checkpoint_every=20"]
    pair = Pair(tmp_path, tmp_path / "both", *settings)
    pair.wait_for(lambda: (tmp_path / "both" / METRICS).exists() and len(read_metrics(tmp_path / "both")) > 12)
    pair.processes[1].send_signal(signal.SIGINT)
    status, written = pair.end()
    assert status == [130, 130], written
    assert read_summary(tmp_path / "both")["status"] == "failed", "it ended before it was interrupted: take more steps"
    status, written = Pair(tmp_path, tmp_path / "both", *settings, "resume=true").end()
    assert status == [0, 0], written
    run(small("adding", *settings), tmp_path / "alone")
    assert_same_curve(tmp_path / "both", tmp_path / "alone")
    # And once more: it has finished, so both load it.
    before = (tmp_path / "both" / METRICS).stat().st_mtime_ns
    status, written = Pair(tmp_path, tmp_path / "both", *settings, "resume=true").end()
    assert status == [0, 0], written
    assert (tmp_path / "both" / METRICS).stat().st_mtime_ns == before


def test_what_fails_in_one_ends_both_with_one_line(tmp_path):
    status, written = Pair(tmp_path, tmp_path / "run", "optimizer.learning_rate=1e30", "optimizer.clip_norm=0").end()
    assert status == [1, 1], written
    assert any("stopped being finite" in line for line in written[0])
    assert written[1] == []


@pytest.mark.slow
def test_a_killed_process_does_not_leave_the_other_waiting(tmp_path):
    pair = Pair(tmp_path, tmp_path / "run", "training.steps=100000")
    pair.wait_for(lambda: (tmp_path / "run" / METRICS).exists())
    pair.processes[1].kill()
    status, _ = pair.end()
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
