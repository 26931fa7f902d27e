"""On every registered task the loss falls, and every number that is reported is finite."""

import jax
import numpy as np
import pytest
from small_runs import OneBatch, small

from lstmlab.config import split_traced
from lstmlab.tasks import Features, task_names
from lstmlab.training.engine import Engine

STEPS = 20


def learning(task):
    """Losses of a short run, and validation metrics before and after it."""
    # One batch seen again and again: its loss must fall, whatever the task.
    config = small(task, "optimizer.learning_rate=0.02", "schedule.name=constant")
    if isinstance(config.task.inputs, Features) and config.task.inputs.spatial:
        config = small(task, "optimizer.learning_rate=0.02", "cell=conv_lstm")
    static, member = split_traced(config)
    engine = Engine(static)
    data = jax.device_put(config.task.data())
    engine.task = OneBatch(config.task)
    evaluate = jax.jit(lambda model: engine.evaluate(model, member, data["validation"], "validation"))
    state = jax.jit(engine.init)(member)
    before = evaluate(state.model)
    state, log = jax.jit(engine.advance, static_argnums=3)(state, member, data["train"], STEPS)
    return log, before, evaluate(state.model)


@pytest.mark.parametrize("task", task_names())
def test_the_loss_falls_and_every_number_is_finite(task):
    log, before, after = learning(task)
    assert log.loss[-1] < 0.9 * log.loss[0]
    assert np.all(np.isfinite(log.loss))
    assert np.all(np.isfinite(log.gradient_norm))
    assert np.all(log.gradient_norm > 0)
    assert before.keys() == after.keys()
    assert all(np.isfinite(float(v)) for v in [*before.values(), *after.values()])
    assert any(float(before[name]) != float(after[name]) for name in before)
