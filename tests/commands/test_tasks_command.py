"""``lstmlab tasks``: the catalogue of tasks."""

import re

import pytest
from small_runs import command

from lstmlab.settings import settings_of
from lstmlab.tasks import task_entry, task_names


def test_the_catalogue_of_tasks_has_every_task_with_metric_and_data_and_fits_nothing(monkeypatch):
    for name in task_names():
        if task_entry(name).cls.solved is None:  # others may be solved from a multiple of a closed form on
            monkeypatch.setattr(task_entry(name).cls, "baselines", None)
    shown = command("tasks")
    assert shown.code == 0
    lines = shown.out.splitlines()
    for name in task_names():
        entry = task_entry(name)
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        for text in (entry.title, entry.cls.metric, entry.data, entry.paper):
            assert text in line
    assert "lstmlab tasks --baselines" in lines[-1]


def test_the_catalogue_of_tasks_shows_the_best_baselines_when_asked(monkeypatch):
    monkeypatch.setattr("lstmlab.tasks.task_names", lambda: ["adding", "stocks"])
    shown = command("tasks", "--baselines")
    assert shown.code == 0
    for name in ("adding", "stocks"):
        baseline, value = next(iter(task_entry(name).cls().baselines().items()))
        (line,) = [line for line in shown.out.splitlines() if line.split()[:1] == [name]]
        assert f"{value:.4g} ({baseline})" in line


def test_slow_baselines_are_shown_when_asked_and_not_computed_otherwise(monkeypatch):
    cls = task_entry("stocks").cls
    monkeypatch.setattr(cls, "slow_baselines", None)
    shown = command("tasks", "stocks")
    assert shown.code == 0
    assert "lstmlab tasks stocks --baselines" in shown.out
    monkeypatch.setattr(cls, "slow_baselines", lambda task: {"oracle": 0.25})
    shown = command("tasks", "stocks", "--baselines")
    assert re.search(r"^ +mse +oracle +0.25$", shown.out, re.MULTILINE)
    assert "--baselines" not in shown.out


@pytest.mark.parametrize("name", task_names())
def test_one_task_is_shown_with_protocol_options_and_baselines(name):
    shown, entry = command("tasks", name), task_entry(name)
    assert (shown.code, shown.err) == (0, "")
    task = entry.cls()
    assert shown.out.startswith(f"{name}: {entry.title}\n{entry.paper}\n")
    for text in (entry.data, entry.published, task.metric, *task.defaults):
        assert text in shown.out
    assert f"Scores 1 at: {task.reference_value:.4g} in" in shown.out
    for metric, values in {task.metric: task.baselines(), **task.other_baselines()}.items():
        for rule, value in values.items():
            assert re.search(rf"^ +{metric} +{re.escape(rule)} +{re.escape(f'{value:.4g}')}$", shown.out, re.MULTILINE)
    for key, option in settings_of(type(task)).items():
        (line,) = [line for line in shown.out.splitlines() if line.split()[:1] == [f"task.{key}"]]
        assert option.help in line


def test_an_unknown_task_is_refused_with_the_known_ones():
    refused = command("tasks", "parrity")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("lstmlab: unknown task 'parrity'; did you mean 'parity'? (known tasks: ")
    assert refused.err.count("\n") == 1
