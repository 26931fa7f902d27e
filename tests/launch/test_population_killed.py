"""A sweep that was killed or stopped goes on where it stood, and ends as if it had been left alone."""

import random
import signal
import time
from pathlib import Path

import pytest
from population_runs import assert_ran_as
from processes import started
from small_runs import command, overrides

from lstmlab.tracking.files import METRICS, SUMMARY, read_summary

ROOT = Path(__file__).parents[2]
# Two runs at a time: some have finished, some are under way, some have not begun.
SWEEP = [
    "-m", "seed=range(6)", "cell=rnn", "training.steps=40", "training.log_every=1", "training.eval_every=10",
    "training.checkpoint_every=4", "hydra.launcher.workers=1", "hydra.sweep.subdir=${hydra.job.num}",
]  # fmt: skip


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
    environment = {"PYTHONPATH": str(ROOT), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    pause = random.uniform(0, 0.5)
    with started("-m", "lstmlab.cli", *arguments(directory), **environment) as process:
        process.wait_for(lambda: list(directory.glob(f"*/{SUMMARY}")))
        time.sleep(pause)
        process.send(number)
        outcome = process.end()
    print(f"stopped {pause:.4f} s later")
    return outcome


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
    assert stop(tmp_path, signal.SIGKILL).code == -signal.SIGKILL
    assert list(tmp_path.glob(f"*/{METRICS}"))
    assert_resumes(tmp_path, alone)


def test_a_stopped_sweep_says_so_in_one_line_and_is_resumed_to_the_same_bits(alone, tmp_path):
    stopped = stop(tmp_path, signal.SIGINT)
    assert stopped.code == 130
    lines = [line for line in stopped.err.splitlines() if line.startswith("lstmlab: ")]
    assert lines == ["lstmlab: stopped; add resume=true hydra.run.dir=DIR (or hydra.sweep.dir=DIR) to go on"]
    assert "Traceback" not in stopped.err
    assert_resumes(tmp_path, alone)


def test_a_finished_sweep_is_not_run_again(alone):
    before = finished(alone)
    assert command(*arguments(alone, "resume=true")).code == 0
    assert finished(alone) == before
