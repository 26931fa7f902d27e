"""What differs by rounding alone has no spread: nothing is divided by it."""

import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.data.download import DataError
from lstmlab.data.spread import spread, spread_or_one
from lstmlab.tasks.series.forecast.baselines import naive_scale
from lstmlab.tasks.series.forecast.dataset import ForecastSeriesSettings, prepare_series
from lstmlab.tasks.series.series_info import Scaler
from lstmlab.tasks.series.table_options import TableOptions
from lstmlab.tasks.series.windows import _shift_and_scale

RNG = np.random.default_rng(0)


def jittered(value, rows=2000):
    """A value and its neighbours among floats."""
    steps = RNG.integers(-1, 2, size=(rows, 1)).astype(np.asarray(value).dtype)
    return value + steps * np.spacing(value)


CONSTANT = [
    np.full((1000, 1), 14.62), np.full((7, 1), 0.1), np.full((99_999, 1), -1e12 / 3), np.full((500, 1), 1e-30 / 3),
    np.zeros((5, 1)), np.full((1000, 1), 14.62, np.float32), np.full((10, 1), 7),
    jittered(1e9), jittered(-3e-5), jittered(np.float32(1e9)), jittered(np.float32(0.3)),
]  # fmt: skip


@pytest.mark.parametrize("column", CONSTANT)
def test_a_column_that_changes_by_rounding_alone_is_only_shifted(column):
    scaler = Scaler.fit(column)
    assert spread(column).tolist() == [0]
    assert scaler.std.tolist() == [1]
    step = np.asarray(column[:1], np.float64) + 5
    np.testing.assert_allclose(scaler.scale(step), 5, atol=float(np.abs(column).max()) * 1e-6)


@pytest.mark.parametrize(("offset", "size"), [(0, 1), (0, 1e-12), (1e9, 1e-3), (-1e6, 1e-7), (1e-30, 1e-32)])
def test_a_small_signal_on_a_large_offset_keeps_its_spread(offset, size):
    column = offset + size * RNG.normal(size=(4000, 1))
    assert spread_or_one(column)[0] == pytest.approx(column.std(), rel=1e-6)
    assert spread(column)[0] == pytest.approx(size, rel=0.1)


def test_columns_are_judged_each_by_itself():
    columns = np.stack([np.full(100, 1e9 / 3), np.arange(100) * 1e-9], axis=1)
    assert (spread(columns) > 0).tolist() == [False, True]


@pytest.mark.parametrize("level", [0.0, 3.3, 1e4 / 3, 1e7 / 3])
def test_a_flat_window_is_not_blown_up(level):
    flat = jnp.full((1, 50, 1), level, jnp.float32)
    shift, scale = _shift_and_scale(flat, "window")
    assert np.abs(np.asarray((flat - shift) / scale)).max() < 1
    assert float(scale[0, 0, 0]) >= 0.003


def test_a_series_that_repeats_itself_but_for_rounding_has_no_mase():
    season = np.tile(RNG.normal(size=(24, 1)), (10, 1))
    offset = 1e11
    values = offset + season + np.spacing(offset) * RNG.integers(0, 2, size=season.shape)
    scaler = Scaler.fit(values)
    assert naive_scale(scaler.scale(values), 24, scaler.rounding()) is None
    moved = offset + season + RNG.normal(size=season.shape)
    assert naive_scale(Scaler.fit(moved).scale(moved), 24, Scaler.fit(moved).rounding()) is not None


@pytest.mark.parametrize("cell", ["14.62", "1000000000.0000001", "-0.1"])
def test_a_target_that_changes_by_rounding_alone_is_refused(tmp_path, cell):
    file = tmp_path / "flat.csv"
    noisy = [f"{float(cell) * (1 + 2e-16 * (row % 3))!r}" for row in range(200)]
    file.write_text("\n".join(["load", *noisy]) + "\n")
    settings = ForecastSeriesSettings(TableOptions(str(file)), None, "auto", "S", 5, 3, False, 0, 0, 1)
    with pytest.raises(DataError, match="column 'load' never changes in the 140 training rows"):
        prepare_series(settings)
