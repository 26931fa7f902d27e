"""Products in bfloat16: results close to float32 but not the same, numbers kept in float32."""

import jax
import numpy as np
from battery import (
    RAGGED,
    SOMETIMES,
    TIME,
    assert_close,
    each_backend_of_each_kind,
    each_form,
    errors,
    masked,
    preferred,
    problem,
    shapes_of_results,
    show,
)  # fmt: skip


@each_backend_of_each_kind
def test_close_to_float32_yet_different(case, backend):
    exact = masked(problem(case), RAGGED, SOMETIMES, backend="scan")
    rough = masked(problem(case, dtype="bfloat16"), RAGGED, SOMETIMES, backend=backend)
    # bfloat16 keeps 8 bits: 0.4 % per rounding, and gradients meet more roundings than outputs.
    assert_close((rough["outputs"], rough["final"]), (exact["outputs"], exact["final"]), 0.02)
    names = ("d_cell", "d_xs", "d_state")
    assert_close([rough[name] for name in names], [exact[name] for name in names], 0.06)
    # A clock counts exactly, and its cotangent passes through the padding untouched.
    fields, cell = exact["final"]._fields, problem(case).cell
    unread, clocks = set(fields) - set(cell.memory_fields or fields), set(fields) - set(cell.zoneout_fields or fields)
    same = {f"['d_state'].{name}" for name in unread} | {f"['final'].{name}" for name in clocks}
    assert min(error for where, error in errors(rough, exact).items() if where not in same) > 1e-6


@each_form
def test_every_cell_computes_in_it(case):
    """Forwards, and types without numbers: the gradients of one cell of every kind are compared above."""
    exact, rough = (
        show(p.cell, p.xs[: TIME // 2], p.state, backend=preferred(case))
        for p in (problem(case), problem(case, dtype="bfloat16"))
    )
    assert_close(rough, exact, 0.02)
    assert errors(rough[0], exact[0])["array"] > 1e-6
    assert {str(a.dtype) for a in jax.tree.leaves(shapes_of_results(problem(case, dtype="bfloat16")))} == {"float32"}


@each_backend_of_each_kind
def test_parameters_states_and_gradients_stay_float32(case, backend):
    p = problem(case, dtype="bfloat16")
    result = masked(p, RAGGED, SOMETIMES, backend=backend)
    assert {str(a.dtype) for a in jax.tree.leaves((p.cell, result))} == {"float32"}
    assert all(np.isfinite(a).all() for a in jax.tree.leaves(result))
