"""A reset starts a fresh sequence: what follows knows nothing of what came before."""

import jax
import numpy as np
from battery import (
    BATCH,
    NEVER,
    TIME,
    assert_close,
    each_backend,
    each_direction,
    masked,
    problem,
    show,
)  # fmt: skip

HALF = TIME // 2
AT_HALF = NEVER.copy()
AT_HALF[HALF, :-1] = True
"""Every sequence but the last is reset in the middle."""
RESET, KEPT = slice(0, BATCH - 1), slice(BATCH - 1, BATCH)


def rows(tree, which):
    """Some sequences of a state."""
    return jax.tree.map(lambda a: a[which], tree)


@each_direction
@each_backend
def test_a_reset_equals_separate_sequences(case, backend, reverse):
    p = problem(case)
    how = {"backend": backend, "reverse": reverse}
    result = masked(p, resets=AT_HALF, **how)
    # The segment that is entered first continues from the given state, the other starts afresh.
    order = [slice(HALF, TIME), slice(0, HALF)] if reverse else [slice(0, HALF), slice(HALF, TIME)]
    first, _ = show(p.cell, p.xs[order[0]], p.state, **how)
    second, final = show(p.cell, p.xs[order[1]], p.cell.initial_state(BATCH), **how)
    shown = result["outputs"][:, RESET]
    assert_close((shown[order[0]], shown[order[1]]), (first[:, RESET], second[:, RESET]))
    assert_close(rows(result["final"], RESET), rows(final, RESET))


@each_direction
@each_backend
def test_a_sequence_without_reset_is_left_alone(case, backend, reverse):
    p = problem(case)
    some = masked(p, resets=AT_HALF, backend=backend, reverse=reverse)
    none = masked(p, backend=backend, reverse=reverse)
    assert_close(some["outputs"][:, KEPT], none["outputs"][:, KEPT])
    assert_close(rows(some["final"], KEPT), rows(none["final"], KEPT))
    assert not np.allclose(some["outputs"][:, RESET], none["outputs"][:, RESET], atol=1e-3)


@each_direction
@each_backend
def test_no_gradient_crosses_a_reset(case, backend, reverse):
    p = problem(case)
    late, early = slice(HALF, TIME), slice(0, HALF)
    first, second = (late, early) if reverse else (early, late)
    weights = jax.tree.map(np.array, p.weights)
    weights[0][first] = 0
    result = masked(p._replace(weights=weights), resets=AT_HALF, backend=backend, reverse=reverse)
    d_xs = np.asarray(result["d_xs"])
    assert (d_xs[first, RESET] == 0).all()
    assert (d_xs[second, RESET] != 0).any()
    assert (d_xs[first, KEPT] != 0).any()
    for name, d_state in result["d_state"]._asdict().items():
        assert (np.asarray(d_state)[RESET] == 0).all()
        assert (np.asarray(d_state)[KEPT] != 0).any() == (name in (p.cell.memory_fields or p.state._fields))


@each_backend
def test_a_reset_at_the_first_step_forgets_the_given_state(case, backend):
    p = problem(case)
    at_start = NEVER.copy()
    at_start[0] = True
    fresh = p._replace(state=p.cell.initial_state(BATCH))
    result = masked(p, resets=at_start, backend=backend)
    expected = masked(fresh, backend=backend)
    for name in ("outputs", "final", "d_xs", "d_cell"):
        assert_close(result[name], expected[name])
    assert not any(np.any(d) for d in result["d_state"])
