"""Truncated back-propagation: where one batch continues the other, the state is carried."""

import jax
import numpy as np
import pytest
from small_runs import small

from lstmlab.config import split_traced
from lstmlab.training.engine import Engine


@pytest.fixture(scope="module")
def setting():
    """A character model after its first windows."""
    static, member = split_traced(small("char_lm"))
    engine = Engine(static)
    data = jax.device_put(static.task.data())
    advance = jax.jit(lambda state: engine.advance(state, member, data["train"], 1))
    return engine, member, data, advance, jax.jit(engine.init)(member)


def changed(carry):
    return jax.tree.map(lambda a: a + 1.0, carry)


def test_the_state_after_a_batch_is_the_state_before_the_next(setting):
    _, _, _, advance, state = setting
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(state.carry))
    state, _ = advance(state)
    assert all(np.any(leaf) for leaf in jax.tree.leaves(state.carry))
    _, log = advance(state)
    _, other = advance(state._replace(carry=changed(state.carry)))
    assert log.loss[0] != other.loss[0]


def test_where_a_stream_starts_the_state_is_dropped(setting):
    _, _, _, advance, state = setting
    _, log = advance(state)
    _, other = advance(state._replace(carry=changed(state.carry)))
    assert log.loss[0] == other.loss[0]


def test_tasks_without_continuing_batches_carry_nothing():
    static, member = split_traced(small("adding"))
    engine = Engine(static)
    state = jax.eval_shape(engine.init, member)
    assert state.carry is None
    after, _ = jax.eval_shape(lambda s: engine.advance(s, member, static.task.data()["train"], 1), state)
    assert after.carry is None


def test_evaluation_carries_its_own_state(setting):
    engine, member, data, _, state = setting
    whole = jax.jit(lambda m: engine.evaluate(m, member, data["validation"], "validation"))(state.model)
    # Another number of parallel streams starts elsewhere, but predicts the same characters.
    engine.eval_batch_size, before = 2, engine.eval_batch_size
    try:
        other = jax.jit(lambda m: engine.evaluate(m, member, data["validation"], "validation"))(state.model)
    finally:
        engine.eval_batch_size = before
    assert float(whole["bpc"]) == pytest.approx(float(other["bpc"]), rel=1e-2)
