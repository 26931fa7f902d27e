"""The fixed part of a forecast: with a network that says nothing it is the baseline of the same form."""

import dataclasses
import json
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from forecast_series import make_task, whole

from lstmlab.data.download import DataError
from lstmlab.tasks.series.anomaly.task import Anomaly
from lstmlab.tasks.task import mean


@pytest.fixture
def series(tmp_path):
    """Makes tasks on a CSV file with a row every six hours."""
    return partial(make_task, tmp_path, hours=6)


def silent_errors(task):
    """The errors on the test split where the network forecasts nothing."""
    batch = whole(task, "test")
    numbers = 2 if task.distribution == "gaussian" else 1
    nothing = jnp.zeros((task.rows("test"), task.horizon, len(task.info.targets), numbers))
    found = task.metrics(nothing, batch)
    return {name: float(mean(found[name])) for name in ("mse", "mae", "direction_accuracy")}


BOTH = {"linear": True, "climatology": True}


@pytest.mark.parametrize(("baseline", "options"), [
    ("NLinear (least squares)", {"linear": True, "features": "M", "data_target": None}),
    ("NLinear (least squares)", {"linear": True, "features": "S", "normalise": "window"}),
    ("linear with covariates", {"linear": True}),
    ("linear with calendar and covariates", {"linear": True, "calendar": True, "distribution": "gaussian"}),
    ("climatology + linear", BOTH | {"features": "S"}),
    ("climatology + linear", BOTH | {"features": "M", "data_target": None, "normalise": "none", "calendar": True}),
    ("climatology", {"climatology": True, "normalise": "none"}),
])  # fmt: skip
def test_without_the_network_it_is_the_baseline(series, baseline, options):
    task = series(**options)
    expected = task.fitted_baselines.errors(task.origins("test"))[baseline]
    found = silent_errors(task)
    assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-4)


def test_the_network_reads_differences_from_the_means_and_its_forecast_is_added(series):
    task = series(features="S", climatology=True, normalise="last")
    means, scaled = task.info.means, task.prepared.scaled_targets
    slots = (
        4 * 4 + np.arange(200)
    ) % 28  # the week of numbers begins on a Thursday, like 1970; the file on one as well
    slots = (slots - slots[0]) % 28
    train = scaled[:140]
    np.testing.assert_allclose(means[slots[:28]], [train[slots[:140] == s].mean(axis=0) for s in range(28)])
    batch, origins = whole(task, "test"), task.origins("test")
    rest = (scaled - means[slots])[:, 0]
    row = 3
    seen = rest[origins[row] - 6 : origins[row]]
    np.testing.assert_allclose(batch.inputs[row, :, 0], seen - seen[-1], rtol=1e-4, atol=1e-5)
    outputs = jnp.full((len(origins), 4, 1, 1), 0.25)
    ahead = np.arange(origins[row], origins[row] + 4)
    point = np.asarray(task.prediction(outputs, batch).point)[row, :, 0]
    np.testing.assert_allclose(point, means[slots[ahead], 0] + seen[-1] + 0.25, rtol=1e-4, atol=1e-5)


def test_both_are_saved_for_use_without_the_series(series):
    task = series(features="S", **BOTH)
    twin = dataclasses.replace(task).with_artifacts(json.loads(json.dumps(task.artifacts())))
    rows = jnp.asarray(task.data()["test"])[None, : task.window + task.horizon]
    np.testing.assert_array_equal(twin.batch_of(rows).targets, task.batch_of(rows).targets)
    with pytest.raises(KeyError):
        task.with_artifacts(series(features="S").artifacts())


def test_what_does_not_fit_is_refused(tmp_path, series):
    with pytest.raises(ValueError, match=r"needs task\.strategy=direct"):
        series(features="S", strategy="recursive", linear=True)
    with pytest.raises(DataError, match="a week has 168 steps, more than the 140 rows of the training split"):
        make_task(tmp_path, climatology=True).data()
    file = tmp_path / "untimed.csv"
    file.write_text("load\n" + "\n".join(str(i % 7) for i in range(100)) + "\n")
    with pytest.raises(DataError, match=r"task\.climatology=true needs a column of times"):
        dataclasses.replace(series(features="S", climatology=True), data_file=str(file)).data()


def test_a_detector_that_says_nothing_is_the_linear_baseline():
    task = Anomaly(context=20, steps=200, horizon=2, linear=True)

    def outputs(batch):
        return jnp.zeros((*batch.inputs.shape[:2], task.outputs.size))

    batch = task.pick(jnp.asarray(task.data()["test"]), jnp.arange(task.rows("test")))
    expected = pytest.approx(task.baselines()["linear"], rel=1e-3)
    assert float(mean(task.metrics(outputs(batch), batch)["mse"])) == expected

    class Silent:
        def predict(self, batch):
            return outputs(batch)

    forecasts = task.forecasts(Silent(), task.scaled)
    origins = np.arange(task.spans["test"][0] - 1, len(task.scaled) - 2)
    truth = task.scaled[origins[:, None] + 1 + np.arange(2)]
    assert np.mean((forecasts[origins] - truth) ** 2) == expected
    saved = json.loads(json.dumps(task.artifacts() | task.fitted_artifacts(Silent())))
    twin = Anomaly(context=20, steps=200, horizon=2, linear=True).with_artifacts(saved)
    np.testing.assert_array_equal(twin.forecasts(Silent(), task.scaled), forecasts)
