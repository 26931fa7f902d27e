"""S&P 500 prices."""

import numpy as np

from lstmlab.tasks.series.stocks.dataset import load_sp500

DAY = {name: i for i, name in enumerate(("open", "high", "low", "close", "volume"))}


def row(date: str) -> list[float]:
    prices = load_sp500()
    (i,) = np.flatnonzero(prices.dates == np.datetime64(date))
    return [float(getattr(prices, name)[i]) for name in DAY]


def test_known_days():
    assert row("1999-01-04") == [1229.22998, 1248.810059, 1219.099976, 1228.099976, 877_000_000]
    assert row("2018-12-31") == [2498.939941, 2509.23999, 2482.820068, 2506.850098, 3_442_870_000]
    # The two turning points that every chart of these years shows.
    assert round(row("2000-03-24")[DAY["close"]], 2) == 1527.46
    assert round(row("2009-03-09")[DAY["close"]], 2) == 676.53


def test_shapes_and_types():
    prices = load_sp500()
    assert prices.dates.shape == (5031,)
    assert prices.dates.dtype == np.dtype("datetime64[D]")
    for name in DAY:
        column = getattr(prices, name)
        assert column.shape == (5031,)
        assert column.dtype == np.float64
        assert np.isfinite(column).all()
        assert (column > 0).all()


def test_days_rise_and_are_weekdays():
    dates = load_sp500().dates
    gaps = np.diff(dates).astype(int)
    assert gaps.min() == 1
    assert gaps.max() == 7  # September 2001
    assert np.is_busday(dates).all()
    assert (dates[0], dates[-1]) == (np.datetime64("1999-01-04"), np.datetime64("2018-12-31"))


def test_high_and_low_bound_the_day():
    prices = load_sp500()
    assert (prices.high >= np.maximum(prices.open, prices.close)).all()
    assert (prices.low <= np.minimum(prices.open, prices.close)).all()
