"""Optimisers and schedules from optax; every number may be a traced value."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PyTree

from lstmlab.config import switched_on
from lstmlab.config.schema import OptimizerConfig, ScheduleConfig
from lstmlab.models.parameter_groups import decayed, own_rates, rate_factors

Schedule = Callable[[ArrayLike], Float[Array, ""]]
"""from the number of an optimiser step, counted from 0"""
DECAYING = ("adamw", "sgd")
"""Update rules with weight decay."""


def make_optimizer(
    config: OptimizerConfig, schedule: ScheduleConfig, steps: int, model: PyTree = None
) -> optax.GradientTransformation:
    """Clipping, the update rule, then the scheduled learning rate.

    Weight decay is decoupled: it is added after the rule's scaling (AdamW, Loshchilov & Hutter 2019). With a ``model``
    it acts on the parameters that :mod:`lstmlab.models.parameter_groups` names, and parameters may have a factor on the
    learning rate; without one all parameters are treated alike.
    """
    parts = []
    if switched_on(config.clip_norm):
        parts.append(optax.clip_by_global_norm(config.clip_norm))  # type: ignore[arg-type]
    if config.name in ("adam", "adamw"):
        parts.append(optax.scale_by_adam(b1=config.beta1, b2=config.beta2, eps=config.eps))
    elif config.name == "rmsprop":
        parts.append(optax.scale_by_rms(decay=config.beta2, eps=config.eps, eps_in_sqrt=False))
    if config.name in ("sgd", "rmsprop") and switched_on(config.momentum):
        parts.append(optax.trace(decay=config.momentum))
    if config.name in DECAYING and switched_on(config.weight_decay):
        everywhere = model is None or config.weight_decay_on == "all"
        # As functions of the parameters: optax would call a tree that is a model.
        parts.append(optax.add_decayed_weights(config.weight_decay, None if everywhere else decayed))
    rate = learning_rate(config, schedule, steps)
    parts.append(optax.scale_by_schedule(lambda step: -rate(step)))
    if model is not None and own_rates(model):
        factors = set(jax.tree.leaves(rate_factors(model)))
        parts.append(optax.partition({factor: optax.scale(factor) for factor in sorted(factors)}, rate_factors))
    return optax.chain(*parts)


def learning_rate(config: OptimizerConfig, schedule: ScheduleConfig, steps: int) -> Schedule:
    """The learning rate of every optimiser step."""
    factor = learning_rate_factor(schedule, steps)
    return lambda step: config.learning_rate * factor(step)


def learning_rate_factor(schedule: ScheduleConfig, steps: int) -> Schedule:
    """The factor on the learning rate at an optimiser step: 1 at the peak."""
    warmup = schedule.warmup_steps
    shape = _shape(schedule, max(steps - warmup, 1))
    if warmup == 0:
        return shape
    return optax.join_schedules([optax.linear_schedule(0.0, 1.0, warmup), shape], [warmup])  # type: ignore[return-value]


def _shape(schedule: ScheduleConfig, steps: int) -> Schedule:
    final = schedule.final_fraction
    if schedule.name == "cosine":
        return optax.cosine_decay_schedule(1.0, steps, alpha=final)  # type: ignore[return-value]
    if schedule.name == "one_cycle":
        peak = round(schedule.peak_fraction * steps)
        rise = optax.linear_schedule(1 / 25, 1.0, max(peak, 1))
        fall = optax.cosine_decay_schedule(1.0, max(steps - peak, 1), alpha=final)
        return optax.join_schedules([rise, fall], [peak])  # type: ignore[return-value]
    if schedule.name == "step":
        return lambda step: schedule.step_factor ** jnp.floor(step / schedule.step_every)
    return lambda step: jnp.ones(())
