"""The loop of a search: equal budgets, means over seeds, failures, and going on where it stopped."""

import json
import math

import pytest
from search_runs import search, values

from lstmlab.launch import job


@pytest.fixture(autouse=True)
def failures(monkeypatch):
    monkeypatch.setattr(job, "failures", {})
    return job.failures


def bowl(value):
    """Best at a learning rate of 1e-3."""
    return (math.log10(value["optimizer.learning_rate"]) + 3) ** 2


def trials(directory):
    return json.loads((directory / "search.json").read_text())["trials"]


def rates(directory):
    return [trial["values"]["optimizer.learning_rate"] for trial in trials(directory)]


def test_every_cell_gets_the_same_trials_and_every_trial_all_seeds(folder):
    launcher, _ = search(folder, bowl, "cell=lstm,gru", "seed=3,4", "task=adding", trials=3)
    assert len(launcher.jobs) == 3 * 2 * 2
    assert sorted(launcher.jobs) == list(range(12))
    per_trial = [values(launcher.jobs[number]) for number in range(4)]
    assert [(v["cell"], v["seed"]) for v in per_trial] == [("lstm", 3), ("lstm", 4), ("gru", 3), ("gru", 4)]
    assert all(v["task"] == "adding" for v in per_trial)
    # Random trials are the same for every cell: the luck of the draw is shared.
    assert len({v["optimizer.learning_rate"] for v in per_trial}) == 1
    assert launcher.batches == [8, 4]


def test_the_objective_of_a_trial_is_the_mean_over_its_seeds(folder):
    _, (best,) = search(folder, lambda v: v["seed"] * bowl(v), "seed=1,3")
    told = [trial["objective"] for trial in trials(folder)]
    assert told == pytest.approx([2 * bowl(values([f"optimizer.learning_rate={rate}"])) for rate in rates(folder)])
    assert best.objective == min(told)
    assert best.directories == [str(number) for number in best.jobs]


def test_the_best_of_each_combination_is_written_and_told(folder, capsys):
    search(folder, lambda v: bowl(v) + (v["cell"] == "gru"), "cell=lstm,gru")
    content = json.loads((folder / "search.json").read_text())
    assert [entry["combination"] for entry in content["best"]] == [{"cell": "lstm"}, {"cell": "gru"}]
    for entry in content["best"]:
        same = [t["objective"] for t in content["trials"] if t["combination"] == entry["combination"]]
        assert entry["objective"] == min(same)
        assert len(same) == 6
    lstm, gru, written = capsys.readouterr().out.splitlines()
    best = content["best"][0]
    rate = best["values"]["optimizer.learning_rate"]
    told = f"best objective {best['objective']:.6g} with optimizer.learning_rate={rate} ({best['directories'][0]})"
    assert lstm == f"search cell=lstm: 6 trials; {told}"
    assert gru.startswith("search cell=gru: 6 trials; best objective 1.")
    assert written == f"written to {folder / 'search.json'}"


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_same_seed_gives_the_same_search(sampler, folder):
    for name, seed in [("a", 5), ("b", 5), ("c", 6)]:
        search(folder / name, bowl, sampler=sampler, trials=14, batch_size=4, seed=seed)
    assert rates(folder / "a") == rates(folder / "b") != rates(folder / "c")
    assert len(set(rates(folder / "a"))) == 14


def test_tpe_learns_from_objectives_and_random_search_does_not(folder):
    for sampler in ("random", "tpe"):
        search(folder / sampler, bowl, sampler=sampler, trials=24, batch_size=12)
        search(folder / f"{sampler}_up", lambda v: -bowl(v), sampler=sampler, trials=24, batch_size=12)
    assert rates(folder / "random") == rates(folder / "random_up")
    assert rates(folder / "tpe")[:12] == rates(folder / "tpe_up")[:12]
    assert rates(folder / "tpe")[12:] != rates(folder / "tpe_up")[12:]


