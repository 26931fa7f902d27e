"""``lstmlab forecast``: what comes after the end of a file, by a run whose own data is gone."""

import csv
import dataclasses
import datetime
import shutil
import zoneinfo

import numpy as np
import pytest
from small_runs import as_older_version, command, quick_programs, run, small

from lstmlab.commands._input_file import for_command
from lstmlab.config import compose
from lstmlab.tasks.series.forecast.task import Forecast
from lstmlab.training import load

ROWS = 120
START = np.datetime64("2021-03-01")


def write(path, rows=ROWS, step=1, names="load,wind", start=START):
    rng = np.random.default_rng(0)
    lines = [f"{start + i * step},{a:.3f},{b:.3f}" for i, (a, b) in enumerate(rng.normal(50, 9, size=(rows, 2)))]
    path.write_text("\n".join([f"day,{names}", *lines]) + "\n")
    return path


@pytest.fixture(autouse=True, scope="module")
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny run on a file that has been removed since."""
    folder = tmp_path_factory.mktemp("forecast")
    file = write(folder / "train.csv")
    config = small(
        "forecast", f"data.file={file}", "task.features=M", "task.distribution=quantile", "task.calendar=true",
        "task.interval=0.8", "task.climatology=true", "task.linear=true",
    )  # fmt: skip
    directory = run(config, folder / "run").directory
    file.unlink()
    return directory


def refused(*arguments):
    outcome = command("forecast", *map(str, arguments))
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    return outcome.err


def test_the_days_after_the_file_are_forecast_with_their_interval(trained, tmp_path):
    file = write(tmp_path / "new.csv", rows=20)
    outcome = command("forecast", str(trained), "--file", str(file), "--output", str(tmp_path / "out"))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.split() == [str(tmp_path / "out" / name) for name in (
        "forecast.csv", "forecast_load.png", "forecast_wind.png")]  # fmt: skip
    rows = list(csv.DictReader((tmp_path / "out" / "forecast.csv").open()))
    assert [row["time"] for row in rows] == [d for d in ("2021-03-21", "2021-03-22", "2021-03-23") for _ in range(2)]
    assert [row["column"] for row in rows] == ["load", "wind"] * 3
    for row in rows:
        assert float(row["lower"]) < float(row["forecast"]) < float(row["upper"])
        assert 0 < float(row["forecast"]) < 100
    assert (tmp_path / "out" / "forecast_load.png").read_bytes().startswith(b"\x89PNG")


def test_it_is_what_the_task_forecasts_from_the_same_rows(trained, tmp_path):
    """The last window of the run's own test split, cut off before what it forecasts."""
    whole = write(tmp_path / "whole.csv")
    cut = tmp_path / "cut.csv"
    cut.write_text("\n".join(whole.read_text().splitlines()[:-3]) + "\n")
    assert command("forecast", str(trained), "--file", str(cut), "--output", str(tmp_path)).code == 0
    found = [float(row["forecast"]) for row in csv.DictReader((tmp_path / "forecast.csv").open())]
    model = load(trained)
    assert isinstance(model.task, Forecast)
    task = dataclasses.replace(model.task, data_file=str(whole))
    batch = task.windows(task.data()["test"], np.array([len(task.origins("test")) - 1]))
    predicted = np.asarray(task.prediction(model.predict(batch), batch).point)[0]
    np.testing.assert_allclose(np.reshape(found, (3, 2)), task.info.scaler.restore(predicted), rtol=1e-4)


def test_a_file_may_have_more_columns_in_another_order(trained, tmp_path):
    file = write(tmp_path / "new.csv", names="wind,load")
    file.write_text("\n".join(line + (",note" if i == 0 else ",x") for i, line in enumerate(
        file.read_text().splitlines())) + "\n")  # fmt: skip
    assert command("forecast", str(trained), "--file", str(file), "--output", str(tmp_path)).code == 0


def test_a_run_without_times_forecasts_a_file_with_any(tmp_path):
    file = tmp_path / "train.csv"
    write(file)
    file.write_text("\n".join(line.split(",", 1)[1] for line in file.read_text().splitlines()) + "\n")
    trained = run(small("forecast", f"data.file={file}", "data.target=load"), tmp_path / "run").directory
    new = write(tmp_path / "new.csv", rows=20)
    lines = new.read_text().splitlines()
    new.write_text("\n".join([*lines[:5], *lines[7:]]) + "\n")  # trading days, say
    outcome = command("forecast", str(trained), "--file", str(new))
    assert (outcome.code, outcome.err) == (0, "")
    rows = list(csv.DictReader((trained / "forecast" / "forecast.csv").open()))
    assert [row["row"] for row in rows] == ["18", "19", "20"]


def hourly(path, first, offset, rows=60):
    """Rows by the hour from an instant on, written with ``offset(instant)``, an ISO text."""
    instants = [datetime.datetime.fromisoformat(first) + datetime.timedelta(hours=k) for k in range(rows)]
    lines = [f"{offset(instant)},{hour % 7 + hour % 24}" for hour, instant in enumerate(instants)]
    path.write_text("\n".join(["time,load", *lines]) + "\n")
    return path


