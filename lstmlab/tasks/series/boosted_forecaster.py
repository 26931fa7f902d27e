"""Gradient-boosted trees that read some lags: a forecaster for the lead times of all columns together.

scikit-learn is imported where it is used, as it is optional and takes seconds to import.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
from jaxtyping import Float

from lstmlab.tasks.series.linear_forecasters import chunks
from lstmlab.tasks.series.naive_forecasters import Forecaster, Origins, Series
from lstmlab.tasks.series.splits import Spans

MOST_LAGS = 24
MOST_TREES = 200
TRAIN_EXAMPLES, VALIDATION_EXAMPLES = 60_000, 20_000


def lags(window: int, season: int) -> np.ndarray:
    """How many rows before the origin the trees look: all of a short window, else the last 12 rows, 12 rows evenly
    spread over the window, and a season ago where the window has it."""
    if window <= MOST_LAGS:
        return np.arange(1, window + 1)
    parts = np.arange(1, 13), np.linspace(13, window, 12).astype(int), [season] if season <= window else []
    return np.unique(np.concatenate(parts).astype(int))


def examples(
    series: Series, others: Series, calendar: Series, origins: Origins, horizon: int, back: np.ndarray, season: int
) -> tuple[Float[np.ndarray, "examples features"], Float[np.ndarray, " examples"]]:
    """Features of every origin, column and lead time, in this order, and the last value seen.

    The features are lead time and column; the last value; the lags less the last value; the value a whole number of
    seasons before the row to forecast, less the last value; the last rows of ``others``; the calendar of that row.
    """
    count, columns = len(origins), series.shape[1]
    shape = (count, columns, horizon)
    last = series[origins - 1]
    lagged = (series[origins[:, None] - back] - last[:, None]).swapaxes(1, 2)
    ahead = np.arange(horizon)
    before = ahead - season * (ahead // season + 1)
    same = (series[origins[:, None] + before] - last[:, None]).swapaxes(1, 2)
    parts = [
        np.broadcast_to(ahead, shape)[..., None],
        np.broadcast_to(np.arange(columns)[:, None], shape)[..., None],
        np.broadcast_to(last[..., None], shape)[..., None],
        np.broadcast_to(lagged[:, :, None], (*shape, len(back))),
        same[..., None],
        np.broadcast_to(others[origins - 1][:, None, None], (*shape, others.shape[1])),
        np.broadcast_to(calendar[origins[:, None] + ahead][:, None], (*shape, calendar.shape[1])),
    ]
    features = np.concatenate(parts, axis=-1).reshape(-1, sum(part.shape[-1] for part in parts))
    return features, np.broadcast_to(last[..., None], shape).ravel()


def boosted_lags(
    series: Series, others: Series, calendar: Series, spans: Spans, window: int, horizon: int, season: int
) -> Forecaster:
    """Histogram-based gradient boosting (scikit-learn) of the change from the last value seen; the number of trees, up
    to 200, is the best on validation. Large splits are thinned out at random to about 60 000 and 20 000 examples.
    ``season`` is used where the window has it, else it is 1."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    season = season if season <= window else 1
    back = lags(window, season)
    draw = np.random.default_rng(0)

    def some(first: int, end: int, most: int) -> tuple[np.ndarray, np.ndarray]:
        origins = np.arange(max(first, window), end - horizon + 1)
        count = min(len(origins), max(most // (horizon * series.shape[1]), 1))
        chosen = np.sort(draw.choice(origins, count, replace=False))
        features, last = examples(series, others, calendar, chosen, horizon, back, season)
        truth = series[chosen[:, None] + np.arange(horizon)].swapaxes(1, 2).ravel()
        return features, truth - last

    # One thread: where other programs use the cores, threads that wait for each other take minutes in place of seconds.
    model = HistGradientBoostingRegressor(max_iter=MOST_TREES, random_state=0)
    model.set_params(early_stopping=False)
    with threadpool_limits(1):
        model.fit(*some(*spans["train"], TRAIN_EXAMPLES))
        x, y = some(*spans["validation"], VALIDATION_EXAMPLES)
        trees = int(np.argmin([((guess - y) ** 2).mean() for guess in model.staged_predict(x)])) + 1

    def forecast(series: Series, origins: Origins) -> np.ndarray:
        features, last = examples(series, others, calendar, origins, horizon, back, season)
        with threadpool_limits(1):
            change = next(islice(model.staged_predict(features), trees - 1, None))
        return (change + last).reshape(len(origins), series.shape[1], horizon).swapaxes(1, 2)

    return forecast


def squared_error(forecaster: Forecaster, series: Series, origins: Origins, horizon: int) -> float:
    """Mean squared error over all origins."""
    total = 0.0
    for part in chunks(origins):
        total += ((forecaster(series, part) - series[part[:, None] + np.arange(horizon)]) ** 2).sum()
    return float(total) / (len(origins) * horizon * series.shape[1])
