"""Searches in a report: importances and parallel coordinates, or why there are none."""

import pytest

pytest.importorskip("plotly")
from lstmlab.report.collected import collect
from lstmlab.report.sections import search as section
from lstmlab.study.importance import Importance
from lstmlab.tracking.files import RunError


@pytest.fixture
def searched(many_runs, monkeypatch):
    """A collection whose cells count as searched."""
    collected = collect([many_runs()])
    monkeypatch.setattr(section, "_FEWEST_SETTINGS", 1)
    return collected


def test_importances_and_runs_are_those_of_the_study(searched, monkeypatch):
    rows = [
        {"key": key, "importance": share, "sd": 0.1, "floor": 0.2, "scale": "log", "lowest": 1, "highest": 2,
         "distinct": 2}
        for key, share in (("optimizer.learning_rate", 0.7), ("model.layers", 0.1))
    ]  # fmt: skip
    settings = [{"optimizer.learning_rate": 10.0**-i, "model.layers": 1 + i % 2} for i in range(4)]
    found = Importance("adding", ["lstm"], "mse", rows, None, 0, 0, [0.3, 0.1, 0.2, 0.4], settings)
    monkeypatch.setattr(section, "importance", lambda directories, task: found)
    bars, notes, lines = section.search(searched).blocks
    assert bars.figure.data[0].x == (0.7, 0.1)
    assert "not told apart from noise, at or below their floors: model.layers" in notes.lines
    (parallel,) = lines.figure.data
    assert [axis.label for axis in parallel.dimensions] == ["learning_rate", "layers", "validation mse"]
    assert parallel.line.color.tolist() == pytest.approx([2 / 3, 0, 1 / 3, 1])


def test_where_there_are_none_the_reason_is_shown(searched, monkeypatch):
    def refuse(directories, task):
        raise RunError("importance needs optuna: pip install lstmlab[search]")

    monkeypatch.setattr(section, "importance", refuse)
    (block,) = section.search(searched).blocks
    assert block.lines == ["adding: importance needs optuna: pip install lstmlab[search]"]


def test_without_a_search_there_is_no_such_section(many_runs):
    assert section.search(collect([many_runs()])).blocks == []
