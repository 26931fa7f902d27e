"""Forecasts of sea-surface temperature without a model: climatology, persistence, damped anomalies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int

from lstmlab.tasks.vision.sea_surface.dataset import Anomalies


def baselines(
    anomalies: Anomalies, origins: Int[np.ndarray, " forecasts"], horizon: int, train_end: int
) -> dict[str, dict[str, float]]:
    r"""``rmse`` and ``rmse_month_k`` in °C, by name, best first, of forecasts from the end of the months ``origins``.

    For month t + k from month t, with climatology c and anomaly a:

    * ``climatology``: :math:`c_{t+k}`
    * ``persistence``: :math:`c_t + a_t`, the last field again
    * ``anomaly persistence``: :math:`c_{t+k} + a_t`
    * ``damped anomaly``: :math:`c_{t+k} + \rho_k a_t`, with :math:`\rho_k = \sum a_t a_{t+k} / \sum a_t^2` over the
      sea and the training months, which end before month ``train_end``
    """
    celsius = anomalies.fields[:, anomalies.sea].astype(np.float64) * anomalies.deviation
    climatology = anomalies.climatology[anomalies.calendar][:, anomalies.sea]
    errors: dict[str, list[float]] = {}
    for lead in range(1, horizon + 1):
        truth, last = celsius[origins + lead], celsius[origins]
        forecasts = {
            "climatology": np.zeros_like(truth),
            "persistence": last + climatology[origins] - climatology[origins + lead],
            "anomaly persistence": last,
            "damped anomaly": damping(celsius[:train_end], lead) * last,
        }
        for name, forecast in forecasts.items():
            errors.setdefault(name, []).append(float(np.sqrt(np.mean((forecast - truth) ** 2, axis=1)).mean()))
    by_metric = {f"rmse_month_{k + 1}": {name: values[k] for name, values in errors.items()} for k in range(horizon)}
    by_metric["rmse"] = {name: float(np.mean(values)) for name, values in errors.items()}
    return {metric: dict(sorted(values.items(), key=lambda item: item[1])) for metric, values in by_metric.items()}


def damping(anomalies: Float64[np.ndarray, "months places"], lead: int) -> float:
    """The share of an anomaly that is left after ``lead`` months, by least squares."""
    before, after = anomalies[:-lead], anomalies[lead:]
    return float((before * after).sum() / (before**2).sum())
