"""Runs and sweeps are stopped at random: they go on to the same bits, and nothing that was computed is lost."""

import shutil
import signal
import time

import pytest
from gauntlet_runs import ADDING, SLOW, assert_same_run, environment, resuming
from processes import started

from lstmlab.tracking.files import read_metrics

pytestmark = SLOW
SIGNALS = {
    signal.SIGKILL: (-9,),
    signal.SIGTERM: (143, -15),
    signal.SIGINT: (130, -2),
}  # negative: after the end, while Python exits


@pytest.mark.parametrize("sweep", [False, True], ids=["run", "sweep"])
def test_signals_at_every_stage(sweep, dice, rounds, tried, tmp_path):
    variables = environment(tmp_path / "cache")
    began = time.monotonic()
    with started(*arguments(tmp_path / "alone", sweep=sweep), **variables) as process:
        assert process.end().code == 0
    took = time.monotonic() - began
    for number in rounds:
        place = tmp_path / str(number)
        for _ in range(dice.randrange(1, 4)):
            more = goes_on(place, sweep)
            sent, pause = dice.choice(list(SIGNALS)), dice.uniform(0, took)
            with started(*arguments(place, *more, sweep=sweep), **variables) as process:
                deadline = time.monotonic() + pause
                while time.monotonic() < deadline and not process.ended:
                    time.sleep(0.01)
                if process.ended:
                    tried["ended before the signal"] += 1
                    assert process.end().code == 0, process.outcome()
                    continue
                # Not "**": the run adds and removes checkpoints meanwhile.
                found = [*place.glob("metrics.jsonl"), *place.glob("*/metrics.jsonl")]
                rows = sum(len(read_metrics(path.parent)) for path in found)
                process.send(sent)
                left = process.end()
            print(f"round {number}: {sent.name} after {pause:.2f} s and {rows} rows: {left.code}")
            tried[f"{sent.name} after {'some' if rows else 'no'} rows: exit status {left.code}"] += 1
            if rows:  # before, it may have come while Python was starting
                assert left.code in (*SIGNALS[sent], 0), left
                assert "Traceback" not in left.err, left.err
        more = goes_on(place, sweep)
        with started(*arguments(place, *more, sweep=sweep), **variables) as process:
            ended = process.end()
        assert ended.code == 0, ended
        for directory in sorted(path.parent for path in (tmp_path / "alone").glob("**/summary.json")):
            assert_same_run(place / directory.relative_to(tmp_path / "alone"), directory)
        shutil.rmtree(place)


def arguments(directory, *more, sweep):
    place = [f"hydra.sweep.dir={directory}", "-m", "seed=0,1,2"] if sweep else [f"hydra.run.dir={directory}"]
    return ["-m", "lstmlab.cli", *ADDING, *place, *more]


def goes_on(place, sweep):
    """The override with which there is something to resume."""
    return (["resume=true"] if place.exists() else []) if sweep else resuming(place)
