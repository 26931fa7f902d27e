"""Recurrences that are linear in the state, over thousands of steps and with gates that saturate for long runs.

Products of the decays then span everything between one and underflow, which a parallel prefix sum must not trip over.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FEATURES, FORMS, UNBOUNDED, Case, assert_close, random_like, shape_of

from lstmlab.recurrence import unroll

TIME, BATCH = 4096, 4
LINEAR = [case for case in FORMS if not case.spatial and shape_of(case).form == "linear"]
LONG_MEMORY = Case("lru", (("r_min", 0.999),))


def steady(cell):
    """Every input feature alone drives every gate to 50 or to -50."""
    for name in ("input", "earlier"):
        if getattr(cell, name, None) is not None:
            kernel = getattr(cell, name).kernel
            signs = np.random.default_rng(2).choice([-50.0, 50.0], kernel.shape)
            getattr(cell, name).kernel = jax.tree.map(lambda a, signs=signs: jnp.asarray(signs, a.dtype), kernel)
    return cell


def inputs_in_runs():
    """One feature at a time: for hundreds of steps at full strength or a fifth of it, between them a few weak steps."""
    rng, rows = np.random.default_rng(1), []
    for _ in range(BATCH):
        lengths, features = rng.integers(100, 400, TIME), rng.integers(0, FEATURES, TIME)
        strengths = rng.choice([-1.0, -0.2, 0.2, 1.0], TIME)
        lengths[::2], strengths[::2] = rng.integers(1, 5, len(lengths[::2])), rng.normal(0, 0.03, len(lengths[::2]))
        rows.append(np.repeat(np.eye(FEATURES)[features] * strengths[:, None], lengths, axis=0)[:TIME])
    xs = np.stack(rows, axis=1)
    return jnp.asarray(xs + 0.002 * rng.normal(size=xs.shape), "float32")


@functools.partial(jax.jit, static_argnames="backend")
def everything(cell, xs, state, weights, backend):
    def value(cell, xs, state):
        ran = unroll(cell, xs, state, backend=backend)
        return jnp.vdot(weights, ran.outputs) / TIME, ran

    gradients, ran = jax.grad(value, argnums=(0, 1, 2), has_aux=True)(cell, xs, state)
    return {"outputs": ran.outputs, "final": ran.state, "gradients": gradients}


@functools.cache
def problem_and_reference(case):
    cell = steady(case.build())
    xs, state = inputs_in_runs(), random_like(cell.initial_state(BATCH), 3)
    problem = (cell, xs, state, random_like(jnp.zeros((TIME, *state.h.shape)), 4))
    return problem, everything(*problem, backend="scan")


@pytest.mark.parametrize("backend", ["associative", "fused"])
@pytest.mark.parametrize("case", [*LINEAR, LONG_MEMORY], ids=str)
def test_saturated_gates_over_thousands_of_steps(case, backend):
    problem, reference = problem_and_reference(case)
    result = everything(*problem, backend=backend)
    assert all(np.isfinite(a).all() for a in jax.tree.leaves((result, reference)))
    assert_close(result, reference, 1e-4)


@pytest.mark.parametrize("case", LINEAR, ids=str)
def test_the_problem_is_as_hard_as_it_claims(case):
    """Gates rest at both ends for most of the time, and every array that the next step reads has a gradient."""
    (cell, xs, state, _), reference = problem_and_reference(case)
    gates = unroll(cell, xs, state, collect_gates=True).gates
    for name in set(gates) - set(UNBOUNDED.get(case.name, ())) - {"candidate"}:
        assert np.mean(gates[name] < 1e-6) > 0.1, name
        assert np.mean(gates[name] > 1 - 1e-6) > 0.1, name
    for path, gradient in jax.tree_util.tree_leaves_with_path(reference["gradients"]):
        if path[0].idx < 2 or path[1].name in (cell.memory_fields or state._fields):
            assert np.abs(gradient).max() > 1e-6, jax.tree_util.keystr(path)
