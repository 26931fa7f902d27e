"""Long sequences run in blocks on CPUs; where a block ends makes no difference."""

import jax
import jax.numpy as jnp
import pytest
from battery import assert_close, each_direction

from lstmlab.cells import make_cell
from lstmlab.recurrence import unroll
from lstmlab.recurrence.fused import block_length


@pytest.mark.parametrize(("time", "block"), [(1, 1), (64, 64), (96, 48), (100, 50), (784, 56), (97, 97), (65, 65)])
def test_blocks_divide_the_sequence(time, block):
    assert block_length(time) == block


@each_direction
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_long_sequence_equals_the_reference(name, reverse):
    time, batch = 96, 4
    cell = make_cell(name, 3, 5, key=jax.random.key(0))
    xs = jax.random.normal(jax.random.key(1), (time, batch, 3))
    lengths = jnp.array([96, 50, 48, 1])
    resets = jax.random.bernoulli(jax.random.key(2), 0.05, (time, batch))
    start = jax.tree.map(lambda a: a + 0.5, cell.initial_state(batch))

    def loss(cell, xs, state, backend):
        out = unroll(cell, xs, state, lengths=lengths, resets=resets, reverse=reverse, backend=backend)
        return (out.outputs**2).sum() + sum(jnp.sin(a).sum() for a in jax.tree.leaves(out.state)), out

    run = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True), static_argnums=3)
    assert_close(run(cell, xs, start, "fused"), run(cell, xs, start, "scan"), 1e-5)
