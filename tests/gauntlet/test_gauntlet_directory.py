"""The run directory goes away, or takes no more files, while a run writes there: one line, and no traceback."""

import contextlib
import os
import shutil
import threading
import time

import pytest
from gauntlet_runs import ROWS, SETTINGS, SLOW, has_reached
from small_runs import command, overrides, quick_programs

pytestmark = SLOW


def remove(directory):
    """With the files that are written meanwhile."""
    shutil.rmtree(directory, ignore_errors=True)


def rename(directory):
    directory.rename(directory.with_suffix(".away"))


def replace_by_file(directory):
    rename(directory)
    directory.write_text("a file")


def make_checkpoints_a_file(directory):
    file = directory / "a file"
    file.write_text("a file")
    with contextlib.suppress(IsADirectoryError):  # the run has made the folder anew: then this was a removal
        shutil.rmtree(directory / "checkpoints", ignore_errors=True)
        file.replace(directory / "checkpoints")


def make_unwritable(directory):
    directory.chmod(0o555)


def make_unreadable(directory):
    directory.chmod(0)


HARMS = [remove, rename, replace_by_file, make_checkpoints_a_file, make_unwritable, make_unreadable]


def possible():
    """Root may write everywhere."""
    root = not hasattr(os, "geteuid") or os.geteuid() == 0
    return [harm for harm in HARMS if not (root and harm in (make_unwritable, make_unreadable))]


@pytest.fixture(autouse=True)
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


def test_directories_that_vanish(dice, rounds, tried, tmp_path):
    if len(possible()) < len(HARMS):
        print("permissions mean nothing to root: the other ways only")
    for number in rounds:
        directory, harm, rows = tmp_path / str(number), dice.choice(possible()), dice.randrange(-1, ROWS)
        over = threading.Event()
        thread = threading.Thread(target=later, args=(harm, directory, rows, over))
        thread.start()
        try:
            ended = command(*training(directory))
        finally:
            over.set()
            thread.join()
        print(f"round {number}: {harm.__name__} after {rows} rows: {ended.code} {ended.err.strip()}")
        tried[f"{harm.__name__}: exit status {ended.code}"] += 1
        assert "Traceback" not in ended.err
        if ended.code:
            assert ended.code == 1
            assert ended.out == ""
            assert sum(line.startswith("lstmlab: ") for line in ended.err.splitlines()) == 1, ended.err
        with contextlib.suppress(OSError):
            directory.chmod(0o755)


def later(harm, directory, rows, over):
    """Harm the directory once the run has written this number of rows; a directory that is gone is left alone."""
    while not over.is_set() and not has_reached(directory, rows):
        time.sleep(0.001)
    with contextlib.suppress(FileNotFoundError):
        harm(directory)


def training(directory):
    return [*overrides("adding", *SETTINGS), f"hydra.run.dir={directory}"]
