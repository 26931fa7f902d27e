"""A comparison as a reader sees it: on the terminal, in files, in pictures."""

import csv
import json
import shutil
import sys

import numpy as np
import pytest
from small_runs import as_older_version

from lstmlab.study import compare, write_comparison
from lstmlab.study.show import show_comparison
from lstmlab.study.statistics import mean_interval
from lstmlab.tracking.files import RunError


@pytest.fixture
def runs(make_run, tmp_path):
    for seed in range(3):
        make_run(f"lstm{seed}", f"seed={seed}", value=0.1 + 0.02 * seed)
    make_run("gru0", "cell=gru", value=0.005)
    make_run("gru1", "cell=gru", "seed=1", status="failed")
    make_run("gru2", "cell=gru", "seed=2", status="running")
    return tmp_path


@pytest.fixture
def drawn(monkeypatch):
    """What the pictures were drawn from, by file name."""
    pictures = {}
    module = sys.modules["lstmlab.plots.comparison"]
    for kind in ("curves", "intervals"):
        monkeypatch.setattr(module, kind, lambda path, lines, **more: pictures.update({path.name: (lines, more)}))
    return pictures


def test_the_table_is_printed_with_what_was_left_out(runs, capsys):
    show_comparison([runs])
    shown = capsys.readouterr().out
    assert f"Comparison of {runs}" in shown
    (lstm,) = [line for line in shown.splitlines() if " lstm " in line]
    (gru,) = [line for line in shown.splitlines() if " gru " in line]
    for text in ("361", "128/16", "0.12 [0.07", "0.1667 (constant 1)", "3/3", "0/3", "100.0"):
        assert text in lstm
    for text in ("0.005 mse", "1/3", "1/3 40 steps, 2.5 s"):
        assert text in gru
    assert f"left out: 1 run failed: the loss stopped being finite at step 12 ({runs / 'gru1'})" in shown
    assert "test mean [95 % t interval]" in shown
    assert "adding: fewer than 3 seeds, which rank nothing: gru" in shown
    assert f"left out: 1 run unfinished: not finished ({runs / 'gru2'})" in shown
    assert not list(runs.glob("comparison*"))


def test_columns_that_say_nothing_are_left_out_and_others_are_few(make_run, tmp_path, capsys):
    make_run("a", solved=None)
    show_comparison([tmp_path])
    header = capsys.readouterr().out.splitlines()[2]
    assert "solved" not in header
    assert "P(better" not in header
    assert "best setting" not in header


def test_the_setting_is_shown_with_the_number_it_was_chosen_from(make_run, tmp_path, capsys):
    for size, value in ((16, 0.1), (32, 0.05)):
        make_run(str(size), f"model.hidden_size={size}", value=value)
    show_comparison([tmp_path])
    assert "model.hidden_size=32 (of 2)" in capsys.readouterr().out


def test_it_is_written_where_asked_and_says_so(runs, tmp_path, capsys):
    show_comparison([runs], tmp_path / "new" / "folder")
    paths = {path.name: path for path in (tmp_path / "new" / "folder").iterdir()}
    assert set(paths) == {
        "comparison.md", "comparison.csv", "comparison.json",
        "comparison_adding.png", "comparison_adding_intervals.png",
    }  # fmt: skip
    shown = capsys.readouterr().out
    assert f"written to {tmp_path / 'new' / 'folder'}" in shown
    assert all(name in shown for name in paths)
    assert all(path.read_bytes().startswith(b"\x89PNG") for name, path in paths.items() if name.endswith(".png"))


def test_files_hold_plain_numbers_and_everything(make_run, tmp_path):
    make_run("a", "model.hidden_size=16", value=0.123456789)
    make_run("b", "model.hidden_size=32", value=0.2)
    comparison = compare([tmp_path])
    write_comparison(comparison, tmp_path)
    (line,) = csv.DictReader((tmp_path / "comparison.csv").open(encoding="utf-8"))
    assert (line["value"], line["low"], line["seeds"]) == ("0.123456789", "", "1")
    assert line["setting"] == "model.hidden_size=16"
    content = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert content["rows"] == comparison.rows
    assert [entry["setting"] for entry in content["settings"]] == [{"model.hidden_size": n} for n in (16, 32)]
    assert content["settings"][1]["values"][0]["value"] == 0.2
    assert "| adding | lstm |" in (tmp_path / "comparison.md").read_text(encoding="utf-8")


