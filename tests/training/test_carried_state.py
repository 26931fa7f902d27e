"""Truncated back-propagation: where one batch continues the other, the state is carried."""

import dataclasses

import jax
import numpy as np
import pytest
from small_runs import small

from lstmlab.training import functions


@pytest.fixture(scope="module")
def setting():
    """A character model after its first windows."""
    config = small("char_lm")
    data = jax.device_put(config.task.data())
    advance = jax.jit(lambda state: functions.advance(config, state, data["train"], 1))
    return config, data, advance, jax.jit(lambda: functions.init(config))()


def changed(carry):
    return jax.tree.map(lambda a: a + 1.0, carry)


def test_the_state_after_a_batch_is_the_state_before_the_next(setting):
    _, _, advance, state = setting
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(state.carry))
    state, _ = advance(state)
    assert all(np.any(leaf) for leaf in jax.tree.leaves(state.carry))
    _, log = advance(state)
    _, other = advance(state._replace(carry=changed(state.carry)))
    assert log.loss[0] != other.loss[0]


def test_where_a_stream_starts_the_state_is_dropped(setting):
    _, _, advance, state = setting
    _, log = advance(state)
    _, other = advance(state._replace(carry=changed(state.carry)))
    assert log.loss[0] == other.loss[0]


def test_tasks_without_continuing_batches_carry_nothing():
    config = small("adding")
    state = jax.eval_shape(lambda: functions.init(config))
    assert state.carry is None
    after, _ = jax.eval_shape(lambda s: functions.advance(config, s, config.task.data()["train"], 1), state)
    assert after.carry is None


def test_evaluation_carries_its_own_state(setting):
    config, data, _, state = setting
    # Another number of parallel streams starts elsewhere, but predicts the same characters.
    few = dataclasses.replace(config, training=dataclasses.replace(config.training, eval_batch_size=2))
    whole, other = (
        jax.jit(lambda m, c=c: functions.evaluate(c, m, data["validation"], "validation"))(state.model)
        for c in (config, few)
    )
    assert float(whole["bpc"]) == pytest.approx(float(other["bpc"]), rel=1e-2)
