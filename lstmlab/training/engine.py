"""One run as pure functions of (static configuration, traced values, seed).

``init(member)`` makes a state, ``advance(state, member, data, n)`` takes n optimiser steps inside one compiled
call (or ``advance_on`` batches that ``draw`` has made elsewhere), ``assess`` evaluates on validation and keeps the best
model. Keys are folded from (seed, purpose, step), so a run that is resumed, runs alone or runs as one member of many
sees the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.config import Config, Member, merge_traced, switched_on
from lstmlab.models import ARCHITECTURES, Rates, SequenceModel
from lstmlab.tasks import Batch, Split
from lstmlab.training.devices import by_rows, split_rows
from lstmlab.training.optimizer import make_optimizer

PURPOSES = {"parameters": 0, "batches": 1, "dropout": 2}


class RunState(NamedTuple):
    """Everything that a checkpoint must hold."""

    step: Int[Array, ""]
    model: SequenceModel
    optimizer: Any
    carry: Any
    """recurrent state carried between batches of stateful tasks, else ``None``"""
    best_model: SequenceModel
    best_metric: Float[Array, ""]
    best_step: Int[Array, ""]


class StepLog(NamedTuple):
    """What every optimiser step reports."""

    loss: Float[Array, " steps"]
    gradient_norm: Float[Array, " steps"]


class Engine:
    """The functions of one static configuration. It holds no state.

    On a ``mesh`` the rows of every batch, and of the state that is carried, are shared out among its devices; all
    else is on each of them.
    """

    def __init__(self, static: Config, mesh: Mesh | None = None) -> None:
        self.static, self.mesh = static, mesh
        self.task = static.task
        self.batch_size = static.training.batch_size
        self.eval_batch_size = static.training.eval_batch_size or self.batch_size

    def build_model(self, config: Config, key: PRNGKeyArray) -> SequenceModel:
        """A freshly initialised model; raises ``ValueError`` when cell, model and task do not fit."""
        model, task = config.model, config.task
        architecture = ARCHITECTURES[task.architecture]
        own = {name: getattr(model, name) for name in architecture.own_options}
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

    def init(self, member: Member) -> RunState:
        """The state before the first step."""
        config = merge_traced(self.static, member)
        model = self.build_model(config, run_key(member, "parameters"))
        worst = jnp.inf if self.task.goal == "min" else -jnp.inf
        return RunState(
            step=jnp.zeros((), jnp.int32),
            model=model,
            optimizer=self._optimizer(config).init(model),  # type: ignore[arg-type]
            carry=model.initial_state(self.batch_size) if self.task.stateful else None,
            best_model=model,
            best_metric=jnp.asarray(worst, jnp.float32),
            best_step=jnp.zeros((), jnp.int32),
        )

    def draw(self, data: Any, member: Member, step: Int[Array, ""]) -> Batch:
        """The training batch of a step; ``data`` is the task's training split."""
        key = jax.random.fold_in(run_key(member, "batches"), step)
        return self.task.train_batch(data, key, step, self.batch_size)

    def advance(self, state: RunState, member: Member, data: Any, steps: int) -> tuple[RunState, StepLog]:
        """Take ``steps`` optimiser steps; ``data`` is the task's training split."""
        return self._advance(state, member, None, steps, lambda step, _: self.draw(data, member, step))

    def advance_on(self, state: RunState, member: Member, batches: Batch) -> tuple[RunState, StepLog]:
        """Take a step on each of the batches ``[steps, batch, ...]``, which :meth:`draw` has made elsewhere."""
        return self._advance(state, member, batches, None, lambda _, batch: batch)

    def _advance(
        self,
        state: RunState,
        member: Member,
        batches: Batch | None,
        steps: int | None,
        batch_of: Callable[[Any, Any], Batch],
    ) -> tuple[RunState, StepLog]:
        config = merge_traced(self.static, member)
        optimizer, rates = self._optimizer(config), dropout_rates(config)

        def loss_of(model: SequenceModel, batch: Batch, carry: Any, key: PRNGKeyArray) -> Any:
            outputs, carry = self._apply(model, batch, carry, rates, key)
            return self.task.loss(outputs, batch), carry

        def body(state: RunState, drawn: Batch | None) -> tuple[RunState, StepLog]:
            drop_key = jax.random.fold_in(run_key(member, "dropout"), state.step)
            batch = split_rows(self.mesh, batch_of(state.step, drawn))
            (loss, carry), grads = jax.value_and_grad(loss_of, has_aux=True)(state.model, batch, state.carry, drop_key)
            updates, slots = optimizer.update(grads, state.optimizer, state.model)  # type: ignore[arg-type]
            state = state._replace(
                step=state.step + 1,
                model=optax.apply_updates(state.model, updates),  # type: ignore[arg-type]
                optimizer=slots,
                carry=carry if self.task.stateful else None,
            )
            return state, StepLog(loss, optax.tree.norm(grads))

        return jax.lax.scan(body, state, batches, length=steps)

    def evaluate(self, model: SequenceModel, member: Member, data: Any, split: Split) -> dict[str, Float[Array, ""]]:
        """Every metric of a split; ``data`` is that split's data."""
        config = merge_traced(self.static, member)
        # Without a key only zoneout acts, by its expectation.
        rates = dropout_rates(config)
        size = self.eval_batch_size

        def body(carry: Any, index: Array) -> tuple[Any, Any]:
            batch = split_rows(self.mesh, self.task.eval_batch(data, split, index, size))
            outputs, carry = self._apply(model, batch, carry, rates)
            return (carry if self.task.stateful else None), self.task.metrics(outputs, batch)

        carry = model.initial_state(size) if self.task.stateful else None
        batches = jnp.arange(self.task.eval_batches(split, size))
        _, totals = jax.lax.scan(body, carry, batches)
        means = {name: jnp.sum(total) / jnp.maximum(jnp.sum(weight), 1e-12) for name, (total, weight) in totals.items()}
        return means | self.task.derived(means)

    def assess(self, state: RunState, member: Member, data: Any) -> tuple[RunState, dict[str, Float[Array, ""]]]:
        """Evaluate on validation; the model is kept when it is the best so far."""
        metrics = self.evaluate(state.model, member, data, "validation")
        value = metrics[self.task.metric]
        better = value < state.best_metric if self.task.goal == "min" else value > state.best_metric

        def keep(new: Any, old: Any) -> Any:
            return jax.tree.map(lambda a, b: jnp.where(better, a, b), new, old)

        state = state._replace(
            best_model=keep(state.model, state.best_model),
            best_metric=keep(value, state.best_metric),
            best_step=keep(state.step, state.best_step),
        )
        return state, metrics

    def _apply(
        self, model: SequenceModel, batch: Batch, carry: Any, rates: Rates, key: PRNGKeyArray | None = None
    ) -> tuple[Array, Any]:
        """Outputs for a batch, and the state after it."""

        def forward(shared: Any, rows: Any, key: PRNGKeyArray | None) -> tuple[Array, Any]:
            (model, rates), (inputs, carry, lengths, resets) = shared, rows
            out = model(inputs, carry, lengths=lengths, resets=resets, rates=rates, key=key)
            return out.outputs, out.state

        rows = (batch.inputs, carry, batch.lengths, batch.resets)
        return by_rows(self.mesh, forward, (model, rates), rows, key)

    def _optimizer(self, config: Config) -> optax.GradientTransformation:
        return make_optimizer(config.optimizer, config.schedule, config.training.steps)


def run_key(member: Member, purpose: str) -> PRNGKeyArray:
    """The key of one purpose of a run; the step is folded in where it is used."""
    return jax.random.fold_in(jax.random.key(member["seed"]), PURPOSES[purpose])


def dropout_rates(config: Config) -> Rates:
    """The rates that are switched on."""
    rates = {name: getattr(config.dropout, name) for name in Rates._fields}
    return Rates(**{name: rate if switched_on(rate) else None for name, rate in rates.items()})
