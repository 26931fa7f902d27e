"""Sea-surface temperature: nothing of the future leaks, land does not count, baselines by hand."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from lstmlab.tasks.task import mean
from lstmlab.tasks.vision.frames import from_patches
from lstmlab.tasks.vision.sea_surface.baselines import component_forecasts
from lstmlab.tasks.vision.sea_surface.dataset import load_sea_surface, to_anomalies
from lstmlab.tasks.vision.sea_surface.task import SeaSurfaceTask

RECORDS = load_sea_surface()
SPLITS = ("train", "validation", "test")


@functools.cache
def small(**options) -> SeaSurfaceTask:
    return SeaSurfaceTask(**{"window": 3, "horizon": 2, "patch": 6} | options)


def with_other_months(first: int, **options) -> SeaSurfaceTask:
    """The task on records whose months from ``first`` on are others."""
    noise = np.random.default_rng(0).normal(size=RECORDS.temperature[first:].shape)
    changed = RECORDS.temperature.copy()
    changed[first:] += noise.astype(np.float32)
    task = dataclasses.replace(small(**options))
    task.__dict__["records"] = dataclasses.replace(RECORDS, temperature=changed)
    return task


def test_the_records_are_the_tropical_oceans():
    assert RECORDS.temperature.shape == (54, 18, 432)
    assert [str(month) for month in RECORDS.months[[0, -1]]] == ["2006-04", "2010-09"]
    assert (np.diff(RECORDS.months.astype(int)) == 1).all()
    land = np.isnan(RECORDS.temperature)
    assert (land == land[0]).all()
    assert land.mean() == pytest.approx(0.264, abs=1e-3)
    assert 15 < np.nanmin(RECORDS.temperature) < np.nanmax(RECORDS.temperature) < 32
    # Congo and Amazon are land, the date line and the Gulf of Guinea are sea.
    for north, east, dry in ((0, 20, True), (-3, 300, True), (0, 180, False), (0, 1, False)):
        at = np.abs(RECORDS.latitude - north).argmin(), np.abs(RECORDS.longitude - east).argmin()
        assert land[0][at] == dry
    # El Niño: the central Pacific was warmer at the end of 2009 than a year before and after.
    nino = (RECORDS.longitude > 190) & (RECORDS.longitude < 240)
    december = {year: np.nanmean(RECORDS.temperature[RECORDS.months == np.datetime64(f"{year}-12")][:, :, nino])
                for year in (2007, 2008, 2009)}  # fmt: skip
    assert december[2009] > december[2008] + 1 > december[2007]


def test_changing_test_months_changes_neither_climatology_nor_scaler_nor_earlier_inputs():
    before, after = small(), with_other_months(45)
    np.testing.assert_array_equal(before.anomalies.climatology, after.anomalies.climatology)
    assert before.anomalies.deviation == after.anomalies.deviation
    for split in ("train", "validation"):
        jax.tree.map(np.testing.assert_array_equal, before.data()[split], after.data()[split])
    assert before.span("test")[0] == 45
    old, new = (task.data()["test"]["patches"] for task in (before, after))
    np.testing.assert_array_equal(old[:3], new[:3])
    assert (old[3:] != new[3:]).any(axis=(1, 2, 3)).all()


def test_changing_validation_months_leaves_training_as_it_was():
    before, after = small(), with_other_months(36)
    assert before.anomalies.deviation == after.anomalies.deviation
    jax.tree.map(np.testing.assert_array_equal, before.data()["train"], after.data()["train"])


@pytest.mark.parametrize("forecast", ["stepwise", "encoder_forecaster"])
def test_inputs_do_not_hold_what_is_forecast(forecast):
    """Other months after the last one seen: inputs stay, targets change."""
    before, after = small(forecast=forecast), with_other_months(46, forecast=forecast)
    rows = jnp.asarray([1])  # sees months 43 to 45, forecasts 46 and 47
    a, b = (task.pick(task.data()["test"], rows) for task in (before, after))
    jax.tree.map(np.testing.assert_array_equal, a.inputs, b.inputs)
    assert not np.array_equal(a.targets, b.targets)


def test_splits_follow_each_other_and_every_forecast_stays_within_its_split():
    task = small()
    assert [task.span(split) for split in SPLITS] == [(3, 36), (36, 45), (45, 54)]
    assert [task.rows(split) for split in SPLITS] == [32, 8, 8]
    for split in SPLITS:
        assert len(task.data()[split]["patches"]) == task.rows(split) + task.window + task.horizon - 1


def test_anomalies_and_deviation_by_hand():
    table = to_anomalies(RECORDS)
    celsius = RECORDS.temperature.astype(float)
    june = [i for i in range(36) if str(RECORDS.months[i]).endswith("-06")]
    assert len(june) == 3
    place = 9, 200
    assert table.climatology[5][place] == pytest.approx(celsius[june][(slice(None), *place)].mean())
    anomaly = celsius[50] - np.mean([celsius[i] for i in range(36) if (50 - i) % 12 == 0], axis=0)
    np.testing.assert_allclose(table.fields[50][table.sea] * table.deviation, anomaly[table.sea], atol=1e-5)
    train = table.fields[:36][:, table.sea]
    assert train.std() == pytest.approx(1, rel=1e-4)
    assert (table.fields[:, ~table.sea] == 0).all()


def test_a_step_reads_anomalies_sea_and_season():
    task = small()
    batch = task.pick(task.data()["test"], jnp.asarray([2]))
    assert batch.inputs.shape == (1, 5, 3, 72, 39)
    anomalies, share, season = np.split(np.asarray(batch.inputs)[0], [36, 37], axis=-1)
    shown = from_patches(jnp.asarray(anomalies), 6)
    np.testing.assert_array_equal(shown[:3], task.anomalies.fields[44:47])
    assert (anomalies[3:] == 0).all()
    assert share[0, 1, 40, 0] == pytest.approx(task.anomalies.sea[6:12, 240:246].mean())
    months = np.arctan2(season[:, 0, 0, 0], season[:, 0, 0, 1]) / (2 * np.pi) * 12 - 0.5
    np.testing.assert_allclose(
        (months + 0.5) % 12, [11.5, 0.5, 1.5, 2.5, 3.5], atol=1e-4
    )  # December 2009 to April 2010
    moved = from_patches(batch.targets, 6)
    np.testing.assert_allclose(moved[0], task.anomalies.fields[47:49] - task.anomalies.fields[46], atol=1e-6)


def test_metrics_against_numpy_and_land_counts_for_nothing():
    task = small()
    batch = task.pick(task.data()["test"], jnp.arange(4))
    outputs = np.random.default_rng(0).normal(size=(4, 5, 3, 72, 36)).astype(np.float32)
    wrong = np.asarray(from_patches(jnp.asarray(outputs[:, 3:]) - batch.targets, 6), np.float64)
    sea = ~np.isnan(RECORDS.temperature[0])
    rmse = task.anomalies.deviation * np.sqrt((wrong[:, :, sea] ** 2).mean(axis=-1))
    found = {name: float(mean(pair)) for name, pair in task.metrics(jnp.asarray(outputs), batch).items()}
    assert found == pytest.approx(
        {"rmse": rmse.mean(), "rmse_month_1": rmse[:, 0].mean(), "rmse_month_2": rmse[:, 1].mean()}, rel=1e-5
    )
    assert float(task.loss(jnp.asarray(outputs), batch)) == pytest.approx((wrong[:, :, sea] ** 2).mean(), rel=1e-5)
    land = np.broadcast_to(np.asarray(task._sea_patches) == 0, outputs.shape)
    spoilt = np.where(land, 1e3, outputs)
    assert float(task.loss(jnp.asarray(spoilt), batch)) == float(task.loss(jnp.asarray(outputs), batch))


def test_baselines_by_hand():
    task = small(horizon=1)
    celsius = RECORDS.temperature.astype(float)[:, ~np.isnan(RECORDS.temperature[0])]
    clim = np.stack([celsius[[i for i in range(36) if (i + 3) % 12 == m]].mean(axis=0) for m in range(12)])
    clim = clim[(np.arange(54) + 3) % 12]
    past = (celsius - clim)[:36]
    damped = (past[:-1] * past[1:]).sum() / (past[:-1] ** 2).sum()
    names = ("climatology", "persistence", "anomaly persistence", "damped anomaly", "linear extrapolation")
    rmse = {name: [] for name in names}
    for t in range(45, 54):
        last = celsius[t - 1] - clim[t - 1]
        forecasts = {"climatology": clim[t], "persistence": celsius[t - 1], "anomaly persistence": clim[t] + last,
                   "damped anomaly": clim[t] + damped * last,
                   "linear extrapolation": clim[t] + 2 * last - (celsius[t - 2] - clim[t - 2])}  # fmt: skip
        for name, forecast in forecasts.items():
            rmse[name].append(np.sqrt(((forecast - celsius[t]) ** 2).mean()))
    expected = {name: np.mean(values) for name, values in rmse.items()}
    found, first_month = task.baselines(), task.other_baselines()["rmse_month_1"]
    assert found.pop("principal components") == pytest.approx(first_month.pop("principal components"), rel=1e-6)
    assert found == pytest.approx(expected, rel=1e-4)
    assert first_month == pytest.approx(expected, rel=1e-4)


def test_principal_components_are_those_of_scikit_learn():
    fields = np.random.default_rng(0).normal(size=(40, 7)).cumsum(axis=0)
    fields[:30] -= fields[:30].mean(axis=0)
    pca = PCA(3).fit(fields[:30])
    scores = fields @ pca.components_.T
    origins = np.arange(30, 37)
    found = component_forecasts(fields, pca.components_, origins, 2, 30)
    for lead in (1, 2):
        rule = LinearRegression(fit_intercept=False).fit(scores[: 30 - lead], scores[lead:30])
        expected = rule.predict(scores[origins]) @ pca.components_
        np.testing.assert_allclose(found[:, lead - 1], expected, atol=1e-9)


class Still:
    """Predicts that anomalies do not change."""

    stepwise = False

    def predict(self, batch):
        return jnp.zeros((len(batch.targets), 5, *batch.targets.shape[2:]))


def test_outputs_of_zero_are_anomaly_persistence():
    task = small()
    batch = task.pick(task.data()["test"], jnp.arange(task.rows("test")))
    found = float(mean(task.metrics(Still().predict(batch), batch)["rmse"]))
    assert found == pytest.approx(task.baselines()["anomaly persistence"], rel=1e-5)
    forecasts = task.forecasts(Still())
    expected = task.anomalies.deviation * task.anomalies.fields[44:52]
    for lead in range(2):
        np.testing.assert_allclose(forecasts[:, lead], expected, atol=1e-5)


def test_plots_are_maps_and_a_film_of_all_test_months(tmp_path):
    task = small()
    shown = {item.name: item for item in task.plot(Still())}
    shown["maps"].draw(tmp_path / "maps.png")
    assert Image.open(tmp_path / "maps.png").size[0] > 1000
    frames = shown["film"].frames
    assert frames.dtype == np.uint8
    assert frames.shape == (8, 2 * (20 + 18 * 4), 864, 3)
    grey = (frames[:, 20:92] == 189).all(axis=-1)  # land
    assert grey.mean() == pytest.approx((~task.anomalies.sea).mean(), abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 4}, "task.patch=4 does not divide"),
        ({"window": 30}, "task.window=30 is too long"),
        ({"horizon": 9}, "task.horizon=9 is too long"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SeaSurfaceTask(**options)
