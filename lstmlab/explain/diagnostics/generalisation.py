"""Findings on generalisation: errors by length, by position and by sequence."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from lstmlab.explain.findings import Axis, Finding
from lstmlab.explain.generalisation import (
    hardest,
    length_option,
    lengths_around,
    main_metric,
    metrics_by_position,
    metrics_by_sequence,
    with_length,
)
from lstmlab.explain.material import EXAMPLES, Material, Refusal, in_double, split_of
from lstmlab.explain.recorded import run_model
from lstmlab.models import SequenceModel
from lstmlab.tasks import Task

_POINTS = 100


def find(material: Material) -> Iterator[tuple[int, Finding] | Refusal]:
    """Findings on the whole model, under layer 0."""
    outputs = run_model(material.model, material.batch)
    try:
        yield 0, _by_length(material)
    except ValueError as error:
        yield Refusal(f"error by length: {error}")
    if type(material.model) is SequenceModel and material.model.readout == "steps":
        yield 0, _by_position(material, outputs)
    else:
        yield Refusal(f"error by position: task {material.task.name} is not answered step by step")
    yield 0, _hardest(material, outputs)


def _by_length(material: Material) -> Finding:
    task, option, split = material.task, length_option(material.task), split_of(material.config)
    trained_at = int(getattr(task, "length" if hasattr(task, "length") else option))
    values: dict[str, list[float]] = {}
    lengths = []
    for length in lengths_around(trained_at):
        longer = _same(task, length)
        with jax.enable_x64(False):  # the numbers that a run in single precision draws
            data = jax.tree.map(jnp.asarray, longer.data()[split])
            batch = jax.device_get(longer.eval_batch(data, split, jnp.asarray(0), EXAMPLES))
        batch = in_double(batch)
        found = metrics_by_sequence(run_model(material.model, batch), batch, longer)
        lengths.append(length)
        for name, each in found.items():
            values.setdefault(name, []).append(float(jnp.nanmean(each)))
    return Finding(
        "error_by_length",
        f"metrics of new sequences of other lengths (task.{option}); training had {trained_at}",
        Axis("length", f"task.{option}", lengths, marks={"training": trained_at}),
        "as the metric",
        values,
        notes=[f"means over {EXAMPLES} sequences of each length", f"trained at {trained_at}"],
    )


@functools.lru_cache(maxsize=64)
def _same(task: Task, length: int) -> Task:
    """The task of another length, one object for all checkpoints, since compiled programs belong to it."""
    return with_length(task, length)


def _by_position(material: Material, outputs: Array) -> Finding:
    found = {n: np.asarray(v) for n, v in metrics_by_position(outputs, material.batch, material.task).items()}
    steps = len(next(iter(found.values())))
    at = np.unique(np.linspace(0, steps - 1, _POINTS).round().astype(int))
    return Finding(
        "error_by_position",
        "metrics of each step of the sequences on its own",
        Axis("position", "steps from the first", at.tolist()),
        "as the metric",
        {name: values[at].tolist() for name, values in found.items()},
        notes=["null where no sequence is answered"],
    )


def _hardest(material: Material, outputs: Array) -> Finding:
    found = metrics_by_sequence(outputs, material.batch, material.task)
    name = main_metric(material.task, found)
    values = np.asarray(found[name])
    rows = hardest(values, material.task.goal)
    return Finding(
        "hardest",
        f"the sequences with the worst {name}",
        Axis("sequence", "number in the split", rows.tolist()),
        "as the metric; steps",
        {name: values[rows].tolist(), "length": material.lengths[rows].tolist()},
        notes=[f"of the first {len(values)}", f"{name} of all of them: {np.nanmean(values):.4g}"],
    )
