"""Every backend gives what the reference gives: outputs, final state and all gradients."""

import jax
import numpy as np
import pytest
from battery import (
    PAIRS,
    RAGGED,
    SOMETIMES,
    assert_close,
    each_backend,
    each_direction,
    each_form,
    masked,
    problem,
)  # fmt: skip

from lstmlab.recurrence import Backend

FAST = [(case, backend) for case, backend in PAIRS if backend is not Backend.SCAN]
each_fast_backend = pytest.mark.parametrize(("case", "backend"), FAST, ids=str)


@each_direction
@each_fast_backend
def test_with_lengths_and_resets(case, backend, reverse):
    p = problem(case)
    reference = masked(p, RAGGED, SOMETIMES, backend="scan", reverse=reverse)
    assert_close(masked(p, RAGGED, SOMETIMES, backend=backend, reverse=reverse), reference)


@each_backend
def test_nothing_is_without_gradient(case, backend):
    """Zero agrees with zero: agreement means something only where every array of the problem matters."""
    result = masked(problem(case), RAGGED, SOMETIMES, backend=backend)
    for path, gradient in jax.tree_util.tree_leaves_with_path(result):
        assert np.abs(gradient).max() > 1e-3, jax.tree_util.keystr(path)


@each_form
def test_the_reference_is_a_plain_loop_over_steps(case):
    p = problem(case)
    state, outputs = p.state, []
    for x in p.xs:
        state, _ = p.cell.step(state, p.cell.project(x))
        outputs.append(state.h)
    reference = masked(p, backend="scan")
    assert_close((outputs, state), (list(reference["outputs"]), reference["final"]))


@each_fast_backend
def test_a_backward_loop_of_our_own_accumulates_no_map(case, backend):
    """What the loop sums up step by step are the vectors of ``update``; maps get one product after it."""
    cell = problem(case).cell
    vectors, maps = cell.pointwise(), (cell.input, cell.recurrent)
    assert len(jax.tree.leaves(vectors)) == len(jax.tree.leaves(cell)) - len(jax.tree.leaves(maps))
