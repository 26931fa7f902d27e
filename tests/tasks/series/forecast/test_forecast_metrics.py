"""Forecasts judged: metrics against other packages, baselines, plots."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
import sklearn.metrics
from forecast_series import make_task, values, whole
from scipy import stats

from lstmlab.data.download import data_directory
from lstmlab.tasks.series.forecast.task import Forecast
from lstmlab.tasks.series.windows import TRUTH
from lstmlab.tasks.task import mean

needs_ett = pytest.mark.skipif(not (data_directory() / "ett/ETTh1.csv").exists(), reason="ETT is not downloaded")


@pytest.fixture
def series(tmp_path):
    """Makes tasks on the CSV file."""
    return partial(make_task, tmp_path)


def outputs_of(task, batch, seed=1):
    rng = np.random.default_rng(seed)
    return jnp.asarray(rng.normal(size=(len(batch.inputs), *task.outputs.spatial, task.outputs.size)), jnp.float32)


def measured(task, outputs, batch):
    return {name: float(mean(pair)) for name, pair in task.metrics(outputs, batch).items()}


@pytest.mark.parametrize("distribution", ["point", "gaussian", "quantile"])
def test_metrics_against_scikit_learn_and_scipy(series, distribution):
    task = series(distribution=distribution, features="M", data_target=None, interval=0.8, season=3)
    batch = whole(task, "test")
    outputs = outputs_of(task, batch)
    prediction, found = task.prediction(outputs, batch), measured(task, outputs, batch)
    truth, point = (np.asarray(a, np.float64).ravel() for a in (batch.targets[:, TRUTH:], prediction.point))
    assert found["mse"] == pytest.approx(sklearn.metrics.mean_squared_error(truth, point), rel=1e-6)
    assert found["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(truth, point), rel=1e-6)
    z = (values() - values()[:140].mean(axis=0)) / values()[:140].std(axis=0)
    naive = np.abs(z[3:140] - z[:137]).mean(axis=0)
    errors = np.abs(truth - point).reshape(-1, 2).mean(axis=0)
    assert found["mase"] == pytest.approx(np.mean(errors / naive), rel=1e-5)
    last = np.broadcast_to(batch.targets[:, :1], prediction.point.shape).ravel()
    right = sklearn.metrics.accuracy_score(truth > last, point > last)
    assert found["direction_accuracy"] == pytest.approx(right, rel=1e-6)
    if distribution == "point":
        return
    low, high = (np.asarray(a, np.float64).ravel() for a in (prediction.lower, prediction.upper))
    assert found["coverage"] == pytest.approx(np.mean((low <= truth) & (truth <= high)), rel=1e-6)
    assert found["interval_width"] == pytest.approx(np.mean(high - low), rel=1e-6)
    levels = ((0.1, low), (0.5, point), (0.9, high))
    pinball = np.mean([sklearn.metrics.mean_pinball_loss(truth, p, alpha=q) for q, p in levels])
    assert found["pinball"] == pytest.approx(pinball, rel=1e-6)
    if distribution == "gaussian":
        normal = stats.norm(point, np.asarray(prediction.std, np.float64).ravel())
        assert found["nll"] == pytest.approx(-normal.logpdf(truth).mean(), rel=1e-6)
        np.testing.assert_allclose(low, normal.ppf(0.1), rtol=1e-5, atol=1e-5)
    loss = {"gaussian": "nll", "quantile": "pinball"}[distribution]
    assert float(task.loss(outputs, batch)) == pytest.approx(found[loss], rel=1e-6)


def test_quantiles_do_not_cross(series):
    task = series(distribution="quantile")
    batch = whole(task, "test")
    prediction = task.prediction(100 * outputs_of(task, batch), batch)
    assert (prediction.lower <= prediction.point).all()
    assert (prediction.point <= prediction.upper).all()


def test_baselines_are_the_metrics_of_their_own_forecasts(series):
    task = series(season=5)
    batch, first = whole(task, "test"), task.origins("test")
    shift, scale = batch.targets[:, 1, None], batch.targets[:, 2, None]
    others = task.other_baselines()
    for name, forecaster in task.fitted_baselines.forecasters.items():
        guess = jnp.asarray(forecaster(task.prepared.scaled_targets, first), jnp.float32)
        found = measured(task, ((guess - shift) / scale)[..., None], batch)
        assert task.baselines()[name] == pytest.approx(found["mse"], rel=1e-4)
        for metric in ("mae", "mase"):
            assert others[metric][name] == pytest.approx(found[metric], rel=1e-4)
    assert others["direction_accuracy"].keys() == {
        "drift", "seasonal naive", "seasonal naive (day)", "DLinear (least squares)", "NLinear (least squares)",
        "linear with covariates",
    }  # fmt: skip


class Clairvoyant:
    """Predicts what will be."""

    def predict(self, batch):
        shift, scale = batch.targets[:, 1, None], batch.targets[:, 2, None]
        point = (batch.targets[:, TRUTH:] - shift) / scale
        return jnp.stack([point, jnp.zeros_like(point)], axis=-1)


def test_plots_and_the_certainty_of_directions(series, tmp_path):
    task = series(distribution="gaussian", features="M", data_target=None)
    items = {item.name: item for item in task.plot(Clairvoyant())}
    assert set(items) == {"forecast_load", "forecast_wind", "error_by_lead", "direction"}
    for item in items.values():
        if item.draw:
            item.draw(tmp_path / "a.png")
            assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    drawn = items["forecast_load"].draw.keywords
    np.testing.assert_allclose(drawn["predictions"]["model"], values()[-24:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(drawn["truth"], values()[-28:, 0], rtol=1e-6)
    assert "right in 100.0% of 20 forecasts" in items["direction"].text
    low = stats.binomtest(20, 20).proportion_ci(method="wilson").low
    assert f"{low:.1%} to 100.0%" in items["direction"].text


@needs_ett
def test_nlinear_on_etth1_a_day_ahead_has_its_known_error():
    task = Forecast(dataset="ETTh1", window=96, horizon=24)
    assert task.baselines()["NLinear (least squares)"] == pytest.approx(0.02644, abs=5e-6)


@needs_ett
def test_the_linear_baseline_on_ett_is_near_what_is_published():
    """Zeng et al. 2023, table 2: DLinear 0.375 with a window of 336 (NLinear 0.374); here 96 and 336 rows."""
    task = Forecast(dataset="ETTh1", features="M", window=336, horizon=96)
    assert task.baselines()["DLinear (least squares)"] == pytest.approx(0.375, abs=0.01)
