"""A sweep that was killed or stopped goes on where it stood, and ends as if it had been left alone."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from population_runs import assert_ran_as
from small_runs import command, hears_ctrl_c, overrides

from lstmlab.tracking.files import METRICS, SUMMARY, read_summary

ROOT = Path(__file__).parents[2]
# Two runs at a time: some have finished, some are under way, some have not begun.
SWEEP = [
    "-m", "seed=range(6)", "cell=rnn", "training.steps=40", "training.log_every=1", "training.eval_every=10",
    "training.checkpoint_every=4", "hydra.launcher.workers=1", "hydra.sweep.subdir=${hydra.job.num}",
]  # fmt: skip
PATIENCE = 120.0  # seconds until a process counts as hanging


def arguments(directory, *more):
    return [*overrides("adding"), *SWEEP, f"hydra.sweep.dir={directory}", *more]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The sweep that nobody disturbed."""
    directory = tmp_path_factory.mktemp("alone")
    assert command(*arguments(directory)).code == 0
    return directory


def stop(directory, number):
    """Start the sweep as a process, and send it a signal soon after the first run has finished."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "lstmlab.cli", *arguments(directory)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=hears_ctrl_c,
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE
    while not list(directory.glob(f"*/{SUMMARY}")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "the sweep hangs"
        time.sleep(0.002)
    pause = random.uniform(0, 0.5)
    time.sleep(pause)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    print(f"stopped {pause:.4f} s later")
    return process.returncode, errors


def finished(directory):
    """When the models of finished runs were written."""
    done = [path.parent for path in directory.glob(f"*/{SUMMARY}") if read_summary(path.parent)["status"] == "finished"]
    return {path.name: (path / "model.npz").stat().st_mtime_ns for path in done}


def assert_resumes(directory, alone):
    before = finished(directory)
    assert 0 < len(before) < 6, "the sweep ended before it was stopped: take more steps"
    assert command(*arguments(directory, "resume=true")).code == 0
    after = finished(directory)
    assert after.keys() == set("012345")
    assert {name: after[name] for name in before} == before
    for name in after:
        assert_ran_as(directory / name, alone / name)


def test_a_killed_sweep_is_resumed_to_the_same_bits(alone, tmp_path):
    code, _ = stop(tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert list(tmp_path.glob(f"*/{METRICS}"))
    assert_resumes(tmp_path, alone)


def test_a_stopped_sweep_says_so_in_one_line_and_is_resumed_to_the_same_bits(alone, tmp_path):
    code, errors = stop(tmp_path, signal.SIGINT)
    assert code == 130
    lines = [line for line in errors.splitlines() if line.startswith("lstmlab: ")]
    assert lines == ["lstmlab: stopped; add resume=true hydra.run.dir=DIR (or hydra.sweep.dir=DIR) to go on"]
    assert "Traceback" not in errors
    assert_resumes(tmp_path, alone)


def test_a_finished_sweep_is_not_run_again(alone):
    before = finished(alone)
    assert command(*arguments(alone, "resume=true")).code == 0
    assert finished(alone) == before
