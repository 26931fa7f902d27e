"""W&B's helper process is killed while a run logs: the run finishes with the same bits and all of its files."""

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from gauntlet_runs import ADDING, SLOW, assert_same_run, environment
from processes import started

pytestmark = [*SLOW, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="children are found in /proc")]


def training(directory):
    return ["-m", "lstmlab.cli", *ADDING, "wandb.mode=offline", f"hydra.run.dir={directory}"]


def helpers(parent):
    """The processes of wandb that a process has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # it has ended
            text = status.read_text()
            if f"PPid:\t{parent}\n" in text and "Name:\twandb" in text and "State:\tZ" not in text:
                found.append(int(status.parent.name))
    return found


def test_wandbs_helper_is_killed(dice, rounds, tried, tmp_path):
    variables, alone = environment(tmp_path / "cache"), tmp_path / "alone"
    with started(*training(alone), **variables) as process:
        assert process.end().code == 0
    for number in rounds:
        directory = tmp_path / str(number)
        with started(*training(directory), **variables) as process:
            process.wait_for(lambda process=process: helpers(process.pid))
            pause = dice.choice((0, dice.uniform(0, 3)))
            time.sleep(pause)
            found = helpers(process.pid)
            for helper in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(helper, signal.SIGKILL)
            ended = process.end()
        print(f"round {number}: {len(found)} killed after {pause:.2f} s")
        tried["killed" if found else "had ended before"] += 1
        assert ended.code == 0, ended
        assert "Traceback" not in ended.err, ended
        assert ended.err.count("W&B is left out from here on") <= 1, ended
        assert_same_run(directory, alone)
        shutil.rmtree(directory)
