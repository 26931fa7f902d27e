"""The benchmark of whole sweeps: real sweeps in processes of their own, ratios within rounds."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import started

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import bench_sweep

    return bench_sweep


def test_ratios_are_formed_within_rounds_and_launchers_take_turns_to_begin(bench, monkeypatch):
    seconds = {
        "basic": iter([10.0, 30.0, 22.0]),
        "joblib": iter([6.0, 12.0, 8.0]),
        "population": iter([2.0, 10.0, 4.0]),
    }
    order = []

    def run(sweep, launcher):
        (name,) = [name for name, arguments in bench.LAUNCHERS.items() if arguments == launcher]
        order.append(name)
        return next(seconds[name])

    monkeypatch.setattr(bench, "_run", run)
    found = bench.time_sweep("made up", ["seed=0,1"], 3)
    assert found["population_is_faster_by"] == {"basic": 5.0, "joblib": 2.0, "population": 1.0}
    assert order[::3] == ["basic", "joblib", "population"]
    assert sorted(order[:3]) == sorted(bench.LAUNCHERS)


def patient_run(command, cwd, env, **_):
    """As ``subprocess.run``; a sweep that hangs shows its stacks and is killed."""
    with started(*command[1:], cwd=cwd, **env) as process:
        ended = process.end()
    return subprocess.CompletedProcess(command, ended.code, ended.out, ended.err)


def test_a_sweep_really_runs_and_a_failing_one_ends_the_benchmark(bench, monkeypatch):
    monkeypatch.setattr(bench, "subprocess", SimpleNamespace(run=patient_run))
    small = [*bench.QUICK["quick"], "seed=0", "wandb.mode=disabled"]
    assert bench._run(small, bench.LAUNCHERS["population"]) > 0
    with pytest.raises(SystemExit, match=r"the sweep failed.*task=addin"):
        bench._run(["task=addin"], [])


def test_members_are_timed_for_every_strategy(bench, tmp_path, monkeypatch):
    output = tmp_path / "members.json"
    monkeypatch.setattr(sys, "argv", ["bench_sweep.py"])
    bench.main(["--members", "--members-list", "1", "2", "--steps", "4", "--output", str(output)])
    found = json.loads(output.read_text())["members"]["seconds"]
    assert {strategy: sorted(times) for strategy, times in found.items()} == {
        "threads": ["1", "2"],
        "vmap": ["1", "2"],
    }
    assert all(seconds > 0 for times in found.values() for seconds in times.values())
