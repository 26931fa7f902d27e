"""Runs with ``training.test=false``: nothing in their directories comes from the test split, which is not evaluated."""

import pytest
from population_runs import compilations, populate
from shared_programs import shared
from small_runs import run, small

from lstmlab import load
from lstmlab.launch.job import objective, result
from lstmlab.tracking.files import read_metrics, read_summary
from lstmlab.training import recorder, summary

UNTESTED = ["training.test=false", "training.illustrate_every=1"]


@pytest.fixture(autouse=True)
def nothing_of_the_test_split(monkeypatch):
    """What needs the test split fails."""

    def fails(*args):
        raise AssertionError("the test split was looked at")

    monkeypatch.setattr(recorder, "show_plots", fails)
    monkeypatch.setattr(summary, "all_baselines", fails)


def check(directory):
    found = read_summary(directory)
    assert found["status"] == "finished"
    assert [found[key] for key in ("value", "test", "beats_baseline", "baselines")] == [None, None, None, {}]
    assert set(found["validation"]) == {"mse", "within_0.04"}
    rows = read_metrics(directory)
    assert "validation/mse" in rows[-1]
    assert not any("test" in key for row in rows for key in row)
    return found


def check_programs(config):
    programs = shared(config)
    assert (compilations(programs, "validate") > 0, compilations(programs, "evaluate")) == (True, 0)
    assert not any(split == "test" for split, _ in programs._data)


def test_a_run_is_validated_alone(tmp_path):
    config = small("adding", *UNTESTED)
    found = run(config, tmp_path).summary
    assert check(tmp_path)["validation"] == load(tmp_path).summary["validation"] == found["validation"]
    assert objective(found) == found["validation"]["mse"]
    assert result(found, "DIR") == f"validation mse {found['validation']['mse']:.4g} · DIR"
    check_programs(config)


@pytest.mark.parametrize("strategy", ["threads", pytest.param("vmap", marks=pytest.mark.slow)])
def test_so_are_members_of_a_population(strategy, tmp_path):
    configs = [small("adding", *UNTESTED, f"seed={seed}") for seed in (0, 1)]
    outcomes = populate(configs, tmp_path, strategy=strategy)
    assert [outcome.error for outcome in outcomes] == [None, None]
    for outcome in outcomes:
        check(outcome.directory)
    check_programs(configs[0])
