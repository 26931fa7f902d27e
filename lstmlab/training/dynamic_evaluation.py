"""Dynamic evaluation: a model that keeps learning from the text that it is tested on."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lstmlab.models import Rates, RecurrentModel
from lstmlab.tasks import Split, Task


def metrics_while_learning(
    model: RecurrentModel, task: Task, rates: Rates, split: Split, rate: float
) -> dict[str, float]:
    r"""Every metric of a split that is read in order, as one stream, with a step of SGD after each segment.

    .. math:: \theta_{i+1} = \theta_i - \eta\,\nabla_\theta L(s_i \mid \theta_i)

    where the loss L of segment s_i is the mean over its steps, from the state that the segment before has left; no
    gradient goes across segments. Every segment is predicted before it is learned from, so that a prediction knows
    nothing of what it predicts (Mikolov et al. 2010, section 2; Krause et al. 2018, arXiv:1709.07432, the form with
    plain SGD). Nothing is dropped. The given model is left as it is.

    Args:
        model: what starts, :math:`\theta_0`.
        task: a stateful task, whose batches are the segments of its streams.
        rates: those of evaluation.
        split: which split is read.
        rate: learning rate :math:`\eta`.
    """
    data = jax.tree.map(jnp.asarray, task.data()[split])
    segments = jnp.arange(task.eval_batches(split, 1))

    @jax.jit
    def read(model: RecurrentModel, data: Any, rate: Any) -> dict[str, jax.Array]:
        def loss_of(model: RecurrentModel, state: Any, batch: Any) -> tuple[Any, Any]:
            out = model(batch.inputs, state, lengths=batch.lengths, resets=batch.resets, rates=rates)
            return task.loss(out.outputs, batch), (out.state, task.metrics(out.outputs, batch))

        def step(carry: tuple[RecurrentModel, Any], index: Any) -> tuple[tuple[RecurrentModel, Any], Any]:
            model, state = carry
            batch = task.eval_batch(data, split, index, 1)
            gradients, (state, metrics) = jax.grad(loss_of, has_aux=True)(model, state, batch)
            return (jax.tree.map(lambda p, g: p - rate * g, model, gradients), state), metrics

        _, totals = jax.lax.scan(step, (model, model.initial_state(1)), segments)
        means = {name: jnp.sum(total) / jnp.sum(weight) for name, (total, weight) in totals.items()}
        return means | task.derived(means)

    return {name: float(value) for name, value in read(model, data, rate).items()}
