"""A comparison as a reader sees it."""

import pytest

from lstmlab.config import compose, save_config, to_tree
from lstmlab.study.show import show_comparison
from lstmlab.tracking import RunFiles
from lstmlab.tracking.files import RunError

SUMMARY = {
    "task": "adding", "metric": "mse", "goal": "min", "value": 0.123456, "baselines": {"constant 1": 1 / 6},
    "beats_baseline": True, "solved": False, "parameters": 361, "state_size": 16, "steps_per_second": 100.0,
}  # fmt: skip


@pytest.fixture
def runs(tmp_path):
    for cell in ("lstm", "gru"):
        config = compose(["task=adding", f"cell={cell}"])
        files = RunFiles(tmp_path / cell)
        save_config(to_tree(config), tmp_path / cell / "config.yaml")
        files.log(1, {"validation/mse": 0.2})
        if cell == "lstm":
            files.finish({"cell": cell, "seed": 0} | SUMMARY)
    return tmp_path


def test_the_table_is_printed_with_what_was_left_out(runs, capsys):
    show_comparison([runs])
    shown = capsys.readouterr().out
    assert f"Comparison of {runs}" in shown
    for text in ("lstm", "361", "0.1235", "0.1667 (constant 1)", "1/1", "0/1", "100.0"):
        assert text in shown
    assert f"left out: {runs / 'gru'}: not finished" in shown
    assert not list(runs.glob("comparison*"))


def test_it_is_written_where_asked_and_says_so(runs, tmp_path, capsys):
    show_comparison([runs], tmp_path / "new" / "folder")
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"comparison.md", "comparison.csv", "comparison.json", "comparison_adding.png"}
    shown = capsys.readouterr().out
    assert f"written to {tmp_path / 'new' / 'folder'}" in shown
    assert all(name in shown for name in names)


def test_a_second_comparison_beside_the_runs_finds_the_same_runs(runs, capsys):
    show_comparison([runs], runs)
    first = capsys.readouterr().out
    show_comparison([runs], runs)
    assert capsys.readouterr().out == first


def test_nothing_is_written_without_a_result(tmp_path):
    with pytest.raises(RunError):
        show_comparison([tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()
