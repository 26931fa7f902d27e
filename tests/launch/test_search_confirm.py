"""The best settings of a search are trained again: with fresh seeds, and alone on the test split."""

import json
import math

import pytest
from search_runs import search, values

from lstmlab.launch import job
from lstmlab.study.searches import confirms


@pytest.fixture(autouse=True)
def failures(monkeypatch):
    monkeypatch.setattr(job, "failures", {})
    return job.failures


def bowl(value):
    """Best at a learning rate of 1e-3."""
    return (math.log10(value["optimizer.learning_rate"]) + 3) ** 2


def read(directory):
    return json.loads((directory / "search.json").read_text())


def confirming(launcher):
    return [found for job in launcher.jobs.values() if (found := values(job))["training.test"] == "true"]


def test_the_best_setting_of_every_cell_is_trained_with_seeds_that_no_trial_has_used(folder, capsys):
    launcher, best = search(folder, bowl, "cell=lstm,gru", "seed=1,3", "task=adding", trials=4, confirm_seeds=4)
    jobs = confirming(launcher)
    assert launcher.batches == [8, 8, 8]
    assert [(found["cell"], found["seed"]) for found in jobs] == [(c, s) for c in ("lstm", "gru") for s in (0, 2, 4, 5)]
    assert {found["optimizer.learning_rate"] for found in jobs} == {
        float(trial.values["optimizer.learning_rate"]) for trial in best
    }
    assert {found["task"] for found in jobs} == {"adding"}
    assert {values(launcher.jobs[number])["training.test"] for trial in best for number in trial.jobs} == {"false"}
    places = {found["hydra.sweep.subdir"] for found in jobs}
    assert places == {f"'confirm/{index}_${{cell.name}}_${{task.name}}_seed${{seed}}'" for index in (0, 1)}
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith("confirming 2 settings chosen on validation, with seeds that no trial has used (0, 2, 4, 5)")


def test_a_comparison_finds_what_a_run_confirms(folder):
    _, (best,) = search(folder, bowl, trials=3, confirm_seeds=1)
    found = confirms(folder / "confirm" / "0_lstm_adding_seed1")
    assert found is not None
    assert (found.values, found.trials) == (best.values, 3)
    assert confirms(folder / "0_lstm_adding_seed0") is None
    assert confirms(folder / "confirm" / "1_lstm_adding_seed1") is None


def test_one_seed_for_all_trials_is_not_used_again(folder):
    launcher, _ = search(folder, bowl, "seed=1", trials=2, confirm_seeds=3)
    assert [found["seed"] for found in confirming(launcher)] == [0, 2, 3]


def test_nothing_is_confirmed_where_that_is_not_wanted_or_every_trial_failed(folder):
    launcher, _ = search(folder / "off", bowl, trials=2, confirm_seeds=0)
    assert (len(launcher.jobs), read(folder / "off")["confirmed"]) == (2, [])
    launcher, _ = search(folder / "failed", lambda v: math.inf, trials=2, confirm_seeds=2)
    assert len(launcher.jobs) == 2

    def lstm_alone(value):
        return bowl(value) if value["cell"] == "lstm" else math.inf

    launcher, _ = search(folder / "one", lstm_alone, "cell=gru,lstm", trials=2, confirm_seeds=2)
    assert [found["cell"] for found in confirming(launcher)] == ["lstm", "lstm"]
    assert [entry["index"] for entry in read(folder / "one")["confirmed"]] == [1]


def test_a_stopped_confirmation_goes_on_without_a_new_trial(folder):
    with pytest.raises(KeyboardInterrupt):
        search(folder, bowl, "cell=lstm,gru", trials=2, confirm_seeds=3, stop_before=1)
    before = read(folder)
    assert len(before["confirmed"]) == 2
    again, _ = search(folder, bowl, "cell=lstm,gru", "resume=true", resume=True, trials=2, confirm_seeds=5)
    assert (again.batches, min(again.jobs)) == ([10], 4)
    assert [found["seed"] for found in confirming(again)] == [1, 2, 3, 4, 5] * 2
    assert read(folder) == before


def test_after_a_look_at_the_test_split_there_are_no_more_trials(folder, capsys):
    search(folder, bowl, trials=2, confirm_seeds=1)
    with pytest.raises(SystemExit):
        search(folder, bowl, "resume=true", resume=True, trials=3, confirm_seeds=0)
    error = capsys.readouterr().err
    assert "the best of 2 trials are confirmed on the test split" in error
    assert error.count("\n") == 1


def test_a_job_that_breaks_is_told(folder, failures, capsys):
    def objective(value):
        if value["training.test"] == "true":
            raise ValueError("broken")
        return bowl(value)

    search(folder, objective, trials=2, confirm_seeds=2)
    assert capsys.readouterr().err.count("job 2 failed: ValueError: broken") == 1
    assert list(failures.values()) == ["broken"]
