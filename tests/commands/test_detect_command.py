"""``lstmlab detect``: which rows of a file are anomalous, by a run whose own data is gone."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from small_runs import as_older_version, command, quick_programs, run, small

from lstmlab.commands import detect
from lstmlab.data.times import Times
from lstmlab.tasks import task_entry
from lstmlab.training import load

ROWS = 200
START = np.datetime64("2021-03-01T00:00")
SPIKE = 150


def hours(rows: int) -> Times:
    return START + np.arange(rows) * np.timedelta64(60, "m")


def write(path, rows=ROWS, names="load,wind", minutes=60, spike=True, times=True):
    rng = np.random.default_rng(0)
    values = np.stack([np.sin(np.arange(rows) / 4), rng.normal(size=rows)], axis=1)
    if spike:
        values[SPIKE] += [40, -40]
    stamps = START + np.arange(rows) * np.timedelta64(minutes, "m")
    lines = [(f"{t}," if times else "") + f"{a:.4f},{b:.4f}" for t, (a, b) in zip(stamps, values, strict=True)]
    path.write_text("\n".join([("time," if times else "") + names, *lines]) + "\n")
    return path


@pytest.fixture(autouse=True, scope="module")
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny run on a file that has been removed since; and its scores of that file."""
    folder = tmp_path_factory.mktemp("detect")
    file = write(folder / "train.csv", spike=False)
    header, *lines = file.read_text().splitlines()
    labelled = [f"{line},{int(180 <= row < 190)}" for row, line in enumerate(lines)]
    file.write_text("\n".join([f"{header},odd", *labelled]) + "\n")
    finished = run(small("anomaly", f"data.file={file}", "data.label=odd"), folder / "run")
    detector = finished.task.detector(finished)
    file.unlink()
    return finished.directory, detector


def refused(*arguments):
    outcome = command("detect", *map(str, arguments))
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    return outcome.err


def test_rows_are_scored_as_in_training_and_the_spike_is_flagged(trained, tmp_path):
    directory, detector = trained
    same = write(tmp_path / "same.csv", spike=False)
    outcome = command("detect", str(directory), "--file", str(same), "--output", str(tmp_path / "same"))
    assert (outcome.code, outcome.err) == (0, "")
    rows = list(csv.DictReader((tmp_path / "same" / "scores.csv").open()))
    assert list(rows[0]) == ["time", "load", "wind", "score", "flagged"]
    assert [row["time"] for row in rows] == [str(t).replace("T", " ") for t in hours(ROWS).astype("datetime64[s]")]
    scores = np.array([float(row["score"] or "nan") for row in rows])
    np.testing.assert_allclose(scores, detector.scores, rtol=1e-4)
    assert np.isnan(scores[:6]).all()
    assert np.isfinite(scores[6:]).all()
    flags = np.array([row["flagged"] == "1" for row in rows])
    np.testing.assert_array_equal(flags, np.nan_to_num(scores) > detector.scorer.threshold)

    spiked = write(tmp_path / "spiked.csv")
    outcome = command("detect", str(directory), "--file", str(spiked))
    table, picture = directory / "detect" / "scores.csv", directory / "detect" / "scores.png"
    assert outcome.out.splitlines()[-2:] == [str(table), str(picture)]
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(table.open()))
    scores = [float(row["score"] or 0) for row in rows]
    assert SPIKE <= int(np.argmax(scores)) <= SPIKE + 2
    assert rows[SPIKE]["flagged"] == "1"
    time = rows[SPIKE]["time"]
    assert any(line.startswith(f"  {time}") and "highest score" in line for line in outcome.out.splitlines())


def test_a_quiet_file_says_so(trained, tmp_path):
    directory, detector = trained
    kept = json.loads((directory / "task.json").read_text())
    kept["scorer"]["threshold"] = 1e9
    other = tmp_path / "run"
    other.mkdir()
    for name in ("config.yaml", "model.npz", "summary.json"):
        (other / name).write_bytes((directory / name).read_bytes())
    (as_older_version(other) / "task.json").write_text(json.dumps(kept))
    outcome = command("detect", str(other), "--file", str(write(tmp_path / "new.csv", rows=50, spike=False)))
    assert outcome.out.splitlines()[0] == "nothing flagged in 44 rows"
    (other / "task.json").write_text("{}")
    assert "task.json cannot be used" in refused(other, "--file", tmp_path / "new.csv")
    assert detector.scorer.threshold == load(directory).task.scorer.threshold


def test_files_that_do_not_fit_are_refused_in_one_line(trained, tmp_path):
    directory, _ = trained
    short = write(tmp_path / "short.csv", rows=6, spike=False)
    assert "short.csv has 6 rows, but a score needs 7: task.context=5" in refused(directory, "--file", short)
    other = write(tmp_path / "other.csv", names="load,sun")
    assert "other.csv has no column 'wind' (columns: " in refused(directory, "--file", other)
    daily = write(tmp_path / "half.csv", minutes=30)
    assert "but the run was trained on one row every" in refused(directory, "--file", daily)
    bare = write(tmp_path / "bare.csv", times=False)
    assert "bare.csv has no column of times, but" in refused(directory, "--file", bare)
    hole = write(tmp_path / "hole.csv")
    hole.write_text(hole.read_text().replace("03:00,", "03:00,nan,0\n#", 1).split("#")[0])
    assert "hole.csv, line 5, column 'load': the cell is empty" in refused(directory, "--file", hole)
    assert "cannot read" in refused(directory, "--file", tmp_path / "absent.csv")


def test_runs_of_other_tasks_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "load", lambda directory: SimpleNamespace(task=task_entry("adding").cls()))
    message = refused("runs/a", "--file", write(tmp_path / "new.csv"))
    assert "runs/a holds a run of task adding, not one of task anomaly" in message


def test_the_detection_measures_are_in_the_summary(trained):
    directory, _ = trained
    test = json.loads((directory / "summary.json").read_text())["test"]
    assert {"mse", "auprc", "window_recall", "window_precision", "false_alarms_per_1000", "delay"} <= set(test)
    assert len(list((directory / "pictures").glob("*.png"))) == 2
