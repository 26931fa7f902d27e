"""Findings on gradients: of the loss at every state, and of the last state with respect to earlier ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lstmlab.explain.findings import Axis, Finding
from lstmlab.explain.gradients import DIRECTIONS, FULL_WIDTH, jacobian_products
from lstmlab.explain.material import Material, Refusal
from lstmlab.explain.recorded import state_gradients
from lstmlab.explain.trajectory import state_fields
from lstmlab.models import SequenceModel

_POINTS = 24


def find(material: Material) -> Iterator[tuple[int, Finding] | Refusal]:
    """Loss gradients and Jacobian products of every layer."""
    yield from _loss_gradients(material)
    for layer, (cell, path) in enumerate(material.ends):
        steps = len(path.after.h)
        products = jacobian_products(cell, path, lags_up_to(steps))
        series = {"largest": products.largest, "typical": products.typical}
        notes = ["typical: root mean square of the singular values, by which a random perturbation grows"]
        if products.geometric is None:
            notes.append(
                f"the state has {products.width} numbers, more than {FULL_WIDTH}: singular values along "
                f"{DIRECTIONS} random directions of the last state; the largest is a lower bound"
            )
        else:
            series |= {"median": np.median(products.values, axis=-1), "geometric": products.geometric}
            notes.append("a median of 0 is below the rounding of the product; the geometric mean is exact")
        yield (
            layer,
            Finding(
                "state_jacobian",
                "singular values of the Jacobian of the last state with respect to the state k steps before",
                Axis("lag", "steps", products.lags.tolist()),
                "1",
                {name: _over_sequences(values) for name, values in series.items()},
                "log",
                notes,
            ),
        )


def lags_up_to(steps: int, points: int = _POINTS) -> list[int]:
    """At most about ``points`` lags from 0 to ``steps``, closer together where they are small."""
    round_numbers = [k for k in (10, 20, 50, 100) if k <= steps]
    spaced = np.geomspace(1, steps, points).round().astype(int)
    return sorted({0, *round_numbers, *spaced.tolist()})


def _loss_gradients(material: Material) -> Iterator[tuple[int, Finding]]:
    model = material.model
    last_step = type(model) is SequenceModel and model.readout == "steps"
    what = "the loss of the last output" if last_step else "the loss"
    for layer, norms in enumerate(state_gradients(model, material.batch, material.task, last_step=last_step)):
        fields = {name: np.asarray(values) for name, values in norms.items()}
        whole = np.sqrt(sum(fields[name] ** 2 for name in state_fields(material.recorded[layer].cell)))
        for name, values in ({"h": fields["h"], "state": whole} | fields).items():
            yield layer, _by_lag(name, values, material.lengths, what)


def _by_lag(name: str, norms: np.ndarray, lengths: np.ndarray, what: str) -> Finding:
    """Norms ``[time, batch]`` against steps before each sequence's last one."""
    lags = lags_up_to(int(lengths.max()) - 1, 64) if lengths.max() > 1 else [0]
    at = [norms[lengths[lengths > lag] - 1 - lag, np.flatnonzero(lengths > lag)] for lag in lags]
    whole = name == "state"
    return Finding(
        "loss_gradient" if whole else f"loss_gradient_{name}",
        f"norm of the gradient of {what} at {'the state' if whole else name}, against steps before the last one",
        Axis("lag", "steps", lags),
        "loss per unit of the state",
        {
            "mean": [float(v.mean()) for v in at],
            "median": [float(np.median(v)) for v in at],
            "low": [float(np.quantile(v, 0.1)) for v in at],
            "high": [float(np.quantile(v, 0.9)) for v in at],
        },
        "log",
        ["low and high: 10 % and 90 % of the sequences"],
    )


def _over_sequences(values: np.ndarray) -> list[float]:
    """The geometric mean over the sequences ``[lags, batch]``; 0 where one of them is."""
    with np.errstate(divide="ignore"):
        return np.exp(np.mean(np.log(values), axis=1)).tolist()
