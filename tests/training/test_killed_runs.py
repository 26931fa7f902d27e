"""A run killed at a random moment and resumed ends with the same bits as one left alone.

Every run is a process of its own, started from the command line, and nothing prepares it for its end: SIGKILL.
"""

import functools
import random
import signal
import time
from pathlib import Path

import pytest
from processes import started
from small_runs import TASKS, TINY, assert_same_bits, parameters, untimed

from lstmlab.tracking.files import METRICS, read_metrics, read_summary

ROOT = Path(__file__).parents[2]
STEPS = 60
OFTEN = [f"training.steps={STEPS}", "training.log_every=1", "training.eval_every=10", "training.checkpoint_every=2"]


def start(directory, task, cache, *more, optimised=False):
    """The process of a run."""
    arguments = [f"task={task}", *TASKS[task], *TINY, *OFTEN, f"hydra.run.dir={directory}", *more]
    arguments += ["wandb.mode=offline"] if optimised else []
    return started(
        "-m", "lstmlab.cli", *arguments, PYTHONPATH=str(ROOT), LSTMLAB_CACHE_DIR=str(cache),
        LSTMLAB_DATA_DIR=str(cache), JAX_DISABLE_MOST_OPTIMIZATIONS="0" if optimised else "1",
    )  # fmt: skip


def run_to_the_end(*arguments, **settings):
    with start(*arguments, **settings) as process:
        outcome = process.end()
    assert outcome.code == 0, outcome.err


def kill(reached, *arguments, **settings):
    """SIGKILL a random moment after ``reached()``; the moment is printed when the test fails."""
    pause = random.uniform(0, 0.15)
    with start(*arguments, **settings) as process:
        process.wait_for(reached)
        time.sleep(pause)
        process.send(signal.SIGKILL)
        outcome = process.end()
    print(f"killed {pause:.4f} s later")
    assert outcome.code == -signal.SIGKILL, "the run ended before it was killed: take more steps"


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


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The directory of a run of a task that nobody disturbs; it compiles every program."""

    @functools.cache
    def directory(task, **settings):
        folder = tmp_path_factory.mktemp("alone")
        run_to_the_end(folder / "run", task, folder / "cold", **settings)
        return folder / "run"

    return directory


# `char_lm` carries its state and its place in the text; `adding` is compiled and tracked as users do it.
@pytest.mark.parametrize(
    ("task", "settings"),
    [("adding", {"optimised": True}), ("char_lm", {})],
    ids=["fresh batches", "carried state"],
)
def test_killed_twice_and_resumed_is_as_if_left_alone(task, settings, tmp_path, undisturbed):
    alone, killed = undisturbed(task, **settings), tmp_path / "killed"
    # A cache of its own: the last resumed run finds its programs compiled.
    warm = killed, task, tmp_path / "warm"
    first = random.randrange(3, STEPS // 3)
    kill(lambda: rows(killed) >= first and checkpoints(killed), *warm, **settings)
    before = rows(killed)
    second = random.randrange(STEPS // 2, 2 * STEPS // 3)
    kill(lambda: rows(killed) >= second, *warm, "resume=true", **settings)
    print(f"after {before} and {rows(killed)} of {STEPS} rows")
    run_to_the_end(*warm, "resume=true", **settings)
    assert_as_if_left_alone(killed, alone)


def test_killed_before_the_first_checkpoint_it_starts_again(tmp_path, undisturbed):
    alone, killed = undisturbed("char_lm"), tmp_path / "killed"
    settings = killed, "char_lm", tmp_path / "programs", "training.checkpoint_every=0"
    kill((killed / "config.yaml").exists, *settings)
    assert not checkpoints(killed)
    run_to_the_end(*settings, "resume=true")
    assert_as_if_left_alone(killed, alone)
