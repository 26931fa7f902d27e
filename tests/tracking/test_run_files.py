"""A run's directory: rows survive a kill, resuming forgets what came later, errors name files."""

import json
import math
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lstmlab.tracking import files
from lstmlab.tracking.files import RunError, RunFiles, file_names, read_metrics, read_summary, series


def strict_json(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_one_row_per_log_in_the_order_of_logging(tmp_path):
    run = RunFiles(tmp_path / "a" / "run")
    run.log(10, {"train/loss": 1.25})
    run.log(20, {"train/loss": 0.5, "validation/loss": 0.75})
    rows = [
        {"step": 10, "train/loss": 1.25},
        {"step": 20, "train/loss": 0.5, "validation/loss": 0.75},
    ]
    # Read while the run is still open: rows do not wait in a buffer.
    assert read_metrics(tmp_path / "a" / "run") == rows
    text = (tmp_path / "a" / "run" / "metrics.jsonl").read_text()
    assert [strict_json(line) for line in text.splitlines()] == rows


def test_series_takes_the_rows_that_have_the_metric(tmp_path):
    rows = [{"step": 1, "a": 1.0}, {"step": 2, "b": 5.0}, {"step": 3, "a": 3.0, "b": 6.0}]
    assert series(rows, "a") == ([1, 3], [1.0, 3.0])
    assert series(rows, "nothing") == ([], [])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.1 + 0.2, 1e-320, 3])
def test_every_number_comes_back_as_it_was_and_the_file_is_valid_json(tmp_path, value):
    run = RunFiles(tmp_path)
    run.log(1, {"loss": value})
    run.finish({"loss": value, "nested": {"list": [value, 1]}})
    strict_json((tmp_path / "metrics.jsonl").read_text())
    strict_json((tmp_path / "summary.json").read_text())
    back = [
        read_metrics(tmp_path)[0]["loss"],
        read_summary(tmp_path)["loss"],
        read_summary(tmp_path)["nested"]["list"][0],
    ]
    np.testing.assert_array_equal(back, [value] * 3)
    assert all(type(number) is type(value) for number in back)


def test_a_killed_process_keeps_its_rows(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from lstmlab.tracking.files import RunFiles\n"
        "run = RunFiles(sys.argv[1])\n"
        "for step in range(5): run.log(step, {'loss': 1.0 / (step + 1)})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [row["step"] for row in read_metrics(tmp_path)] == [0, 1, 2, 3, 4]


def test_a_torn_last_row_is_left_out_and_the_next_row_is_whole(tmp_path):
    RunFiles(tmp_path).log(1, {"loss": 1.0})
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 2, "lo')
    assert read_metrics(tmp_path) == [{"step": 1, "loss": 1.0}]
    RunFiles(tmp_path).log(3, {"loss": 3.0})
    assert read_metrics(tmp_path) == [{"step": 1, "loss": 1.0}, {"step": 3, "loss": 3.0}]


def test_a_file_that_holds_nothing_but_a_torn_row_is_emptied(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 2')
    RunFiles(tmp_path).log(1, {"loss": 1.0})
    assert read_metrics(tmp_path) == [{"step": 1, "loss": 1.0}]


def test_resuming_forgets_what_came_after_the_checkpoint(tmp_path):
    run = RunFiles(tmp_path)
    for step in (10, 20, 30):
        run.log(step, {"loss": math.nan if step == 10 else 1.0 / step})
        run.text(step, "sample", f"text {step}")
        run.image(step, "state", np.zeros((2, 2), np.uint8))
    (tmp_path / "pictures" / "by-hand.png").write_bytes(b"no step in the name")
    run.fail("killed")
    resumed = RunFiles(tmp_path)
    resumed.resume_from(20)
    resumed.log(25, {"loss": 0.5})
    rows = read_metrics(tmp_path)
    assert [row["step"] for row in rows] == [10, 20, 25]
    assert math.isnan(rows[0]["loss"])
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "sample-0000010.txt",
        "sample-0000020.txt",
    ]
    assert (tmp_path / "pictures" / "by-hand.png").exists()
    assert not (tmp_path / "pictures" / "state-0000030.png").exists()
    # The run goes on: what it said at its first end holds no longer.
    assert not (tmp_path / "summary.json").exists()


def test_starting_over_sets_the_old_rows_aside(tmp_path):
    run = RunFiles(tmp_path)
    run.log(0, {"loss": 1.0})
    run.finish({})
    again = RunFiles(tmp_path)
    again.start_over()
    again.log(0, {"loss": 2.0})
    assert read_metrics(tmp_path) == [{"step": 0, "loss": 2.0}]
    previous = (tmp_path / "metrics.previous.jsonl").read_text()
    assert json.loads(previous) == {"step": 0, "loss": 1.0}
    assert not (tmp_path / "summary.json").exists()


def test_starting_over_in_an_empty_directory_sets_nothing_aside(tmp_path):
    RunFiles(tmp_path).start_over()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_summary_tells_how_the_run_ended(tmp_path):
    RunFiles(tmp_path / "good").finish({"test": {"loss": np.float32(0.5)}, "backend": "scan"})
    summary = {"status": "finished", "test": {"loss": 0.5}, "backend": "scan"}
    assert read_summary(tmp_path / "good") == summary
    RunFiles(tmp_path / "bad").fail("out of memory")
    assert read_summary(tmp_path / "bad") == {"status": "failed", "error": "out of memory"}


def test_who_reads_a_summary_while_it_is_replaced_reads_the_old_one_whole(tmp_path):
    RunFiles(tmp_path).finish({"loss": 1.0})
    with (tmp_path / "summary.json").open() as reader:
        RunFiles(tmp_path).finish({"loss": 2.0})
        assert json.load(reader)["loss"] == 1.0
    assert read_summary(tmp_path)["loss"] == 2.0


def test_a_summary_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    RunFiles(tmp_path).finish({"loss": 1.0})

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        RunFiles(tmp_path).finish({"loss": 2.0})
    assert read_summary(tmp_path)["loss"] == 1.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl", "summary.json"]


def test_what_cannot_be_json_is_refused_before_the_old_summary_is_touched(tmp_path):
    RunFiles(tmp_path).finish({"loss": 1.0})
    with pytest.raises(TypeError, match="cannot write a object as JSON"):
        RunFiles(tmp_path).finish({"loss": object()})
    assert read_summary(tmp_path)["loss"] == 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "metrics.jsonl: no such file"),
        ('{"step": 1}\nnonsense\n{"step": 3}\n', "metrics.jsonl: line 2 is not a row of metrics"),
        ('{"loss": 1}\n', "metrics.jsonl: line 1 is not a row of metrics"),
        ("[1, 2]\n", "metrics.jsonl: line 1 is not a row of metrics"),
    ],
)
def test_unreadable_metrics_are_one_line_naming_the_file(tmp_path, content, message):
    if content is not None:
        (tmp_path / "metrics.jsonl").write_text(content)
    with pytest.raises(RunError) as caught:
        read_metrics(tmp_path)
    assert str(caught.value) == f"{tmp_path}/{message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "summary.json: no such file"),
        ('{\n"loss": ', "summary.json: not valid JSON (line 2)"),
        ("[]", "summary.json: not a summary but a list"),
    ],
)
def test_unreadable_summaries_are_one_line_naming_the_file(tmp_path, content, message):
    if content is not None:
        (tmp_path / "summary.json").write_text(content)
    with pytest.raises(RunError) as caught:
        read_summary(tmp_path)
    assert str(caught.value) == f"{tmp_path}/{message}"


