"""Stocks: nothing of the future leaks into inputs, scalers or splits."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from lstmlab.plots import forecast as plots
from lstmlab.tasks.series.stocks import baselines
from lstmlab.tasks.series.stocks.dataset import load_sp500, returns_table, split_days
from lstmlab.tasks.series.stocks.task import Stocks
from lstmlab.tasks.task import mean

PRICES = load_sp500()


def with_another_future(day: int):
    """The same prices up to and with a row, others after it."""
    rng = np.random.default_rng(0)

    def changed(column):
        factors = np.where(np.arange(len(column)) > day, rng.uniform(0.5, 2, len(column)), 1.0)
        return column * factors

    names = ("open", "high", "low", "close", "volume")
    return dataclasses.replace(PRICES, **{name: changed(getattr(PRICES, name)) for name in names})


def test_the_scaler_does_not_see_validation_and_test():
    days = len(PRICES.close) - 1
    end = split_days("train", days)[1]
    before, after = returns_table(PRICES), returns_table(with_another_future(end))
    assert (before.mean, before.std) == (after.mean, after.std)
    np.testing.assert_array_equal(before.features[:end], after.features[:end])
    assert not np.allclose(before.features[end:], after.features[end:])


def test_training_statistics_are_those_of_the_training_split():
    table = returns_table(PRICES)
    train = table.features[: split_days("train", len(table.returns))[1]]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-4)


@pytest.mark.parametrize("day", [4000, 4700, 5000])
def test_what_is_read_before_a_day_does_not_depend_on_that_day_or_later(day, monkeypatch):
    """Change all rows after ``day``: no input of a forecast for a day up to ``day`` + 1 moves."""
    before, after = Stocks(), Stocks()
    monkeypatch.setitem(after.__dict__, "prices", with_another_future(day))
    moved = 0
    for split in ("train", "validation", "test"):
        rows = np.arange(len(before.data()[split]["targets"]))
        a, b = (task.windows(task.data()[split], rows) for task in (before, after))
        forecast_row = before.span(split)[0] + rows + 1  # row of the price table that is forecast
        same_inputs = (np.asarray(a.inputs) == np.asarray(b.inputs)).all(axis=(1, 2))
        same_targets = (np.asarray(a.targets) == np.asarray(b.targets)).all(axis=1)
        assert same_inputs[forecast_row <= day + 1].all()
        assert same_targets[forecast_row <= day].all()
        assert not same_inputs[forecast_row > day + 1].any()
        moved += (~same_targets).sum()
    assert moved == len(PRICES.close) - 1 - day


def test_splits_follow_each_other_in_time_and_cover_every_day():
    task = Stocks()
    spans = [task.span(split) for split in ("train", "validation", "test")]
    assert spans[0][0] == task.window
    assert spans[0][1] == spans[1][0]
    assert spans[1][1] == spans[2][0]
    assert spans[2][1] == len(PRICES.close) - 1
    shares = np.array([end / spans[2][1] for _, end in spans])
    np.testing.assert_allclose(shares, [0.7, 0.85, 1.0], atol=1e-3)


def test_a_window_is_the_days_just_before_its_target():
    task = Stocks(window=3, features="return")
    returns = np.diff(np.log(PRICES.close))
    train_end = int(0.7 * len(returns))
    scaled = (returns - returns[:train_end].mean()) / returns[:train_end].std()
    batch = task.eval_batch(task.data()["test"], "test", jnp.asarray(1), 4)
    first = int(0.85 * len(returns)) + 4
    for row in range(4):
        day = first + row
        np.testing.assert_allclose(batch.inputs[row, :, 0], scaled[day - 3 : day], rtol=1e-5)
        assert batch.targets[row, 0] == pytest.approx(scaled[day], rel=1e-4, abs=1e-6)
        assert batch.targets[row, 1] == float(PRICES.close[day + 1] > PRICES.close[day])


@pytest.mark.parametrize("size", [32, 100, 5000])
def test_the_test_walks_forward_over_every_day_once(size):
    task = Stocks(window=5)
    data = task.data()["test"]
    draw = jax.jit(task.eval_batch, static_argnums=(1, 3))
    batches = [draw(data, "test", i, size) for i in range(task.eval_batches("test", size))]
    weights = np.concatenate([b.weights for b in batches])
    targets = np.concatenate([b.targets for b in batches])
    np.testing.assert_array_equal(targets[weights > 0], data["targets"])


def test_features_by_hand():
    table = returns_table(PRICES)
    raw = np.stack(
        [
            np.log(PRICES.close[1:] / PRICES.close[:-1]),
            np.log(PRICES.high[1:]) - np.log(PRICES.low[1:]),
            np.log(PRICES.volume[1:] / PRICES.volume[:-1]),
        ],
        axis=1,
    )
    train = raw[: int(0.7 * len(raw))]
    expected = (raw - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(table.features, expected, rtol=1e-4, atol=1e-5)
    assert Stocks(features="return").inputs.size == 1
    assert Stocks().inputs.size == 3


def test_metrics_and_loss_against_numpy():
    task = Stocks(direction_weight=0.5)
    batch = task.windows(task.data()["train"], np.arange(64))
    outputs = np.random.default_rng(1).normal(size=(64, 2))
    y, up = np.asarray(batch.targets).T
    p = 1 / (1 + np.exp(-outputs[:, 1]))
    values = {name: mean(pair) for name, pair in task.metrics(jnp.asarray(outputs), batch).items()}
    mse, mae = np.mean((outputs[:, 0] - y) ** 2), np.mean(np.abs(outputs[:, 0] - y))
    nats = -np.mean(np.where(up == 1, np.log(p), np.log(1 - p)))
    std = np.diff(np.log(PRICES.close))[: int(0.7 * 5030)].std()
    assert values["mse"] == pytest.approx(mse, rel=1e-5)
    assert values["mae"] == pytest.approx(mae, rel=1e-5)
    assert values["mae_percent"] == pytest.approx(100 * std * mae, rel=1e-5)
    assert values["direction_accuracy"] == pytest.approx(np.mean((p > 0.5) == (up == 1)), rel=1e-5)
    assert task.loss(jnp.asarray(outputs), batch) == pytest.approx(mse + 0.5 * nats, rel=1e-5)


def test_baselines_are_the_metrics_of_constant_predictors():
    task = Stocks()
    data = task.data()["test"]
    rows = np.arange(len(data["targets"]))
    batch = task.windows(data, rows)
    standardised_zero = -task.table.mean / task.table.std
    guesses = {
        "mean return": np.zeros(len(rows)),
        "zero return": np.full(len(rows), standardised_zero),
        "last return": np.asarray(batch.inputs)[:, -1, 0],
    }
    found = task.baselines()
    assert set(found) == {*guesses, "ridge regression"}
    for name, guess in guesses.items():
        outputs = jnp.stack([guess, jnp.ones(len(rows))], axis=1)
        metrics = task.metrics(outputs, batch)
        assert found[name] == pytest.approx(float(mean(metrics["mse"])), rel=1e-4), name
        always_up = task.other_baselines()["direction_accuracy"]["always up"]
        assert always_up == pytest.approx(float(mean(metrics["direction_accuracy"])), rel=1e-5)
    signs = np.sign(np.diff(PRICES.close))[-len(rows) - 1 :] > 0
    last = task.other_baselines()["direction_accuracy"]["last direction"]
    assert last == pytest.approx(np.mean(signs[1:] == signs[:-1]))


def test_ridge_regression_is_that_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(baselines, "STRENGTHS", (1e-12,))
    task = Stocks(window=5)
    (x, y), (seen, truth) = (
        (np.asarray(batch.inputs, np.float64).reshape(len(batch.targets), -1), np.asarray(batch.targets)[:, 0])
        for batch in (task.windows(task.data()[s], np.arange(task.rows(s))) for s in ("train", "test"))
    )
    expected = np.mean((LinearRegression().fit(x, y).predict(seen) - truth) ** 2)
    assert task.baselines()["ridge regression"] == pytest.approx(expected, rel=1e-4)


def test_training_draws_from_the_whole_training_split():
    task = Stocks(window=2)
    batch = task.train_batch(task.data()["train"], jax.random.key(0), jnp.asarray(0), 50_000)
    seen = set(np.asarray(batch.targets)[:, 0].tolist())
    assert seen == set(task.data()["train"]["targets"][:, 0].tolist())


def test_windows_that_leave_no_training_days_are_refused():
    with pytest.raises(ValueError, match=r"task\.window=1001"):
        Stocks(window=1001)


class Clairvoyant:
    """Returns what will be."""

    def predict(self, batch):
        return batch.targets


def test_plots_are_drawn_of_the_last_days(tmp_path, monkeypatch):
    drawn = []
    draw = plots.forecast
    monkeypatch.setattr(plots, "forecast", lambda *a, **k: drawn.append((a, k)) or draw(*a, **k))
    *drawings, direction = Stocks().plot(Clairvoyant())
    assert direction.text.startswith(
        "direction right on 100.0% of 755 test days; 95 % interval (Wilson) 99.5% to 100.0%"
    )
    assert "always up: 53.8%" in direction.text
    for item in drawings:
        item.draw(tmp_path / f"{item.name}.png")
        assert (tmp_path / f"{item.name}.png").read_bytes().startswith(b"\x89PNG")
    words = drawn[0][1]
    dates, close, closes = words["times"], words["truth"], words["predictions"]
    assert dates[-1] == PRICES.dates[-1]
    assert len(dates) == 121
    np.testing.assert_array_equal(close, PRICES.close[-121:])
    np.testing.assert_array_equal(closes["persistence"], PRICES.close[-121:-1])
    np.testing.assert_allclose(closes["model"], PRICES.close[-120:], rtol=1e-6)
    persistence = np.sqrt(np.mean(np.diff(PRICES.close[-121:]) ** 2))
    assert f"RMSE 0.00, persistence {persistence:.2f} points" in words["title"]
    words = drawn[1][1]
    np.testing.assert_allclose(words["predictions"]["model"], words["truth"][1:], atol=1e-5)
