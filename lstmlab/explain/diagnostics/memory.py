"""Findings on memory: what a linear probe reads of earlier inputs, and what a reset of the state costs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from lstmlab.explain.diagnostics.gradients import lags_up_to
from lstmlab.explain.findings import Axis, Finding
from lstmlab.explain.material import Material, Refusal
from lstmlab.explain.memory import linear_probe, reset_effect
from lstmlab.explain.recorded import Recorded
from lstmlab.explain.trajectory import flat_steps, state_fields
from lstmlab.models import RecurrentModel
from lstmlab.models.encoder_decoder import EncoderDecoder
from lstmlab.promotion import standard_promotion
from lstmlab.tasks import Batch, Task

_LAGS, _SHOWN_FEATURES = 12, 4
_MOST_STATES, _MOST_FEATURES = 512, 8


def find(material: Material) -> Iterator[tuple[int, Finding] | Refusal]:
    """Findings on the memory of every layer."""
    inputs, rows = _inputs(material), int(material.lengths.max())
    lags = [lag for lag in lags_up_to(rows - 1, _LAGS) if (material.lengths > lag).sum() >= 2] if rows > 1 else [0]
    for layer, one in enumerate(material.recorded):
        try:
            yield layer, _probe(one, inputs, lags)
        except ValueError as error:
            yield Refusal(f"probe: {error}")
    losses = _loss_after_reset(material) if _takes_resets(material) else None
    if losses is None:
        yield Refusal("the loss after a reset: this model takes no resets of its state; the output's change is there")
    for layer, (cell, path) in enumerate(material.ends):
        steps = lags_up_to(len(path.after.h), _LAGS)[1:]
        effect = reset_effect(cell, path, steps)
        yield (
            layer,
            Finding(
                "reset_effect",
                "change of the last output after a reset of the state k steps before the end, relative to its norm",
                Axis("lag", "steps", steps),
                "1",
                {"output": effect.mean(axis=1).tolist()},
            ),
        )
    if losses is not None:
        yield 0, losses


def _inputs(material: Material) -> np.ndarray:
    """What the layers' inputs are made of, time-major: tokens ``[time, batch]`` or features."""
    given: Any = material.batch.inputs
    if isinstance(material.model, EncoderDecoder):
        given = given.source
    first = np.asarray(jax.tree.leaves(given)[0]).swapaxes(0, 1)[: len(material.recorded[0].valid)]
    if first.dtype.kind in "iu":
        return first
    features = first.reshape(*first.shape[:2], -1)
    # Of images, some pixels that change.
    moving = np.flatnonzero(features.std(axis=(0, 1)) > 1e-6)
    few = moving[np.unique(np.linspace(0, len(moving) - 1, _MOST_FEATURES).round().astype(int))] if len(moving) else [0]
    return features if features.shape[-1] <= _MOST_FEATURES else features[..., few]


def _probe(one: Recorded, inputs: np.ndarray, lags: list[int]) -> Finding:
    fields = tuple(dict.fromkeys(("h", *state_fields(one.cell))))
    states = np.asarray(flat_steps(one.path.after, fields))
    notes = [
        "from all of the state; fitted to at most 1500 pairs of steps of one half of the sequences, judged on the other"
    ]
    if states.shape[-1] > _MOST_STATES:
        notes.append(f"{_MOST_STATES} of the {states.shape[-1]} numbers of the state")
        chosen = np.random.default_rng(0).choice(states.shape[-1], _MOST_STATES, replace=False)
        states = states[..., chosen]
    found = linear_probe(states, inputs, lags, np.asarray(one.valid))
    tokens = found.score.ndim == 1
    scores, chance = (a.reshape(len(lags), -1) for a in (found.score, found.chance))
    series = {"probe": np.nanmean(scores, axis=1).tolist(), "chance": np.nanmean(chance, axis=1).tolist()}
    if 1 < scores.shape[1] <= _SHOWN_FEATURES:
        series |= {f"feature {index}": scores[:, index].tolist() for index in range(scores.shape[1])}
    return Finding(
        "probe",
        f"{'accuracy' if tokens else 'R²'} of a linear probe of the state for the input k steps back",
        Axis("lag", "steps", lags),
        "accuracy" if tokens else "R²",
        series,
        notes=notes,
    )


def _takes_resets(material: Material) -> bool:
    return not isinstance(material.model, EncoderDecoder) and not isinstance(material.batch.inputs, tuple)


def _loss_after_reset(material: Material) -> Finding:
    steps = int(material.lengths.min())
    lags = [lag for lag in lags_up_to(steps, _LAGS) if lag > 0]
    lengths = jnp.asarray(material.lengths)
    without, *losses = [
        float(_loss(material.model, material.batch, lengths, jnp.asarray(lag), material.task)) for lag in [0, *lags]
    ]
    return Finding(
        "reset_loss",
        "the task's loss where the state of all layers was set to zero k steps before the end",
        Axis("lag", "steps", lags),
        "loss",
        {"loss": losses, "without a reset": [without] * len(lags)},
    )


@partial(jax.jit, static_argnames="task")
@standard_promotion
def _loss(model: RecurrentModel, batch: Batch, lengths: Array, lag: Array, task: Task) -> Array:
    resets = jnp.arange(batch.inputs.shape[1]) == jnp.where(lag > 0, lengths - lag, -1)[:, None]
    resets = resets if batch.resets is None else resets | batch.resets
    return task.loss(model(batch.inputs, lengths=batch.lengths, resets=resets).outputs, batch)
