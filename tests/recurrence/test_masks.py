"""Masked steps are passed over wherever they are: what is left gives what it gives alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FULL, NEVER, TIME, Case, assert_close, each_direction, problem, quick_jit, shape_of

from lstmlab.recurrence import backends, unroll

HOLES = np.array([[0, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]], bool)
"""Left padding and a hole; a hole and a border; nothing at all."""
STARTS = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], bool)
CASES = [Case("lstm"), Case("min_gru"), Case("qrnn"), Case("lru"), Case("mlstm"), Case("lem"), Case("phased_lstm")]
PAIRS = [(case, backend) for case in CASES for backend in backends(shape_of(case))]
each_backend = pytest.mark.parametrize(("case", "backend"), PAIRS, ids=str)


def segments(resets, row):
    """The numbers of the steps that are left of one row, and whether each starts a segment when walked forwards."""
    kept = np.flatnonzero(HOLES[:, row])
    number = np.cumsum(resets[:, row])[kept]
    return kept, np.diff(number, prepend=0) > 0


@quick_jit
def alone(cell, xs, state, resets):
    return tuple(unroll(cell, xs, state, resets=resets, backend="scan")[:2])


@quick_jit
def alone_backwards(cell, xs, state, resets):
    return tuple(unroll(cell, xs, state, resets=resets, backend="scan", reverse=True)[:2])


@pytest.mark.parametrize("resets", [NEVER, STARTS], ids=["whole", "resets"])
@each_direction
@each_backend
def test_what_is_left_gives_what_it_gives_alone(case, backend, reverse, resets):
    p = problem(case)
    xs = jnp.where(HOLES[..., None], p.xs, jnp.nan)
    outputs, final = quick_jit(
        lambda p: tuple(unroll(p.cell, xs, p.state, mask=HOLES, resets=resets, backend=backend, reverse=reverse)[:2])
    )(p)
    assert (np.asarray(outputs)[~HOLES] == 0).all()
    for row in range(3):
        kept, starts = segments(resets, row)
        first = jax.tree.map(lambda a, row=row: a[row : row + 1], p.state)
        expected = (p.xs[:0, :1], first)
        if len(kept):
            run = alone_backwards if reverse else alone
            expected = run(p.cell, p.xs[kept, row : row + 1], first, starts[:, None])
        got = jax.tree.map(lambda a, row=row: a[row : row + 1], final)
        found = (outputs[kept, row : row + 1], got) if len(kept) else got
        assert_close(found, expected if len(kept) else first, 3e-5)


@each_backend
def test_gradients_agree_and_masked_steps_receive_none(case, backend):
    p = problem(case)

    def loss(cell, xs, state, backend):
        ran = unroll(cell, xs, state, mask=HOLES, resets=STARTS, backend=backend)
        return sum(jnp.vdot(a, w) for a, w in zip(jax.tree.leaves(ran[:2]), jax.tree.leaves(p.weights), strict=True))

    gradient = quick_jit(jax.grad(loss, argnums=(0, 1, 2)), static_argnums=3)
    found = gradient(*p[:3], backend)
    assert (np.asarray(found[1])[~HOLES] == 0).all()
    assert_close(found, gradient(*p[:3], "scan"))


@each_direction
def test_a_mask_of_valid_steps_is_what_lengths_are(reverse):
    p = problem(Case("gru"))
    lengths = np.array([TIME, 2, 0])
    by_mask = unroll(*p[:3], mask=np.arange(TIME)[:, None] < lengths, reverse=reverse)
    assert_close(tuple(by_mask[:2]), tuple(unroll(*p[:3], lengths=lengths, reverse=reverse)[:2]))


def test_with_lengths_both_must_allow_a_step():
    p = problem(Case("gru"))
    both = unroll(*p[:3], mask=HOLES, lengths=np.array([3, 3, 3]))
    assert_close(tuple(both[:2]), tuple(unroll(*p[:3], mask=HOLES & (np.arange(TIME)[:, None] < FULL * 0 + 3))[:2]))
