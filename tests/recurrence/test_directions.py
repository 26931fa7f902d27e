"""Walking backwards is walking forwards over the flipped valid part; walking in pieces is walking once."""

import jax
import numpy as np
from battery import (
    BATCH,
    RAGGED,
    TIME,
    Problem,
    assert_close,
    each_backend,
    each_backend_of_each_kind,
    each_direction,
    masked,
    problem,
    show,
)  # fmt: skip


def flip(array, lengths):
    """Each sequence's valid part in reverse order, its padding where it was."""
    flipped = np.array(array)
    for row, length in enumerate(lengths):
        flipped[:length, row] = flipped[:length, row][::-1]
    return flipped


@each_backend
def test_reverse_equals_flipping_each_valid_part(case, backend):
    p = problem(case)
    for lengths in (RAGGED, np.array([1, TIME, TIME - 1])):
        outputs, state = p.weights
        flipped = Problem(p.cell, flip(p.xs, lengths), p.state, (flip(outputs, lengths), state))
        forward = masked(flipped, lengths, backend=backend)
        forward |= {name: flip(forward[name], lengths) for name in ("outputs", "d_xs")}
        backward = masked(p, lengths, backend=backend, reverse=True)
        # The value is one number, summed in another order: its terms may cancel, and each of them is compared.
        del forward["value"], backward["value"]
        assert_close(backward, forward)


@each_backend
def test_reverse_differs_from_forward(case, backend):
    p = problem(case)
    forward, backward = (masked(p, backend=backend, reverse=r) for r in (False, True))
    assert not np.allclose(forward["outputs"], backward["outputs"], atol=1e-2)


@each_direction
@each_backend
def test_pieces_with_the_state_passed_on_equal_the_whole(case, backend, reverse):
    p = problem(case)
    how = {"backend": backend, "reverse": reverse}
    pieces = [slice(0, TIME // 2), slice(TIME // 2, TIME)]
    outputs, state = np.zeros_like(p.weights[0]), p.state
    for piece in reversed(pieces) if reverse else pieces:
        outputs[piece], state = show(p.cell, p.xs[piece], state, **how)
    whole = masked(p, **how)
    assert_close((outputs, state), (whole["outputs"], whole["final"]))


@each_backend
def test_sequences_of_a_batch_do_not_see_each_other(case, backend):
    p = problem(case)
    changed = np.array(p.xs)
    changed[:, 0] += 1
    before, after = masked(p, backend=backend), masked(p._replace(xs=changed), backend=backend)
    np.testing.assert_array_equal(before["outputs"][:, 1:], after["outputs"][:, 1:])
    assert not np.allclose(before["outputs"][:, 0], after["outputs"][:, 0], atol=1e-3)


@each_backend_of_each_kind
def test_without_a_state_the_cell_starts_at_its_initial_state(case, backend):
    p = problem(case)
    half = p.xs[: TIME // 2]
    given = show(p.cell, half, p.cell.initial_state(BATCH), backend=backend)
    assert_close(show(p.cell, half, None, backend=backend), given)
    assert not np.allclose(given[0], show(p.cell, half, p.state, backend=backend)[0], atol=1e-3)
    assert jax.tree.structure(given[1]) == jax.tree.structure(p.state)
