"""A full disk ends a run with one line that names the directory; what was written stays, and the run can go on."""

import errno
import os
from pathlib import Path

import pytest
from population_runs import populate
from processes import started
from small_runs import assert_same_bits, overrides, parameters, run, small, untimed

from lstmlab.tracking.disk import DiskFull, check_room, disk_full
from lstmlab.tracking.files import RunError, RunFiles, read_metrics, read_summary
from lstmlab.training.trained import Trained

ROOT = Path(__file__).parents[2]
SETTINGS = ["training.steps=8", "training.checkpoint_every=2"]


def config_of(*more):
    return small("adding", *SETTINGS, *more)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return run(config_of(), tmp_path_factory.mktemp("alone")).directory


def full(code=errno.ENOSPC):
    return OSError(code, os.strerror(code))


def fails(works, *, after, code):
    """The function, which raises once it has been called so often; the disk then stays full."""
    calls = []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) > after:
            raise full(code)
        return works(*args, **kwargs)

    return failing


MOMENTS = {
    "a row": (RunFiles, "log", 2), "the model": (Trained, "save", 0), "the summary": (RunFiles, "finish", 0),
    "the first file": (os, "fsync", 0), "any later file": (os, "fsync", 2),
}  # fmt: skip


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_names_the_directory_and_goes_on_to_the_same_bits(moment, code, alone, tmp_path, monkeypatch):
    owner, name, after = MOMENTS[moment]
    with monkeypatch.context() as patch, pytest.raises(DiskFull) as caught:
        patch.setattr(owner, name, fails(getattr(owner, name), after=after, code=code))
        run(config_of(), tmp_path)
    message = str(caught.value)
    assert message.startswith(f"cannot write to {tmp_path}: ")
    assert message.endswith("make room, then go on with resume=true")
    assert "\n" not in message
    run(config_of("resume=true"), tmp_path)
    assert_same_bits(parameters(tmp_path), parameters(alone))
    assert untimed(read_metrics(tmp_path)) == untimed(read_metrics(alone))


def test_a_directory_that_goes_away_is_named(tmp_path, monkeypatch):
    directory, works = tmp_path / "run", RunFiles.log

    def log(self, step, values):
        works(self, step, values)
        directory.rename(tmp_path / "elsewhere")

    monkeypatch.setattr(RunFiles, "log", log)
    with pytest.raises(RunError, match=f"{directory} is gone: it was removed, renamed or replaced") as caught:
        run(config_of(), directory)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    (tmp_path / "elsewhere").rename(directory)
    assert run(config_of("resume=true"), directory).summary["status"] == "finished"


def test_a_member_of_a_population_names_its_directory_and_the_others_go_on(tmp_path, monkeypatch):
    works = RunFiles.log

    def log(self, step, values):
        if self.directory.name == "1" and step > 2:
            raise full()
        works(self, step, values)

    monkeypatch.setattr(RunFiles, "log", log)
    outcomes = populate([config_of(f"seed={seed}") for seed in range(2)], tmp_path)
    assert outcomes[0].error is None
    assert isinstance(outcomes[1].error, DiskFull)
    assert f"cannot write to {tmp_path / '1'}: no space is left on the disk" in str(outcomes[1].error)


LIMITED = """
import resource, sys
from pathlib import Path
from lstmlab.cli import main
from lstmlab.training.recorder import Recorder
works, limit, arguments = Recorder.record, int(sys.argv[1]), sys.argv[2:]
def record(self, chunk):
    works(self, chunk)
    if chunk.step >= 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
Recorder.record = record
sys.exit(main(arguments))
"""


def test_a_real_limit_is_one_line_without_the_librarys_pages(alone, tmp_path):
    place = tmp_path / "run"
    arguments = [*overrides("adding", *SETTINGS), f"hydra.run.dir={place}"]
    environment = {
        "PYTHONPATH": str(ROOT), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "LSTMLAB_CACHE_DIR": str(tmp_path / "cache")
    }  # fmt: skip
    with started("-c", LIMITED, "1500", *arguments, "training.compilation_cache=false", **environment) as process:
        ended = process.end()
    assert ended.code == 1, ended
    lines = [line for line in ended.err.splitlines() if line.strip() and "adding" not in line]
    assert len(lines) == 1, ended.err
    assert lines[0].startswith(f"lstmlab: cannot write to {place}")
    assert "MB are needed" in lines[0]
    assert read_metrics(place)[-1]["step"] == 4
    run(config_of("resume=true", "training.compilation_cache=false"), place)
    assert read_summary(place)["status"] == "finished"
    assert untimed(read_metrics(place))[-1].keys() == untimed(read_metrics(alone))[-1].keys()


def test_what_libraries_say_is_understood_and_other_errors_are_not(tmp_path):
    for error in (ValueError("OUT_OF_RANGE: … File too large"), RuntimeError("x: No space left on device [28]")):
        assert isinstance(disk_full(error, tmp_path), DiskFull)
    for error in (ValueError("shape"), OSError(errno.EACCES, "Permission denied"), KeyboardInterrupt()):
        assert disk_full(error, tmp_path) is None
    assert "(12.3 MB are needed)" in str(disk_full(full(), tmp_path, 12_345_678))


def test_room_is_looked_for_before_a_run_begins(tmp_path, monkeypatch):
    check_room(tmp_path)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(os, "fsync", fails(os.fsync, after=0, code=errno.ENOSPC))
    with pytest.raises(DiskFull, match=f"cannot write to {tmp_path}: no space is left"):
        check_room(tmp_path)
    assert not list(tmp_path.iterdir())
