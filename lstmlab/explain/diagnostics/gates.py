"""Findings on gates: statistics, traces of one sequence, and time constants of the memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lstmlab.explain.findings import Axis, Finding, thinned
from lstmlab.explain.gates import BINS, LONGEST, fractions, gate_statistics, memory_time_constants
from lstmlab.explain.material import Material, Refusal
from lstmlab.explain.recorded import Recorded

_TRACE_STEPS, _TRACE_UNITS = 200, 6
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def find(material: Material) -> Iterator[tuple[int, Finding] | Refusal]:
    """Findings on the gates of every layer."""
    for layer, one in enumerate(material.recorded):
        gates, valid = fractions(one.path.gates), np.asarray(one.valid)
        if not gates:
            yield Refusal(f"cell {one.cell.name} has no gates (activations between 0 and 1)")
            return
        for finding in (*_statistics(gates, valid), *_traces(gates, valid)):
            yield layer, finding
        yield from _time_constants(layer, one, valid)


def _statistics(gates: dict[str, np.ndarray], valid: np.ndarray) -> Iterator[Finding]:
    found = {name: gate_statistics(values, valid) for name, values in gates.items()}
    yield Finding(
        "gate_summary",
        "activations of each gate over all units, sequences and steps",
        Axis("gate", "", list(found)),
        "activation, or share of activations",
        {
            "mean": [each.mean for each in found.values()],
            "deviation": [each.deviation for each in found.values()],
            "closed": [each.closed for each in found.values()],
            "open": [each.open for each in found.values()],
        },
        notes=["closed: below 0.1; open: above 0.9"],
    )
    yield Finding(
        "gate_histogram",
        "share of each gate's activations in equal bins",
        Axis("activation", "centre of the bin", ((np.arange(BINS) + 0.5) / BINS).tolist()),
        "share of activations",
        {name: each.histogram.tolist() for name, each in found.items()},
    )
    for name, each in found.items():
        order = np.argsort(each.open_units - each.closed_units)[thinned(each.open_units.size)]
        yield Finding(
            f"gate_saturation_{name}",
            f"share of steps at which each unit's {name} gate is closed or open",
            Axis("unit", f"of {each.open_units.size}, in order of open minus closed", list(range(len(order)))),
            "share of steps",
            {"closed": each.closed_units[order].tolist(), "open": each.open_units[order].tolist()},
            notes=["closed: below 0.1; open: above 0.9"],
        )


def _traces(gates: dict[str, np.ndarray], valid: np.ndarray) -> Iterator[Finding]:
    """Activations over the longest sequence: the mean of all units, and some units."""
    row = int(np.argmax(valid.sum(axis=0)))
    steps = np.flatnonzero(valid[:, row])[-_TRACE_STEPS:]
    for name, values in gates.items():
        units = values[steps, row].reshape(len(steps), -1)
        chosen = np.unique(np.linspace(0, units.shape[1] - 1, _TRACE_UNITS).round().astype(int))
        series = {"mean": units.mean(axis=1).tolist()} | {f"unit {u}": units[:, u].tolist() for u in chosen}
        yield Finding(
            f"gate_trace_{name}",
            f"activations of the {name} gate over one sequence",
            Axis("step", "steps", steps.tolist()),
            "activation",
            series,
        )


def _time_constants(layer: int, one: Recorded, valid: np.ndarray) -> Iterator[tuple[int, Finding] | Refusal]:
    try:
        constants = memory_time_constants(one.cell, one.path.gates, valid)
    except ValueError as error:
        yield Refusal(f"time constants: {error}")
        return
    edges = np.geomspace(1, LONGEST, 31)
    for name, steps in constants.items():
        counts, _ = np.histogram(np.minimum(steps, LONGEST * (1 - 1e-9)), edges)
        yield (
            layer,
            Finding(
                f"time_constants_{name}",
                f"time constants 1/(1 - f) of the {name} gate over units and steps",
                Axis("time constant", "steps", np.sqrt(edges[1:] * edges[:-1]).tolist(), "log"),
                "share of activations",
                {"share": (counts / steps.size).tolist()},
                notes=[f"bins of equal width on a log scale, by their centres; longer than {LONGEST:g} counts as that"],
            ),
        )
        # Of the mean activation: the mean of time constants would be that of the rare longest ones.
        units = np.sort(1 / np.mean(1 / steps, axis=0))[thinned(steps.shape[1])]
        yield (
            layer,
            Finding(
                f"time_constants_units_{name}",
                f"time constant of each unit's mean {name} gate",
                Axis("unit", f"of {steps.shape[1]}, in order of time constant", list(range(len(units)))),
                "steps",
                {"time constant": units.tolist()},
                "log",
            ),
        )
        yield (
            layer,
            Finding(
                f"time_constants_quantiles_{name}",
                f"quantiles of the time constants of the {name} gate",
                Axis("quantile", "", list(_QUANTILES)),
                "steps",
                {"time constant": np.quantile(steps, _QUANTILES).tolist()},
                "log",
            ),
        )
