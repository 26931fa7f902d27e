"""Forecasts: nothing of the future reaches inputs or scalers; splits, windows and options."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from forecast_series import ROWS, make_task, values, whole

from lstmlab.config import ConfigError, compose
from lstmlab.data.download import DataError
from lstmlab.data.table import Table
from lstmlab.tasks.series.calendar_features import calendar_features, inferred_season
from lstmlab.tasks.series.forecast.dataset import DATASETS
from lstmlab.tasks.series.forecast.task import Forecast
from lstmlab.tasks.series.splits import split_by_time
from lstmlab.tasks.series.windows import SCALE, TRUTH


@pytest.fixture
def series(tmp_path):
    """Makes tasks on the CSV file."""
    return partial(make_task, tmp_path)


@pytest.mark.parametrize("options", [{}, {"strategy": "recursive", "features": "S"}, {"calendar": True},
                                     {"folds": 3, "fold": 1}, {"hours": 24, "climatology": True}])  # fmt: skip
@pytest.mark.parametrize("row", [140, 190])
def test_what_is_read_before_a_row_does_not_depend_on_that_row_or_later(series, row, options):
    """Change all rows from one on: no scaler, baseline or input that is known before it may move."""
    before, after = series(**options), series(row, **options)
    moved = 0
    for a, b in zip(before.info.scaler, after.info.scaler, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(before.data()["train"], after.data()["train"])
    np.testing.assert_array_equal(before.fitted_baselines.scale, after.fitted_baselines.scale)
    for split in ("train", "validation", "test"):
        origins = before.origins(split)
        a, b = whole(before, split), whole(after, split)
        same = (np.asarray(a.inputs) == np.asarray(b.inputs)).all(axis=(1, 2))
        assert same[origins <= row].all()
        assert not same[origins > row].any()
        moved += (~same).sum()
        known = origins[(origins <= row) & (origins >= before.prepared.season)]
        for name, forecaster in before.fitted_baselines.forecasters.items():
            if row < before.prepared.spans["validation"][1] and name.startswith(("climatology +", "linear with")):
                continue  # what they are fitted with is chosen on the validation rows
            twin = after.fitted_baselines.forecasters[name]
            guesses = forecaster(before.prepared.scaled_targets, known), twin(after.prepared.scaled_targets, known)
            np.testing.assert_array_equal(*guesses, err_msg=name)
    assert (moved > 0) == (row < before.origins("test")[-1])


def test_other_training_rows_make_another_scaler(series):
    assert (series().info.scaler.mean != series(139).info.scaler.mean).all()


def test_the_scaler_is_that_of_the_training_rows(series):
    train = values()[:140]
    np.testing.assert_allclose(series().info.scaler.mean, train.mean(axis=0))
    np.testing.assert_allclose(series().info.scaler.std, train.std(axis=0))


@pytest.mark.parametrize("options", [{}, {"folds": 4, "fold": 0}, {"folds": 4, "fold": 3}])
def test_splits_forecast_rows_of_their_own_and_follow_each_other(series, options):
    task = series(**options)
    rows = {split: {int(o) + k for o in task.origins(split) for k in range(4)} for split in task.prepared.spans}
    assert max(rows["train"]) < min(rows["validation"]) <= max(rows["validation"]) < min(rows["test"])
    assert max(rows["test"]) == (ROWS - 1 if options.get("fold") != 0 else 124)
    for split, (first, end) in task.prepared.spans.items():
        assert rows[split] == set(range(max(first, 6), end))


def test_later_folds_train_on_more_and_tests_tile_the_last_half():
    folds = [split_by_time(1000, k, 5, None) for k in range(5)]
    assert [fold["test"] for fold in folds] == [(500 + 100 * k, 600 + 100 * k) for k in range(5)]
    assert [fold["validation"] for fold in folds] == [(400 + 100 * k, 500 + 100 * k) for k in range(5)]
    assert [fold["train"] for fold in folds] == [(0, 400 + 100 * k) for k in range(5)]


def test_ett_is_split_as_informer_splits_it():
    spans = split_by_time(17420, 0, 1, DATASETS["ETTh1"].borders)
    windows = {split: end - max(first, 96) - 24 + 1 for split, (first, end) in spans.items()}
    assert windows == {"train": 8521, "validation": 2857, "test": 2857}
    assert DATASETS["ETTm1"].borders == (34560, 46080, 57600)


def test_a_window_is_the_rows_just_before_what_it_forecasts(series):
    task = series(normalise="none")
    z = (values() - values()[:140].mean(axis=0)) / values()[:140].std(axis=0)
    batch = task.eval_batch(task.data()["test"], "test", jnp.asarray(1), 3)
    for row in range(3):
        origin = 160 + 3 + row
        np.testing.assert_allclose(batch.inputs[row], z[origin - 6 : origin], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(batch.targets[row, TRUTH:, 0], z[origin : origin + 4, 0], rtol=1e-5, atol=1e-6)
        assert batch.targets[row, 0, 0] == pytest.approx(z[origin - 1, 0], rel=1e-5)


@pytest.mark.parametrize("features", ["S", "MS", "M"])
def test_features_say_what_is_read_and_what_is_forecast(series, features):
    target = None if features == "M" else "load"
    task = series(features=features, data_target=target, calendar=True)
    assert task.inputs.size == {"S": 1, "MS": 2, "M": 2}[features] + 6
    assert task.outputs.spatial == (4, 2 if features == "M" else 1)
    assert task.info.target_names == (["load", "wind"] if features == "M" else ["load"])


@pytest.mark.parametrize("normalise", ["last", "window"])
def test_normalised_inputs_do_not_know_the_level_and_forecasts_get_it_back(series, normalise):
    task = series(normalise=normalise, features="S", distribution="gaussian")
    rows = jnp.asarray(np.random.default_rng(0).normal(size=(3, 10, 1)), jnp.float32)
    low, high = task.batch_of(rows), task.batch_of(rows + 5)
    np.testing.assert_allclose(low.inputs, high.inputs, atol=1e-5)
    outputs = jnp.ones((3, 4, 1, 2))
    np.testing.assert_allclose(task.prediction(outputs, low).point + 5, task.prediction(outputs, high).point, atol=1e-5)
    np.testing.assert_allclose(task.prediction(outputs, low).std, task.prediction(outputs, high).std, atol=1e-5)
    if normalise == "window":
        np.testing.assert_allclose(low.inputs.std(axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(low.targets[:, SCALE, 0], rows[:, :6, 0].std(axis=1), rtol=1e-4)


def test_the_recursive_strategy_reads_the_calendar_ahead_but_no_values(series):
    task = series(strategy="recursive", features="S", calendar=True)
    batch = whole(task, "test")
    assert batch.inputs.shape[1:] == (6 + 3, 1 + 6)
    assert (batch.inputs[:, 6:, 0] == 0).all()
    first = task.origins("test")[0]
    expected = calendar_features(
        task.prepared.table.times[first - 6 : first + 3], np.timedelta64(1, "h").astype("timedelta64[s]")
    )
    np.testing.assert_allclose(batch.inputs[0, :, 1:], expected, atol=1e-5)


@pytest.mark.parametrize("size", [7, 100])
def test_every_window_of_the_test_counts_once(series, size):
    task = series()
    data = task.data()["test"]
    batches = [task.eval_batch(data, "test", jnp.asarray(i), size) for i in range(task.eval_batches("test", size))]
    weights = np.concatenate([b.weights for b in batches])
    targets = np.concatenate([b.targets for b in batches])
    np.testing.assert_array_equal(targets[weights > 0], whole(task, "test").targets)


def test_training_draws_from_all_training_windows(series):
    task = series()
    drawn = task.train_batch(task.data()["train"], jax.random.key(0), jnp.asarray(0), 5000)
    assert {*np.asarray(drawn.targets)[:, TRUTH, 0].tolist()} == {
        *np.asarray(whole(task, "train").targets)[:, TRUTH, 0].tolist()
    }


@pytest.mark.parametrize(
    ("step", "season"),
    [((900, "s"), 96), ((3600, "s"), 24), ((86400, "s"), 7), ((604800, "s"), 52), ((1, "M"), 12), ((3, "M"), 4),
     ((7, "s"), 1), ((12, "M"), 1), (None, 1)],
)  # fmt: skip
def test_the_season_follows_from_the_step(step, season):
    table = Table(("v",), None, np.zeros((2, 1)), None if step is None else np.timedelta64(*step))
    assert inferred_season(table) == season


def test_the_calendar_comes_round():
    hour, day = np.timedelta64(3600, "s"), np.timedelta64(86400, "s")
    times = np.datetime64("2021-01-01T00:00:00") + np.arange(24 * 8) * hour
    waves = calendar_features(times, hour)
    assert waves.shape == (192, 6)
    np.testing.assert_allclose(waves[:24, :2], waves[24:48, :2], atol=1e-6)
    np.testing.assert_allclose(waves[:24, 2:4], waves[168:, 2:4], atol=1e-6)
    assert calendar_features(times[::24], day).shape == (8, 4)
    assert calendar_features(times[:2], np.timedelta64(1, "M")).shape == (2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_target": "lod"}, "has no column 'lod'; did you mean 'load'?"),
        ({"data_target": None}, r"data\.target is not set: which column .* \(load, wind\)"),
        ({"window": 150}, r"train split has 140 rows, but needs at least 154: shorten task\.window"),
        ({"horizon": 30}, "validation split has 20 rows, but needs at least 30"),
        ({"season": 140}, r"task\.season=140 is longer than the training split"),
        ({"data_gaps": "ignore", "calendar": True}, r"task\.calendar=true needs a column of times"),
    ],
)
def test_what_does_not_fit_the_file_is_said(series, options, message):
    with pytest.raises(DataError, match=message):
        _ = series(**options).prepared


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["task.fold=2", "task.folds=2"], r"task\.fold is 2, but must be below task\.folds"),
        (["task.interval=1"], r"task\.interval is 1\.0, but must be below 1"),
        (["task.dataset=ETTh1", "data.file=a.csv"], "set one of them"),
        (["task.features=M", "data.target=a"], r"task\.features=M forecasts all columns"),
        (["task.features=MS", "task.strategy=recursive"], r"task\.strategy=recursive"),
        (["data.columns=[a]"], r"data\.columns is set, but data\.file is not"),
        (["data.file=a.csv", "data.target=c", "data.columns=[a]"], r"data\.target=c is not among data\.columns"),
    ],
)
def test_options_that_do_not_fit_are_refused(overrides, message):
    with pytest.raises(ConfigError, match=message):
        compose(["task=forecast", *overrides])


def test_a_target_that_never_changes_is_refused(tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("a,b\n" + "1,2\n" * 100)
    with pytest.raises(DataError, match="column 'a' never changes in the 70 training rows"):
        _ = Forecast(data_file=str(path), data_target="a", window=4, horizon=2).prepared