def test_one_instant_is_forecast_alike_however_it_is_written(tmp_path):
    """Trained in a zone; used with its local times, with its offsets, and in UTC."""
    zone = zoneinfo.ZoneInfo("Europe/Berlin")

    def local(instant):
        return instant.astimezone(zone).isoformat()

    def naive(instant):
        return instant.astimezone(zone).replace(tzinfo=None).isoformat()

    train = hourly(tmp_path / "train.csv", "2021-03-25T00:00+00:00", naive, 120)
    config = small(
        "forecast", f"data.file={train}", "data.target=load", "task.calendar=true", "data.timezone=Europe/Berlin"
    )
    trained = run(config, tmp_path / "run").directory
    found = []
    for name, written in (("local", local), ("naive", naive), ("utc", datetime.datetime.isoformat)):
        file = hourly(tmp_path / f"{name}.csv", "2021-10-30T00:00+00:00", written, 23)
        outcome = command("forecast", str(trained), "--file", str(file), "--output", str(tmp_path / name))
        assert (outcome.code, outcome.err) == (0, "")
        found.append((tmp_path / name / "forecast.csv").read_text())
    assert found[0] == found[1] == found[2]
    times = [row["time"] for row in csv.DictReader(found[0].splitlines())]
    assert times == ["2021-10-31 01:00:00+02:00", "2021-10-31 02:00:00+02:00", "2021-10-31 02:00:00+01:00"]


def test_times_without_offset_do_not_fit_a_calendar_with_one(tmp_path):
    train = hourly(tmp_path / "train.csv", "2021-03-25T00:00+01:00", datetime.datetime.isoformat, 120)
    config = small("forecast", f"data.file={train}", "data.target=load", "task.calendar=true")
    trained = run(config, tmp_path / "run").directory
    new = hourly(tmp_path / "new.csv", "2021-05-01T00:00+01:00", lambda t: t.replace(tzinfo=None).isoformat())
    assert "new.csv: times of the offset +01:00, but these are without an offset" in refused(trained, "--file", new)


def test_what_is_wrong_with_the_file_is_said_in_a_line(trained, tmp_path):
    file = tmp_path / "new.csv"
    assert "cannot read" in refused(trained, "--file", file)
    assert "has 4 rows, but the run looks back on task.window=5" in refused(trained, "--file", write(file, rows=4))
    assert "has no column 'wind'; did you mean 'winds'?" in refused(trained, "--file", write(file, names="load,winds"))
    assert "one row every 1 week, but the run was trained on one row every 1 day" in refused(
        trained, "--file", write(file, step=7)
    )
    months = [f"2020-{month:02d},1,2" for month in range(1, 10)]
    file.write_text("\n".join(["day,load,wind", *months]) + "\n")
    assert "one row every 1 month, but the run was trained on one row every 1 day" in refused(trained, "--file", file)
    write(file, rows=20)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:5], *lines[6:]]) + "\n")
    absent = refused(trained, "--file", file)
    assert absent.endswith("; --missing forward|interpolate fills absent rows\n")
    filled = command("forecast", str(trained), "--file", str(file), "--missing", "forward", "--output", str(tmp_path))
    assert (filled.code, filled.err) == (0, "")
    file.write_text("load,wind\n" + "1,2\n" * 9)
    assert "has no column of times, but the run was trained on one row every 1 day" in refused(trained, "--file", file)


def test_a_file_that_was_moved_is_shown_where_it_is_now(trained, tmp_path, monkeypatch):
    write(tmp_path / "new.csv")
    monkeypatch.chdir(tmp_path)
    told = refused(trained, "--file", "/elsewhere/new.csv")
    assert "cannot read /elsewhere/new.csv: No such file" in told
    assert told.endswith("; there is new.csv in this directory: --file new.csv reads it\n")


@pytest.mark.parametrize("cell", [".", "no_number", "1,5"])
def test_advice_names_no_key_that_the_command_does_not_take(trained, tmp_path, cell):
    file = write(tmp_path / "new.csv")
    first = file.read_text().splitlines()[1]
    file.write_text(file.read_text().replace(first, f'{first.split(",")[0]},"{cell}",1'))
    told = refused(trained, "--file", file)
    assert f"new.csv, line 2, column 'load': '{cell}' is not a number" in told
    assert "data." not in told
    assert told.endswith("(write 1.5)\n" if cell == "1,5" else "write it as in the file of training\n")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("a: empty; fill it, or set data.missing=forward", "a: empty; fill it, or give --missing forward"),
        ("a: twice; data.ambiguous_time=earlier says", "a: twice; --ambiguous-time earlier says"),
        ("a: clocks; set data.timezone=+01:00", "a: clocks; write it as in the file of training"),
        ("data.na=1.csv: 3 cells", "data.na=1.csv: 3 cells"),
    ],
)
def test_keys_of_training_become_arguments_or_advice(message, told):
    assert for_command(message) == told


def test_what_is_wrong_with_the_run_is_said_in_a_line(trained, tmp_path):
    file = write(tmp_path / "new.csv")
    other = run(small("adding"), tmp_path / "adding").directory
    assert "holds a run of task adding, which forecasts no series" in refused(other, "--file", file)
    trained = as_older_version(shutil.copytree(trained, tmp_path / "run"))
    kept = trained / "task.json"
    text = kept.read_text()
    try:
        kept.write_text("{}")
        assert "task.json cannot be used (KeyError: 'mean')" in refused(trained, "--file", file)
        kept.unlink()
        # Without it the run's own data would have to be there.
        told = refused(trained, "--file", file)
        assert "train.csv: No such file" in told and "has no task.json: restore either" in told
        assert "data.file" not in told
    finally:
        kept.write_text(text)
    assert command("forecast", str(trained)).code == 2


def test_what_is_kept_is_what_the_series_says(tmp_path):
    file = write(tmp_path / "a.csv")
    task = compose(["task=forecast", "task.features=M", f"data.file={file}"]).task
    assert isinstance(task, Forecast)
    twin = task.with_artifacts(task.artifacts())
    assert (twin, twin.inputs, twin.outputs) == (task, task.inputs, task.outputs)
    assert "prepared" not in twin.__dict__
    assert twin.info.step == np.timedelta64(86400, "s")
