"""Jobs of a search that have not begun wait: drawn trials, trials to be drawn, and the runs that confirm."""

import json

import pytest
import yaml
from run_directories import finished, running, write_run

pytest.importorskip("optuna")

from lstmlab.dashboard.run import FINISHED, RUNNING, WAITING
from lstmlab.dashboard.watch import Watch
from lstmlab.launch.search_plan import Plan, SearchSettings
from lstmlab.launch.search_record import Record, Trial
from lstmlab.launch.search_space import Interval
from lstmlab.tracking.search_files import TARGET

PLAN = Plan(["task=adding"], {"cell": ["lstm", "gru"]}, ["0"], {"optimizer.learning_rate": Interval(0.001, 0.1, True)})
SETTINGS = SearchSettings("random", 2, 1, 0, 0, 1, [], {})


@pytest.fixture
def record(tmp_path):
    """A search of two trials for each of two cells, of which the first trials are drawn."""
    sweeper = {"_target_": TARGET, "trials": 2, "confirm_seeds": 1}
    (tmp_path / "multirun.yaml").write_text(yaml.safe_dump({"hydra": {"sweeper": sweeper}, "seed": 0}))
    record = Record(tmp_path, PLAN, SETTINGS, resume=False)
    record.trials = [_trial(0, cell, place) for place, cell in enumerate(("lstm", "gru"))]
    record.save()
    return record


def _trial(number, cell, job):
    return Trial(number, {"cell": cell}, {"optimizer.learning_rate": "0.01"}, {}, [job])


def begin(directory, *overrides, **more):
    run = write_run(directory, 1, **more)
    (run / ".hydra").mkdir()
    (run / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(list(overrides)))
    return run


def waiting(watch):
    return [run.name.partition(": ")[2] for run in watch.snapshot().runs if run.state == WAITING]


def test_trials_of_a_search_wait_until_they_begin(record, tmp_path):
    rate = "optimizer.learning_rate=0.01"
    watch = Watch([tmp_path], clock=iter(range(10, 1000, 10)).__next__)
    with running(tmp_path):
        watch.poll()
        drawn = [f"trial 0: cell=lstm {rate} seed=0", f"trial 0: cell=gru {rate} seed=0"]
        later = [f"trial 1: cell={cell} seed=0 (values not drawn yet)" for cell in ("lstm", "gru")]
        confirm = [f"confirm: cell={cell} seed=1 (setting not chosen yet)" for cell in ("lstm", "gru")]
        assert waiting(watch) == drawn + later + confirm
        (run,) = [run for run in watch.snapshot().runs if run.name.endswith(drawn[1])]
        assert (run.cell, run.task, run.config["optimizer.learning_rate"]) == ("gru", "adding", 0.01)

        # Resumed, the sweep has one override more.
        begin(tmp_path / "0", "task=adding", "cell=lstm", rate, "training.test=false", "seed=0", "resume=true")
        watch.poll()
        assert waiting(watch) == drawn[1:] + later + confirm

        record.trials += [_trial(1, cell, 2 + place) for place, cell in enumerate(("lstm", "gru"))]
        for trial in record.trials:
            trial.finish([0.1], ["0"])
        record.confirm()
        watch.poll()
        assert waiting(watch) == [f"confirm: cell={cell} {rate} seed=1" for cell in ("lstm", "gru")]
        begin(
            tmp_path / "confirm" / "0", "task=adding", "cell=lstm", rate, "training.test=true", "seed=1",
            summary=finished(0.1),
        )  # fmt: skip
        watch.poll()
        assert waiting(watch) == [f"confirm: cell=gru {rate} seed=1"]


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"trials": []}), json.dumps({"protocol": {"seeds": 3}})])
def test_a_search_whose_record_cannot_be_read_has_no_waiting_trials(record, tmp_path, content):
    record.path.write_text(content)
    begin(tmp_path / "0", "cell=lstm")
    watch = Watch([tmp_path])
    watch.poll()
    assert [run.name for run in watch.snapshot().runs] == ["0"]
    assert watch.snapshot().runs[0].state in (RUNNING, FINISHED)
