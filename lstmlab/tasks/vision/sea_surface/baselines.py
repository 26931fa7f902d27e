"""What forecasts of sea-surface temperature reach that need no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lstmlab.tasks.vision.sea_surface.task import SeaSurfaceTask


def baselines(task: SeaSurfaceTask) -> dict[str, dict[str, float]]:
    r"""Errors in °C on the test split: ``rmse`` and ``rmse_month_k``, by name, best first.

    For month t + k from month t, with climatology c and anomaly a:

    * ``climatology``: :math:`c_{t+k}`
    * ``persistence``: :math:`c_t + a_t`, the last field again
    * ``anomaly persistence``: :math:`c_{t+k} + a_t`
    * ``damped anomaly``: :math:`c_{t+k} + \rho_k a_t`, with :math:`\rho_k = \sum a_t a_{t+k} / \sum a_t^2` over the
      training months and the sea
    """
    table = task.table
    anomalies = table.fields[:, table.sea].astype(np.float64) * table.deviation
    climate = table.climatology[table.calendar][:, table.sea]
    first, _ = task.span("test")
    origins = first - 1 + np.arange(task.rows("test"))
    errors: dict[str, list[float]] = {}
    for lead in range(1, task.horizon + 1):
        truth, last = anomalies[origins + lead], anomalies[origins]
        guesses = {
            "climatology": np.zeros_like(truth),
            "persistence": last + climate[origins] - climate[origins + lead],
            "anomaly persistence": last,
            "damped anomaly": damping(anomalies[: task.span("train")[1]], lead) * last,
        }
        for name, guess in guesses.items():
            errors.setdefault(name, []).append(float(np.sqrt(np.mean((guess - truth) ** 2, axis=1)).mean()))
    found = {f"rmse_month_{k + 1}": {name: values[k] for name, values in errors.items()} for k in range(task.horizon)}
    found["rmse"] = {name: float(np.mean(values)) for name, values in errors.items()}
    return {metric: dict(sorted(values.items(), key=lambda item: item[1])) for metric, values in found.items()}


def damping(anomalies: np.ndarray, lead: int) -> float:
    """The share of an anomaly ``[months, places]`` that is left after some months, by least squares."""
    before, after = anomalies[:-lead], anomalies[lead:]
    return float((before * after).sum() / (before**2).sum())
