"""The disk fills up at random: one line names the directory, nothing is lost, and the run goes on to the same bits."""

import shutil
import sys

import pytest
from filled_disk import LIMITED, fill, small_disk
from gauntlet_runs import ADDING, ROWS, SLOW, assert_same_run, environment, has_reached, resuming
from processes import started

from lstmlab.tracking.files import read_metrics

pytestmark = [*SLOW, pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither mount nor ulimit")]
DISK = 16 << 20


@pytest.fixture
def alone(tmp_path):
    """An undisturbed run and the variables of its process."""
    variables, directory = environment(tmp_path / "cache"), tmp_path / "alone"
    with started(*training(directory), **variables) as process:
        assert process.end().code == 0
    return directory, variables


def training(directory, *more):
    return ["-m", "lstmlab.cli", *ADDING, f"hydra.run.dir={directory}", *more]


def test_a_disk_fills_up(alone, dice, rounds, tried, tmp_path):
    undisturbed, variables = alone
    with small_disk(tmp_path / "disk", DISK) as disk:
        for number in rounds:
            directory, rows = disk / str(number), dice.randrange(-1, ROWS)
            with started(*training(directory), **variables) as process:
                process.wait_for(lambda directory=directory, rows=rows: has_reached(directory, rows))
                filler = fill(disk)
                ended = process.end()
            filler.unlink()
            tried[f"disk full: {checked(ended, directory)}"] += 1
            print(f"round {number}: full after {rows} rows: {ended.code}")
            goes_on(directory, variables, undisturbed)
            shutil.rmtree(directory)


def test_files_are_limited(alone, dice, rounds, tried, tmp_path):
    undisturbed, variables = alone
    largest = max(path.stat().st_size for path in undisturbed.rglob("*") if path.is_file())
    for number in rounds:
        directory, most = tmp_path / str(number), dice.randrange(2048, largest)
        with started("-c", LIMITED, str(most), *training(directory)[2:], **variables) as process:
            ended = process.end()
        tried[f"files limited: {checked(ended, directory)}"] += 1
        print(f"round {number}: at most {most} bytes per file: {ended.code}")
        goes_on(directory, variables, undisturbed)
        shutil.rmtree(directory)


def checked(ended, directory):
    """Whether it has finished or said in one line that the directory cannot be written."""
    if ended.code == 0:
        return "finished"
    assert ended.code == 1, ended
    lines = [line for line in ended.err.splitlines() if line.startswith("lstmlab: ")]
    assert len(lines) == 1, ended
    assert str(directory) in lines[0], ended
    assert "Traceback" not in ended.err, ended
    return "told" if any(directory.glob("metrics.jsonl")) else "told before the first row"


def goes_on(directory, variables, undisturbed):
    """To the same bits, and with the rows that were there."""
    before = read_metrics(directory) if (directory / "metrics.jsonl").exists() else []
    with started(*training(directory, *resuming(directory)), **variables) as process:
        ended = process.end()
    assert ended.code == 0, ended
    assert_same_run(directory, undisturbed)
    assert len(read_metrics(directory)) >= len(before)
