"""Simple forecasts of sea-surface temperature: climatology, persistence, damped anomalies, principal components."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int

from lstmlab.tasks.vision.sea_surface.dataset import Anomalies

COMPONENTS = (1, 2, 4, 8, 16, 32)


def baselines(
    anomalies: Anomalies,
    origins: Int[np.ndarray, " forecasts"],
    validation: Int[np.ndarray, " validation_forecasts"],
    horizon: int,
    train_end: int,
) -> dict[str, dict[str, float]]:
    r"""``rmse`` and ``rmse_month_k`` in °C, by name, best first, of forecasts from the end of the months ``origins``.

    For month t + k from month t, with climatology c and anomaly a:

    * ``climatology``: :math:`c_{t+k}`
    * ``persistence``: :math:`c_t + a_t`, the last field again
    * ``anomaly persistence``: :math:`c_{t+k} + a_t`
    * ``damped anomaly``: :math:`c_{t+k} + \rho_k a_t`, with :math:`\rho_k = \sum a_t a_{t+k} / \sum a_t^2` over the
      sea and the training months, which end before month ``train_end``
    * ``linear extrapolation``: :math:`c_{t+k} + a_t + k (a_t - a_{t-1})`
    * ``principal components``: see :func:`component_forecasts`; how many is chosen on the forecasts from ``validation``
    """
    celsius = anomalies.fields[:, anomalies.sea].astype(np.float64) * anomalies.deviation
    climatology = anomalies.climatology[anomalies.calendar][:, anomalies.sea]
    errors: dict[str, list[float]] = {}
    counts = [count for count in COMPONENTS if count < min(train_end - horizon, celsius.shape[1])]
    axes = np.linalg.svd(celsius[:train_end], full_matrices=False)[2]
    tried = [component_forecasts(celsius, axes[:count], validation, horizon, train_end) for count in counts]
    held_out = celsius[validation[:, None] + 1 + np.arange(horizon)]
    count = counts[int(np.argmin([np.square(forecast - held_out).mean() for forecast in tried]))]
    components = component_forecasts(celsius, axes[:count], origins, horizon, train_end)
    for lead in range(1, horizon + 1):
        truth, last = celsius[origins + lead], celsius[origins]
        forecasts = {
            "climatology": np.zeros_like(truth),
            "persistence": last + climatology[origins] - climatology[origins + lead],
            "anomaly persistence": last,
            "damped anomaly": damping(celsius[:train_end], lead) * last,
            "linear extrapolation": last + lead * (last - celsius[origins - 1]),
            "principal components": components[:, lead - 1],
        }
        for name, forecast in forecasts.items():
            errors.setdefault(name, []).append(float(np.sqrt(np.mean((forecast - truth) ** 2, axis=1)).mean()))
    by_metric = {f"rmse_month_{k + 1}": {name: values[k] for name, values in errors.items()} for k in range(horizon)}
    by_metric["rmse"] = {name: float(np.mean(values)) for name, values in errors.items()}
    return {metric: dict(sorted(values.items(), key=lambda item: item[1])) for metric, values in by_metric.items()}


def component_forecasts(
    anomalies: Float64[np.ndarray, "months places"],
    axes: Float64[np.ndarray, "components places"],
    origins: Int[np.ndarray, " forecasts"],
    horizon: int,
    train_end: int,
) -> Float64[np.ndarray, "forecasts horizon places"]:
    """Regressions of the principal components on ``axes`` of the fields 1 … ``horizon`` months later on those of
    month t, one for each lead, over the training months (a linear inverse model, Penland & Magorian 1993, fitted lead
    by lead). What the components leave out is forecast as 0."""
    scores = anomalies @ axes.T
    forecasts = []
    for lead in range(1, horizon + 1):
        map_ = np.linalg.lstsq(scores[: train_end - lead], scores[lead:train_end], rcond=None)[0]
        forecasts.append(scores[origins] @ map_ @ axes)
    return np.stack(forecasts, axis=1)


def damping(anomalies: Float64[np.ndarray, "months places"], lead: int) -> float:
    """The share of an anomaly that is left after ``lead`` months, by least squares."""
    before, after = anomalies[:-lead], anomalies[lead:]
    return float((before * after).sum() / (before**2).sum())
