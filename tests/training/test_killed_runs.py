"""A run killed at a random moment and resumed ends with the same bits as one left alone.

Every run is a process of its own, started from the command line, and nothing prepares it for its end: SIGKILL.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from small_runs import TASKS, TINY, assert_same_bits, parameters, untimed

from lstmlab.tracking.files import METRICS, read_metrics, read_summary

STEPS = 60
OFTEN = [f"training.steps={STEPS}", "training.log_every=1", "training.eval_every=10", "training.checkpoint_every=2"]
PATIENCE = 120.0  # seconds until a process counts as hanging


def start(directory, task, cache, *more, optimised=False):
    """The process of a run."""
    arguments = [f"task={task}", *TASKS[task], *TINY, *OFTEN, f"hydra.run.dir={directory}", *more]
    environment = os.environ | {"LSTMLAB_CACHE_DIR": str(cache), "LSTMLAB_DATA_DIR": str(cache)}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "0" if optimised else "1"
    arguments += ["wandb.mode=offline"] if optimised else []
    command = [sys.executable, "-m", "lstmlab.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def to_the_end(process):
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()


def kill(process, reached):
    """SIGKILL a random moment after ``reached()``; the moment is printed when the test fails."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline, "the run hangs"
        time.sleep(0.002)
    pause = random.uniform(0, 0.15)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    print(f"killed {pause:.4f} s later")
    assert process.returncode == -signal.SIGKILL, "the run ended before it was killed: take more steps"


def rows(directory):
    path = directory / METRICS
    return path.read_bytes().count(b"\n") if path.exists() else 0


def checkpoints(directory):
    return [path for path in (directory / "checkpoints").glob("*") if path.name.isdigit()]


def assert_as_if_left_alone(directory, alone):
    assert_same_bits(parameters(directory), parameters(alone))
    assert untimed(read_metrics(directory)) == untimed(read_metrics(alone))
    summaries = [read_summary(where) for where in (directory, alone)]
    for key in ("status", "steps", "best_step", "value", "test", "validation"):
        assert summaries[0][key] == summaries[1][key]
    assert summaries[0]["status"] == "finished"


# `char_lm` carries its state and its place in the text; `adding` is compiled and tracked as users do it.
@pytest.mark.parametrize(
    ("task", "settings"),
    [("adding", {"optimised": True}), ("char_lm", {})],
    ids=["fresh batches", "carried state"],
)
def test_killed_twice_and_resumed_is_as_if_left_alone(task, settings, tmp_path):
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    # Two caches: the undisturbed run compiles every program, the last resumed one finds them compiled.
    to_the_end(start(alone, task, tmp_path / "cold", **settings))
    first = random.randrange(3, STEPS // 3)
    process = start(killed, task, tmp_path / "warm", **settings)
    kill(process, lambda: rows(killed) >= first and checkpoints(killed))
    before = rows(killed)
    second = random.randrange(STEPS // 2, 2 * STEPS // 3)
    process = start(killed, task, tmp_path / "warm", "resume=true", **settings)
    kill(process, lambda: rows(killed) >= second)
    print(f"after {before} and {rows(killed)} of {STEPS} rows")
    to_the_end(start(killed, task, tmp_path / "warm", "resume=true", **settings))
    assert_as_if_left_alone(killed, alone)


def test_killed_before_the_first_checkpoint_it_starts_again(tmp_path):
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    to_the_end(start(alone, "adding", tmp_path / "programs"))
    process = start(killed, "adding", tmp_path / "programs", "training.checkpoint_every=0")
    kill(process, (killed / "config.yaml").exists)
    assert not checkpoints(killed)
    to_the_end(start(killed, "adding", tmp_path / "programs", "training.checkpoint_every=0", "resume=true"))
    assert_as_if_left_alone(killed, alone)
