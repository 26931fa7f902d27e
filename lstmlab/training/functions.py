"""The computation of a run as pure functions of its configuration, in which the learning rate may be a JAX tracer.

``init(config)`` makes a state, ``advance(config, state, data, n)`` takes n optimiser steps in one ``lax.scan``,
``validate`` evaluates on the validation split and keeps the best model. Random keys are folded from (seed, purpose,
step), so a run that is resumed, runs alone or runs as one member of a population sees the same numbers. On a ``mesh``
the rows of every batch, and of a carried recurrent state, are split over its devices; everything else is on each of
them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, PyTree

from lstmlab.arrays import Key, Scalar, Step
from lstmlab.config import Config, switched_on
from lstmlab.models import ARCHITECTURES, Rates, RecurrentModel
from lstmlab.promotion import standard_promotion
from lstmlab.tasks import Batch, Split
from lstmlab.training.devices import by_rows, split_rows
from lstmlab.training.optimisation import OptimisationLog, diagnose
from lstmlab.training.optimizer import learning_rate, make_optimizer

PURPOSES = {"parameters": 0, "batches": 1, "dropout": 2}

Metrics = dict[str, Scalar]


class RunState(NamedTuple):
    """Everything that a checkpoint must hold."""

    step: Step
    model: RecurrentModel
    optimizer: Any
    carry: Any
    """recurrent state carried between batches of stateful tasks, else ``None``"""
    best_model: RecurrentModel
    best_metric: Scalar
    best_step: Step


class StepLog(NamedTuple):
    """What every optimiser step reports."""

    loss: Float[Array, " steps"]
    gradient_norm: Float[Array, " steps"]
    learning_rate: Float[Array, " steps"]
    optimisation: OptimisationLog | None = None
    """of the last step, with ``tracking.optimisation``"""


@standard_promotion
def build_model(config: Config, key: Key) -> RecurrentModel:
    """A freshly initialised model; raises ``ValueError`` when cell, model and task do not fit."""
    model, task = config.model, config.task
    architecture = ARCHITECTURES[task.architecture]
    own = {name: getattr(model, name) for name in architecture.extra_settings}
    return architecture(
        config.cell.name, task.inputs, task.outputs,
        hidden_size=model.hidden_size, key=key, layers=model.layers,
        bidirectional=model.bidirectional, block=model.block,
        embedding_size=model.embedding_size, tied_embeddings=model.tied_embeddings,
        readout=task.readout if model.readout == "auto" else model.readout,
        variational_dropout=config.dropout.variational,
        backend=model.backend, chunk=model.chunk or None,
        dtype=None if model.dtype == "float32" else model.dtype,
        init=config.init, cell_options=config.cell.options, **own,
    )  # fmt: skip


@standard_promotion
def init(config: Config) -> RunState:
    """The state before the first step."""
    model = build_model(config, run_key(config, "parameters"))
    worst = jnp.inf if config.task.goal == "min" else -jnp.inf
    return RunState(
        step=jnp.zeros((), jnp.int32),
        model=model,
        optimizer=_optimizer(config, model).init(model),  # type: ignore[arg-type]
        carry=model.initial_state(config.training.batch_size) if config.task.stateful else None,
        best_model=model,
        best_metric=jnp.asarray(worst, jnp.float32),
        best_step=jnp.zeros((), jnp.int32),
    )


@standard_promotion
def draw(config: Config, data: PyTree, step: Step) -> Batch:
    """The training batch of a step; ``data`` is the task's training split."""
    key = jax.random.fold_in(run_key(config, "batches"), step)
    return config.task.train_batch(data, key, step, config.training.batch_size)