def test_texts_pictures_videos_and_tables_lie_under_their_name_and_step(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5, 7), np.uint8)
    colour = rng.integers(0, 256, (5, 7, 3), np.uint8)
    frames = np.arange(3, dtype=np.uint8)[:, None, None] * np.full((3, 8, 8), 100, np.uint8)
    run = RunFiles(tmp_path)
    run.text(2000, "sample/greedy", "été\nROMEO:\n")
    run.image(5, "gates", pixels)
    run.image(6, "gates", colour)
    run.image(7, "gates", tmp_path / "pictures" / "gates-0000005.png")
    run.video(5, "frames", frames)
    run.table(5, "cells", ["cell", "loss"], [["lstm", 0.1]])
    sample = tmp_path / "samples" / "sample-greedy-0002000.txt"
    assert sample.read_text(encoding="utf-8") == "été\nROMEO:\n"
    np.testing.assert_array_equal(Image.open(tmp_path / "pictures/gates-0000005.png"), pixels)
    np.testing.assert_array_equal(Image.open(tmp_path / "pictures/gates-0000006.png"), colour)
    np.testing.assert_array_equal(Image.open(tmp_path / "pictures/gates-0000007.png"), pixels)
    assert Image.open(tmp_path / "pictures/frames-0000005.gif").n_frames == 3
    assert (tmp_path / "tables/cells-0000005.csv").read_text() == "cell,loss\nlstm,0.1\n"


def test_a_picture_already_in_its_place_stays(tmp_path):
    run = RunFiles(tmp_path)
    run.image(5, "gates", np.zeros((2, 2), np.uint8))
    path = tmp_path / "pictures" / "gates-0000005.png"
    before = path.read_bytes()
    run.image(5, "gates", path)
    assert path.read_bytes() == before


def test_names_of_files_are_plain_and_differ():
    assert file_names(["T (C)", "T [C]", "wind/m s", "Ü"]) == ["T__C__1", "T__C__2", "wind_m_s", "Ü"]


def test_step_is_no_metric(tmp_path):
    with pytest.raises(ValueError, match="'step' is no metric name"):
        RunFiles(tmp_path).log(1, {"step": 2.0})
