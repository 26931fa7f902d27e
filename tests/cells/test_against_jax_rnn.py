"""Our LSTM, with lengths and in both directions, against ``jax.experimental.rnn.lstm_ref``."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import (
    FEATURES,
    FULL,
    HIDDEN,
    TIME,
    Case,
    assert_close,
    inner,
    masked,
    problem,
    quick_jit,
)  # fmt: skip
from jax.experimental.rnn import lstm_ref

RAGGED = np.array([TIME, TIME - 2, 1])
NAMES = ("outputs", "final", "d_cell", "d_xs", "d_state")


@quick_jit
def reference(cells, p, lengths):
    """Results of one cell, or of two that read forwards and backwards, with gradients."""
    directions = range(len(cells))

    def weighted(cells, xs, state):
        outputs, h, c = lstm_ref(
            jnp.swapaxes(xs, 0, 1), *(jnp.stack([field for _ in directions]) for field in state),
            {d: jnp.asarray(cells[d].input.kernel).T for d in directions},
            {d: jnp.asarray(cells[d].recurrent.kernel).T for d in directions},
            {d: jnp.asarray(cells[d].input.bias) for d in directions},
            {d: jnp.zeros(4 * HIDDEN) for d in directions},
            lengths.astype("int32"), FEATURES, HIDDEN, 1, 0.0, len(cells) == 2,
        )  # fmt: skip
        valid = jnp.arange(TIME)[:, None, None] < lengths[:, None]
        outputs = jnp.split(jnp.where(valid, jnp.swapaxes(outputs, 0, 1), 0), len(cells), axis=-1)
        shown = [(o, type(state)(h[d], c[d])) for d, o in enumerate(outputs)]
        return sum(inner(p.weights, s) for s in shown), shown

    return jax.grad(weighted, argnums=(0, 1, 2), has_aux=True)(cells, p.xs, p.state)


@pytest.mark.parametrize("lengths", [FULL, RAGGED], ids=["full", "ragged"])
def test_one_direction(lengths, x64):
    p = problem(Case("lstm"), "float64")
    ((d_cell,), d_xs, d_state), [(outputs, final)] = reference([p.cell], p, jnp.asarray(lengths))
    ours = masked(p, lengths)
    assert_close([ours[name] for name in NAMES], [outputs, final, d_cell, d_xs, d_state], 1e-10)


@pytest.mark.parametrize("lengths", [FULL, RAGGED], ids=["full", "ragged"])
def test_both_directions(lengths, x64):
    forward = problem(Case("lstm"), "float64")
    backward = forward._replace(cell=jax.tree.map(lambda a: -a, forward.cell))
    cells = [forward.cell, backward.cell]
    (d_cells, d_xs, d_state), shown = reference(cells, forward, jnp.asarray(lengths))
    ours = masked(forward, lengths), masked(backward, lengths, reverse=True)
    for direction, result in enumerate(ours):
        expected = (*shown[direction], d_cells[direction])
        assert_close([result[name] for name in NAMES[:3]], list(expected), 1e-10)
    for name, expected in (("d_xs", d_xs), ("d_state", d_state)):
        assert_close(jax.tree.map(jnp.add, ours[0][name], ours[1][name]), expected, 1e-10)