@standard_promotion
def advance(
    config: Config, state: RunState, data: PyTree, steps: int, *, streamed: bool = False, mesh: Mesh | None = None
) -> tuple[RunState, StepLog]:
    """Take ``steps`` optimiser steps.

    ``data`` is the task's training split, from which each step draws its batch; or, if ``streamed``, the batches
    ``[steps, batch, ...]`` that :func:`draw` has made on the host.
    """
    task, optimizer, rates = config.task, _optimizer(config, state.model), dropout_rates(config)
    rate = learning_rate(config.optimizer, config.schedule, config.training.steps)

    def loss_of(model: RecurrentModel, batch: Batch, carry: Any, key: Key) -> Any:
        outputs, carry = _apply(model, batch, carry, rates, mesh, key)
        return task.loss(outputs, batch), carry

    def gradient_of(model: RecurrentModel, batch: Batch, carry: Any, key: Key) -> Any:
        return jax.grad(loss_of, has_aux=True)(model, batch, carry, key)[0]

    def body(state: RunState, of_step: tuple[Batch | None, Any]) -> tuple[RunState, StepLog]:
        given, last = of_step
        dropout_key = jax.random.fold_in(run_key(config, "dropout"), state.step)
        batch = split_rows(mesh, given if given is not None else draw(config, data, state.step))
        (loss, carry), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            state.model, batch, state.carry, dropout_key
        )
        updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.model)  # type: ignore[arg-type]
        log = StepLog(loss, optax.tree.norm(gradients), rate(state.step))
        if last is not None:

            def diagnosed() -> OptimisationLog:
                return diagnose(gradient_of, state.model, updates, batch, state.carry, dropout_key)

            nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(diagnosed))
            log = log._replace(optimisation=jax.lax.cond(last, diagnosed, lambda: nothing))
        state = state._replace(
            step=state.step + 1,
            model=optax.apply_updates(state.model, updates),  # type: ignore[arg-type]
            optimizer=optimizer_state,
            carry=carry if task.stateful else None,
        )
        return state, log

    last = jnp.arange(steps) == steps - 1 if config.tracking.optimisation else None
    state, log = jax.lax.scan(body, state, (data if streamed else None, last), length=steps)
    return state, log._replace(optimisation=jax.tree.map(lambda leaf: leaf[-1], log.optimisation))


@standard_promotion
def evaluate(
    config: Config, model: RecurrentModel, data: PyTree, split: Split = "test", *, mesh: Mesh | None = None
) -> Metrics:
    """Every metric of a split; ``data`` is that split's data."""
    # Without a key dropout is off, and zoneout uses its expected value.
    task, rates = config.task, dropout_rates(config)
    size = config.training.eval_batch_size or config.training.batch_size

    def body(carry: Any, index: Step) -> tuple[Any, Any]:
        batch = split_rows(mesh, task.eval_batch(data, split, index, size))
        outputs, carry = _apply(model, batch, carry, rates, mesh)
        return (carry if task.stateful else None), task.metrics(outputs, batch)

    carry = model.initial_state(size) if task.stateful else None
    batches = jnp.arange(task.eval_batches(split, size))
    _, totals = jax.lax.scan(body, carry, batches)
    means = {name: jnp.sum(total) / jnp.maximum(jnp.sum(weight), 1e-12) for name, (total, weight) in totals.items()}
    return means | task.derived(means)


@standard_promotion
def validate(config: Config, state: RunState, data: PyTree, *, mesh: Mesh | None = None) -> tuple[RunState, Metrics]:
    """Evaluate on the validation split; the model is kept when it is the best so far."""
    task = config.task
    metrics = evaluate(config, state.model, data, "validation", mesh=mesh)
    value = metrics[task.metric]
    better = value < state.best_metric if task.goal == "min" else value > state.best_metric

    def keep(new: Any, old: Any) -> Any:
        return jax.tree.map(lambda a, b: jnp.where(better, a, b), new, old)

    state = state._replace(
        best_model=keep(state.model, state.best_model),
        best_metric=keep(value, state.best_metric),
        best_step=keep(state.step, state.best_step),
    )
    return state, metrics


def _apply(
    model: RecurrentModel, batch: Batch, carry: Any, rates: Rates, mesh: Mesh | None, key: Key | None = None
) -> tuple[Array, Any]:
    """Outputs for a batch, and the recurrent state after it."""

    def forward(shared: Any, rows: Any, key: Key | None) -> tuple[Array, Any]:
        (model, rates), (inputs, carry, lengths, resets) = shared, rows
        out = model(inputs, carry, lengths=lengths, resets=resets, rates=rates, key=key)
        return out.outputs, out.state

    rows = (batch.inputs, carry, batch.lengths, batch.resets)
    return by_rows(mesh, forward, (model, rates), rows, key)


def _optimizer(config: Config, model: RecurrentModel) -> optax.GradientTransformation:
    return make_optimizer(config.optimizer, config.schedule, config.training.steps, model)


def run_key(config: Config, purpose: str) -> Key:
    """The key of one purpose of a run; the step is folded in where it is used."""
    return jax.random.fold_in(jax.random.key(config.seed), PURPOSES[purpose])


def dropout_rates(config: Config) -> Rates:
    """The rates that are switched on."""
    rates = {name: getattr(config.dropout, name) for name in Rates._fields}
    return Rates(**{name: rate if switched_on(rate) else None for name, rate in rates.items()})
