"""Runs are stopped, and their files damaged, at random until the time is over: `make gauntlet`.

Whatever happens, a run ends with the same bits, or says in one line what is wrong; nothing that was computed is lost.
GAUNTLET_MINUTES is the time of each test, GAUNTLET_SEED repeats one that failed. Each test prints what it has tried.
"""

import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from small_runs import TASKS, TINY, assert_same_bits, parameters, quick_programs, run, small, started, untimed

from lstmlab.config import ConfigError
from lstmlab.study.runs import read_run
from lstmlab.tracking.files import RunError, read_metrics, read_summary
from lstmlab.training import RunFailed, load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]
ROOT = Path(__file__).parents[2]
MINUTES = float(os.environ.get("GAUNTLET_MINUTES", "2"))
SETTINGS = ["training.steps=40", "training.log_every=2", "training.eval_every=10", "training.checkpoint_every=4"]
SIGNALS = {signal.SIGKILL: (-9,), signal.SIGTERM: (143, -15), signal.SIGINT: (130,)}


@pytest.fixture
def dice():
    """The dice of a test; the seed is printed."""
    seed = int(os.environ.get("GAUNTLET_SEED", random.SystemRandom().randrange(10**6)))
    print(f"\nGAUNTLET_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def rounds():
    """Numbers until the time is over; at least one."""

    def count():
        ends, number = time.monotonic() + 60 * MINUTES, 0
        while number == 0 or time.monotonic() < ends:
            yield number
            number += 1

    return count()


@pytest.fixture
def tried():
    """Counts what was tried, and prints it at the end."""
    counts = Counter()
    yield counts
    for what, times in sorted(counts.items()):
        print(f"{times:5d}  {what}")


def harms(dice):
    """Ways to damage a file, by name: the old content becomes the new one, or ``None`` for no file."""
    return {
        "emptied": lambda content: b"",
        "cut": lambda content: content[: dice.randrange(len(content))],
        "a bit flipped": lambda content: flipped(content, dice),
        "garbled": lambda content: dice.randbytes(len(content)),
        "doubled": lambda content: content + content,
        "deleted": lambda content: None,
    }


def flipped(content, dice):
    place = dice.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << dice.randrange(8))]) + content[place + 1 :]


def test_every_file_damaged_in_every_way(dice, rounds, tried, tmp_path_factory, tmp_path):
    with quick_programs(tmp_path_factory):
        whole = run(small("char_lm", *SETTINGS), tmp_path / "whole").directory
        before, value = parameters(whole), read_run(whole).value
        files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and path.stat().st_size)
        for number in rounds:
            copy = shutil.copytree(whole, tmp_path / str(number))
            file, (how, harm) = dice.choice(files), dice.choice(list(harms(dice).items()))
            ended = dice.random() < 0.5
            if not ended:
                (copy / "summary.json").unlink()
            if (copy / file).exists():
                content = harm((copy / file).read_bytes())
                (copy / file).unlink() if content is None else (copy / file).write_bytes(content)
            print(f"round {number}: {file} {how}, {'ended' if ended else 'not ended'}")
            results = [
                outcome(lambda copy=copy: load(copy).summary["value"], value),
                outcome(lambda copy=copy: read_run(copy).summary.get("value", value), value),
                outcome(lambda copy=copy: resumed(copy, before), value),
            ]
            kind = "checkpoints/…" if file.parts[0] == "checkpoints" else str(file)
            tried[f"{kind} {how}: {', '.join(results)}"] += 1
            shutil.rmtree(copy)


def resumed(copy, before):
    trained = run(small("char_lm", *SETTINGS, "resume=true"), copy)
    assert_same_bits(parameters(copy), before)
    return trained.summary["value"]


def outcome(call, value):
    """``same`` or ``told``; anything else fails."""
    try:
        assert call() == value
    except (RunError, RunFailed, ConfigError) as error:
        assert "\n" not in str(error)
        return "told"
    return "same"


def arguments(directory, *more, sweep):
    place = [f"hydra.sweep.dir={directory}", "-m", "seed=0,1,2"] if sweep else [f"hydra.run.dir={directory}"]
    return ["-m", "lstmlab.cli", "task=adding", *TASKS["adding"], *TINY, *SETTINGS, *place, *more]


@pytest.mark.parametrize("sweep", [False, True], ids=["run", "sweep"])
def test_signals_at_every_stage(sweep, dice, rounds, tried, tmp_path):
    environment = {
        "PYTHONPATH": str(ROOT), "LSTMLAB_CACHE_DIR": str(tmp_path / "cache"), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"
    }  # fmt: skip
    began = time.monotonic()
    with started(*arguments(tmp_path / "alone", sweep=sweep), **environment) as process:
        assert process.end().code == 0
    took = time.monotonic() - began
    for number in rounds:
        place = tmp_path / str(number)
        for _ in range(dice.randrange(1, 4)):
            more = ["resume=true"] if goes_on(place, sweep) else []
            sent, pause = dice.choice(list(SIGNALS)), dice.uniform(0, took)
            with started(*arguments(place, *more, sweep=sweep), **environment) as process:
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
        more = ["resume=true"] if goes_on(place, sweep) else []
        with started(*arguments(place, *more, sweep=sweep), **environment) as process:
            ended = process.end()
        assert ended.code == 0, ended
        for directory in sorted(path.parent for path in (tmp_path / "alone").glob("**/summary.json")):
            same = place / directory.relative_to(tmp_path / "alone")
            assert_same_bits(parameters(same), parameters(directory))
            assert untimed(read_metrics(same)) == untimed(read_metrics(directory))
            assert read_summary(same)["status"] == "finished"
        shutil.rmtree(place)


def goes_on(place, sweep):
    """Whether there is something to resume."""
    return place.exists() if sweep else (place / "config.yaml").exists()
