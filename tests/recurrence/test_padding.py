"""Steps after a sequence's length change nothing, whatever they hold."""

import numpy as np
from battery import (
    FULL,
    NEVER,
    RAGGED,
    SOMETIMES,
    TIME,
    Case,
    assert_close,
    each_backend,
    each_direction,
    masked,
    problem,
    show,
)  # fmt: skip

PADDED = np.arange(TIME)[:, None] >= RAGGED


def garbage_in_padding(xs):
    """Values so large that a step which ran on them could not go unnoticed."""
    noise = 1e20 * np.random.default_rng(0).choice([-1.0, 1.0], xs.shape).astype("float32")
    return np.where(PADDED.reshape(*PADDED.shape, *[1] * (xs.ndim - 2)), noise, xs)


@each_direction
@each_backend
def test_garbage_in_the_padding_changes_no_result(case, backend, reverse):
    p = problem(case)
    how = {"backend": backend, "reverse": reverse}
    clean = masked(p, RAGGED, SOMETIMES, **how)
    dirty = masked(p._replace(xs=garbage_in_padding(p.xs)), RAGGED, SOMETIMES, **how)
    assert_close(dirty, clean, 1e-6)


@each_direction
@each_backend
def test_padded_steps_show_zero_and_receive_no_gradient(case, backend, reverse):
    p = problem(case)
    p = p._replace(xs=garbage_in_padding(p.xs))
    result = masked(p, RAGGED, backend=backend, reverse=reverse)
    for name in ("outputs", "d_xs"):
        array = np.asarray(result[name])
        assert (array[PADDED] == 0).all(), name
        assert (array[~PADDED] != 0).any(), name


@each_direction
@each_backend
def test_a_padded_sequence_gives_what_it_gives_alone(case, backend, reverse):
    p = problem(case)
    half = TIME // 2
    alone = show(p.cell, p.xs[:half], p.state, backend=backend, reverse=reverse)
    padded = masked(p, [half, half, half], backend=backend, reverse=reverse)
    assert_close((padded["outputs"][:half], padded["final"]), alone)


@each_direction
@each_backend
def test_an_empty_sequence_passes_its_state_on(case, backend, reverse):
    p = problem(case)
    result = masked(p, [TIME, TIME, 0], backend=backend, reverse=reverse)
    for final, given, d_state, weight in zip(result["final"], p.state, result["d_state"], p.weights[1], strict=True):
        np.testing.assert_array_equal(final[2], given[2])
        np.testing.assert_array_equal(d_state[2], weight[2])


@each_direction
@each_backend
def test_resets_in_the_padding_do_nothing(case, backend, reverse):
    p = problem(case)
    how = {"backend": backend, "reverse": reverse}
    assert_close(masked(p, RAGGED, PADDED, **how), masked(p, RAGGED, NEVER, **how))


def test_lengths_beyond_the_end_mean_the_whole_sequence():
    p = problem(Case("lstm"))
    assert_close(masked(p, FULL + 3), masked(p))
