"""On every registered task the loss falls, and every number that is reported is finite."""

import dataclasses

import jax
import numpy as np
import pytest
from small_runs import OneBatch, small

from lstmlab.tasks import Features, task_names
from lstmlab.training import functions

STEPS = 20


def learning(task):
    """Losses of a short run, and validation metrics before and after it."""
    # One batch seen again and again: its loss must fall, whatever the task.
    config = small(task, "optimizer.learning_rate=0.02", "schedule.name=constant")
    if isinstance(config.task.inputs, Features) and config.task.inputs.spatial:
        config = small(task, "optimizer.learning_rate=0.02", "cell=conv_lstm")
    data = jax.device_put(config.task.data())
    config = dataclasses.replace(config, task=OneBatch(config.task))
    evaluate = jax.jit(lambda model: functions.evaluate(config, model, data["validation"], "validation"))
    state = jax.jit(lambda: functions.init(config))()
    before = evaluate(state.model)
    state, log = jax.jit(lambda state, train: functions.advance(config, state, train, STEPS))(state, data["train"])
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
