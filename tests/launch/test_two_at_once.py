"""Runs and sweeps that are started at the same moment do not write into each other's directories."""

import json
import threading
from pathlib import Path

import pytest
import yaml
from small_runs import command, overrides, run, small

from lstmlab.tracking.files import RunError
from lstmlab.tracking.locks import owned
from lstmlab.training.recorder import Recorder

HELD = "is in use by another run: wait until it has ended, or name another directory"


def assert_each_is_its_own(places):
    for place in places:
        config = yaml.safe_load((place / "config.yaml").read_text())
        assert json.loads((place / "summary.json").read_text())["seed"] == config["seed"]


def test_default_names_of_one_second_differ(folder):
    now = "hydra.run.dir=outputs/${now:%Y}"  # the same name for a year
    said = [command(*overrides("adding", f"seed={seed}"), now) for seed in range(3)]
    assert [ran.code for ran in said] == [0, 0, 0], said
    places = sorted(Path("outputs").iterdir())
    assert len(places) == 3
    assert_each_is_its_own(places)
    for ran in said:
        assert Path(ran.out.strip().split(" · ")[-1]) in places


@pytest.mark.parametrize("launcher", ["population", "basic"])
def test_default_names_of_sweeps_differ(launcher, folder):
    now = ["hydra.sweep.dir='multi run/${now:%Y}'", f"hydra/launcher={launcher}"]
    for seed in (0, 1):
        ran = command("-m", *overrides("adding", f"seed={seed}"), *now)
        assert ran.code == 0, ran.err
    places = sorted(Path("multi run").iterdir())
    assert len(places) == 2
    for seed, place in enumerate(places):
        assert [path.name for path in place.glob("*_seed*")] == [f"0_lstm_adding_seed{seed}"]
        assert (place / "multirun.yaml").exists()


def test_a_named_directory_in_use_is_refused_and_left_alone(folder):
    place = Path("runs/a")
    with owned(place):
        before = sorted(place.rglob("*"))
        for more in ([], ["resume=true"]):
            (place / "config.yaml").unlink(missing_ok=True)
            if more:
                (place / "config.yaml").touch()
            refused = command(*overrides("adding"), f"hydra.run.dir={place}", *more)
            assert refused.code == 1
            assert refused.err == f"lstmlab: {place} {HELD}\n"
        (place / "config.yaml").unlink()
        assert sorted(place.rglob("*")) == before
        refused = command("-m", *overrides("adding"), f"hydra.sweep.dir={place}")
        assert (refused.code, refused.err) == (1, f"lstmlab: {place} {HELD}\n")
        assert sorted(place.rglob("*")) == before
    assert command(*overrides("adding"), f"hydra.run.dir={place}").code == 0


def test_the_lock_of_a_sweep_ends_with_it_and_its_rows_are_not_overwritten(folder):
    sweep = ["-m", *overrides("adding"), "hydra.sweep.dir=sweep"]
    assert command(*sweep).code == 0
    model = next(Path("sweep").glob("*/model.npz"))
    before = model.stat().st_mtime_ns
    again = command(*sweep)
    assert again.code == 1
    (line,) = again.err.splitlines()
    assert "holds a run already: add resume=true to go on with it, or name another hydra.sweep.dir" in line
    assert model.stat().st_mtime_ns == before
    assert command(*sweep, "resume=true").code == 0


def test_a_refused_run_leaves_hydras_files_of_the_other(folder):
    assert command(*overrides("adding", "seed=1"), "hydra.run.dir=a").code == 0
    before = Path("a/.hydra/overrides.yaml").read_text()
    assert command(*overrides("adding", "seed=2"), "hydra.run.dir=a").code == 1
    assert Path("a/.hydra/overrides.yaml").read_text() == before


@pytest.mark.parametrize("more", [[], ["resume=true"]])
def test_two_threads_in_one_directory(more, tmp_path, monkeypatch):
    entered, leave, results = threading.Event(), threading.Event(), []
    works = Recorder.record

    def slowly(self, chunk):
        entered.set()
        assert leave.wait(60)
        works(self, chunk)

    monkeypatch.setattr(Recorder, "record", slowly)
    first = threading.Thread(target=lambda: results.append(run(small("adding", *more), tmp_path)))
    first.start()
    assert entered.wait(60)
    try:
        with pytest.raises(RunError, match=HELD):
            run(small("adding", "seed=5", *([] if not more else ["seed=0", *more])), tmp_path)
    finally:
        leave.set()
        first.join()
    assert results[0].summary["status"] == "finished"
    assert_each_is_its_own([tmp_path])