def test_a_second_comparison_beside_the_runs_finds_the_same_runs(runs, capsys):
    show_comparison([runs], runs)
    first = capsys.readouterr().out
    show_comparison([runs], runs)
    assert capsys.readouterr().out == first


def test_nothing_is_written_without_a_result(tmp_path):
    with pytest.raises(RunError):
        show_comparison([tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_curves_are_means_at_the_steps_that_all_seeds_have(make_run, tmp_path, drawn):
    make_run("a", "seed=0", curve=(0.5, 0.3, 0.1))
    make_run("b", "seed=1", curve=(0.3, 0.1))  # stopped early
    make_run("c", "cell=gru", curve=(0.2, 0.2, 0.2))
    make_run("d", "cell=gru", "seed=1", curve=(9.0, 9.0, 9.0), status="failed")
    write_comparison(compare([tmp_path]), tmp_path)
    lines, more = drawn["comparison_adding.png"]
    steps, means = lines["lstm"]
    assert steps == [1, 2]
    assert means == pytest.approx([0.4, 0.2])
    low, high = more["bands"]["lstm"]
    assert (low.tolist(), high.tolist()) == (pytest.approx([0.3, 0.1]), pytest.approx([0.5, 0.3]))
    assert lines["gru"][1] == pytest.approx([0.2, 0.2, 0.2])
    assert more["title"] == "adding: validation mse by cell (mean of 1 to 2 seeds, range of the seeds)"
    assert more["baselines"] == {"constant 1, on test": pytest.approx(1 / 6)}


def test_bands_of_three_seeds_are_intervals(make_run, tmp_path, drawn):
    for seed in range(3):
        make_run(str(seed), f"seed={seed}", curve=(0.1 * seed,))
    write_comparison(compare([tmp_path]), tmp_path)
    lines, more = drawn["comparison_adding.png"]
    assert np.ravel([lines["lstm"][1], *more["bands"]["lstm"]]) == pytest.approx(mean_interval([0.0, 0.1, 0.2]))
    assert "95 % t interval" in more["title"]


def test_intervals_are_those_of_the_rows(runs, tmp_path, drawn):
    comparison = compare([runs])
    write_comparison(comparison, tmp_path)
    lines, more = drawn["comparison_adding_intervals.png"]
    assert list(lines) == ["gru", "lstm"]
    assert lines["lstm"] == pytest.approx(mean_interval([0.1, 0.12, 0.14]))
    assert more["baselines"] == {"constant 1": pytest.approx(1 / 6)}


def test_a_number_that_keeps_rows_apart_is_an_axis(make_run, tmp_path, drawn):
    for cell in ("lstm", "gru"):
        for length in (50, 100):
            for size in (8, 16):
                make_run(
                    f"{cell}{length}{size}", f"cell={cell}", f"task.length={length}", f"model.hidden_size={size}",
                    value=length / size / 1000,
                )  # fmt: skip
    write_comparison(compare([tmp_path], by=["model.hidden_size"]), tmp_path)
    lines, _ = drawn["comparison_by_model.hidden_size.png"]
    assert set(lines) == {f"{cell} length={length}" for cell in ("lstm", "gru") for length in (50, 100)}
    np.testing.assert_allclose(lines["gru length=50"], [[8, 16], [0.00625, 0.003125]])
    lines, _ = drawn["comparison_by_task.length.png"]
    np.testing.assert_allclose(lines["lstm model.hidden_size=16"], [[50, 100], [0.003125, 0.00625]])
    assert "comparison_over_tasks.png" in drawn


def test_hundreds_of_runs_are_read_once_each(make_run, tmp_path, monkeypatch):
    template = as_older_version(make_run("template", "seed=0"))
    text = (template / "config.yaml").read_text()
    for seed in range(1, 300):
        copy = tmp_path / f"{seed}"
        shutil.copytree(template, copy)
        (copy / "config.yaml").write_text(text.replace("seed: 0", f"seed: {seed}"))
    module = sys.modules["lstmlab.study.runs"]
    read = []
    monkeypatch.setattr(module, "_read_config", lambda path, own=module._read_config: (read.append(path), own(path))[1])
    (row,) = compare([tmp_path]).rows
    assert row["seeds"] == len(read) == len(set(read)) == 300