def test_tpe_keeps_away_from_where_runs_fail(folder):
    space = {"dropout.layer": "interval(0,1)"}
    search(folder, lambda v: math.inf if v["dropout.layer"] > 0.3 else 1.0, sampler="tpe", trials=60, space=space)
    failed = [trial["state"] == "failed" for trial in trials(folder)]
    assert sum(failed[:10]) >= 4
    assert sum(failed[30:]) <= 10  # of 30; 21 would be chance


def test_a_failed_seed_fails_its_trial_and_nothing_else(folder, failures, capsys):
    def objective(v):
        if v["seed"] == 1 and v["optimizer.learning_rate"] > 1e-2:
            raise ValueError("too fast")
        return math.nan if v["seed"] == 1 and v["optimizer.learning_rate"] < 1e-3 else 0.5

    launcher, (best,) = search(folder, objective, "seed=0,1", trials=12)
    states = [trial["state"] for trial in trials(folder)]
    wanted = ["finished" if 1e-3 <= float(rate) <= 1e-2 else "failed" for rate in rates(folder)]
    assert states == wanted
    assert {"finished", "failed"} == set(states)
    assert len(launcher.jobs) == 24
    assert best.objective == 0.5
    captured = capsys.readouterr()
    assert f"12 trials, {states.count('failed')} failed" in captured.out
    assert captured.err.count("failed: ValueError: too fast") == 1
    assert list(failures.values()) == ["too fast"]


def test_where_every_trial_fails_the_end_says_so(folder, capsys):
    _, found = search(folder, lambda v: math.inf, trials=2)
    assert found == [None]
    assert "search: 2 trials, 2 failed; none has a result" in capsys.readouterr().out


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("stop", [0, 3])
def test_a_stopped_search_goes_on_in_the_same_places_to_the_same_end(sampler, stop, folder):
    arguments = ["cell=lstm,gru", "seed=0,1"]
    settings = {"sampler": sampler, "trials": 16, "batch_size": 4}
    whole, best = search(folder / "whole", bowl, *arguments, **settings)
    with pytest.raises(KeyboardInterrupt):
        search(folder / "stopped", bowl, *arguments, stop_before=stop, **settings)
    assert [trial["state"] for trial in trials(folder / "stopped")[-8:]] == ["running"] * 8
    rest, found = search(folder / "stopped", bowl, *arguments, "resume=true", resume=True, **settings)
    # Finished trials are not run again; what ran when it stopped gets the same job numbers, so the same directories.
    assert sorted(rest.jobs) == list(range(stop * 16, 64))
    again = {number: [text for text in job if text != "resume=true"] for number, job in rest.jobs.items()}
    assert again == {number: whole.jobs[number] for number in again}
    assert trials(folder / "stopped") == trials(folder / "whole")
    assert found == best


def test_a_finished_search_can_be_extended(folder):
    search(folder / "six", bowl)
    search(folder / "long", bowl, trials=4)
    launcher, _ = search(folder / "long", bowl, "resume=true", resume=True, trials=6)
    assert sorted(launcher.jobs) == [4, 5]
    assert rates(folder / "long") == rates(folder / "six")


@pytest.mark.parametrize(
    ("before", "arguments", "changed", "told"),
    [
        (True, [], {"resume": False}, "is there already: add resume=true"),
        (True, [], {"seed": 1}, "of another search (seed 0, now 1)"),
        (True, ["cell=lstm,gru"], {}, 'of another search (combinations {}, now {"cell": ["lstm", "gru"]})'),
        (True, ["seed=0,1"], {}, 'of another search (seeds [], now ["0", "1"])'),
        (False, [], {}, "is not the file of a search"),
    ],
)
def test_another_search_in_the_same_place_is_refused(before, arguments, changed, told, folder, capsys):
    search(folder, bowl, trials=2)
    if not before:
        (folder / "search.json").write_text('{"protocol": 1}')
    content = (folder / "search.json").read_text()
    with pytest.raises(SystemExit) as left:
        search(folder, bowl, *arguments, **({"resume": True} | changed))
    assert left.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"lstmlab: {folder / 'search.json'} ")
    assert told in error
    assert error.count("\n") == 1
    assert (folder / "search.json").read_text() == content
