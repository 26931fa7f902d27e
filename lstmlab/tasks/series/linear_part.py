"""The linear part of a forecast: a map of the window, fitted by least squares, whose errors a network forecasts.

The forecast is the sum of both, as in the hybrid of ARIMA and a network (Zhang 2003, Neurocomputing 50) and the
autoregressive highway of LSTNet (Lai et al. 2018, arXiv:1703.07015). The map is fitted before training and stays as it
is, so that the network starts from the least-squares forecast.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

VALUES, CHANGES, JOINT = FORMS = ("values", "changes", "joint")
"""what a map reads, as the readers of :mod:`~lstmlab.tasks.series.linear_forecasters` of these names: the window of a
column; its differences from its last value; all columns and the calendar together"""


@dataclasses.dataclass(frozen=True, eq=False)
class LinearPart:
    """A fitted map: what it reads, and its weights ``[numbers read + 1, numbers forecast]`` with the intercept last."""

    form: str
    weights: Float[np.ndarray, "inputs+1 outputs"]

    def of_columns(self, windows: Float[Array, "*batch window columns"]) -> Float[Array, "*batch horizon columns"]:
        """The forecast of each column from its own window (``values``), or its change from the window's last row
        (``changes``)."""
        values = jnp.moveaxis(windows, -2, -1)
        read = values - values[..., -1:] if self.form == CHANGES else values
        return jnp.moveaxis(self._map(read), -1, -2)

    def of_windows(
        self, rows: Float[Array, "batch window features"], columns: int, targets: list[int], horizon: int
    ) -> Float[Array, "batch horizon targets"]:
        """The forecast of the target columns from rows: ``columns`` values, then features of the calendar."""
        values = rows[..., :columns]
        own = values[..., jnp.asarray(targets)]
        if self.form == VALUES:
            return self.of_columns(own)
        if self.form == CHANGES:
            return own[:, -1:] + self.of_columns(own)
        others = [column for column in range(columns) if column not in targets]
        ordered = jnp.moveaxis(values[..., jnp.asarray([*targets, *others])], -2, -1)
        last = ordered[..., -1:]
        changes = (ordered - last)[..., :-1].reshape(len(rows), -1)
        read = jnp.concatenate([changes, last[..., 0], rows[:, -1, columns:]], axis=-1)
        ahead = self._map(read).reshape(len(rows), len(targets), horizon)
        return own[:, -1:] + jnp.swapaxes(ahead, 1, 2)

    def _map(self, read: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        weights = jnp.asarray(self.weights, read.dtype)
        # The reduced precision of some devices would show in errors near those of the map alone.
        return jnp.matmul(read, weights[:-1], precision=jax.lax.Precision.HIGHEST) + weights[-1]

    def to_plain(self) -> dict[str, Any]:
        """As lists and numbers, for JSON; undone by :meth:`from_plain`."""
        return {"form": self.form, "weights": self.weights.tolist()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> LinearPart:
        """Undo :meth:`to_plain`; raises ``KeyError``, ``TypeError`` or ``ValueError`` for other values."""
        weights = np.asarray(plain["weights"], np.float64)
        if plain["form"] not in FORMS or weights.ndim != 2:
            raise ValueError(f"a linear part of form {plain['form']!r} with weights of shape {weights.shape}")
        return cls(plain["form"], weights)
