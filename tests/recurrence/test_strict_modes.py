"""Cells run in JAX's strict modes, compute in one type, and take sequences without a step."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import BATCH, FEATURES, TIME, Case, assert_close, problem, quick_jit, representative, shape_of
from jax.sharding import PartitionSpec

from lstmlab.cells import cell_names
from lstmlab.recurrence import backends, unroll

CASES = [Case(name) if name != "conv_lstm" else Case(name, (), (3,)) for name in cell_names()]
PAIRS = [(case, backend) for case in CASES for backend in backends(shape_of(case))]
SOME = [(case, backend) for case, backend in PAIRS if representative(case.name)]
each_backend = pytest.mark.parametrize(("case", "backend"), PAIRS, ids=str)
some_cells = pytest.mark.parametrize(("case", "backend"), SOME, ids=str)
WIDTHS = ("float16", "bfloat16", "float32", "float64")


def cast(tree, dtype):
    return jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, tree)


def run(cell, xs, state, backend):
    return tuple(unroll(cell, xs, state, backend=backend)[:2])


def floats(tree):
    return [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)]


def shapes(case):
    """Cell, inputs and state as shapes and types: what is traced needs no numbers."""

    def build():
        cell = case.build()
        return cell, jnp.zeros((TIME, BATCH, *case.spatial, FEATURES)), cell.initial_state(BATCH)

    return jax.eval_shape(build)


@functools.cache
def usual_shapes(case, x64=False):
    """The same, built once for all tests that set no strict mode."""
    assert jax.config.jax_enable_x64 == x64
    return shapes(case)


def loss(cell, xs, state, backend):
    outputs, final = run(cell, xs, state, backend)
    return outputs.sum() + sum(leaf.sum() for leaf in floats(final))


def gradients(cell, xs, state, backend):
    return jax.grad(lambda cell, xs: loss(cell, xs, state, backend), argnums=(0, 1), allow_int=True)(cell, xs)


# Inputs are cast before a cell sees them: one narrower and one wider type for every cell, all for one of every form.
@pytest.mark.parametrize(
    ("case", "backend", "dtype"),
    [
        pytest.param(
            case, backend, dtype,
            marks=() if dtype in ("bfloat16", "float64") or representative(case.name) else pytest.mark.slow,
            id=f"{case}-{backend}-{dtype}",
        )
        for case, backend in PAIRS
        for dtype in WIDTHS
    ],
)  # fmt: skip
def test_numbers_are_float32_whatever_the_type_of_inputs_and_states(case, backend, dtype, x64):
    cell, xs, state = usual_shapes(case, x64=True)
    outputs, final = jax.eval_shape(functools.partial(run, backend=backend), cell, *_shaped((xs, state), dtype))
    assert {leaf.dtype.name for leaf in floats((cell, outputs, final))} == {"float32"}


def _shaped(tree, dtype):
    return jax.eval_shape(lambda tree: cast(tree, dtype), tree)


def test_parameters_can_be_float64(x64):
    case = Case("lstm")
    cell = case.build(param_dtype="float64")
    assert {leaf.dtype.name for leaf in jax.tree.leaves(cell)} == {"float64"}
    outputs, final = run(cell, jnp.ones((2, 3, cell.input_size), "float32"), None, "auto")
    assert {leaf.dtype.name for leaf in jax.tree.leaves((outputs, final))} == {"float64"}


def test_a_parameter_type_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="param_dtype is 'float64', which needs JAX's 64-bit mode"):
        Case("lstm").build(param_dtype="float64")
    with pytest.raises(ValueError, match="param_dtype is 'float16', but must be 'float32' or 'float64'"):
        Case("lstm").build(param_dtype="float16")


@each_backend
def test_rank_and_type_promotion_may_be_forbidden(case, backend):
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        jax.eval_shape(functools.partial(gradients, backend=backend), *shapes(case))


@some_cells
def test_no_tracer_leaks(case, backend):
    p = problem(case)
    with jax.checking_leaks():
        jax.jit(functools.partial(gradients, backend=backend)).trace(p.cell, p.xs, p.state)


@some_cells
def test_nans_may_be_searched_for(case, backend):
    p = problem(case)
    with jax.debug_nans(True):
        found = quick_jit(functools.partial(gradients, backend=backend))(p.cell, p.xs, p.state)
    assert all(np.isfinite(leaf).all() for leaf in floats(found))


@some_cells
def test_a_sequence_without_a_step_leaves_the_state_alone(case, backend):
    p = problem(case)
    outputs, final = quick_jit(functools.partial(run, backend=backend))(p.cell, p.xs[:0], p.state)
    shape = jax.eval_shape(functools.partial(run, backend=backend), p.cell, p.xs, p.state)[0].shape
    assert outputs.shape == (0, *shape[1:])
    assert_close(final, p.state)
    cells, xs = quick_jit(functools.partial(gradients, backend=backend))(p.cell, p.xs[:0], p.state)
    assert xs.shape == p.xs[:0].shape
    assert not any(np.any(leaf) for leaf in floats(cells))


@each_backend
def test_gradients_inside_shard_map_need_no_first_state(case, backend):
    jax.eval_shape(functools.partial(_sharded, backend=backend), *usual_shapes(case)[:2])


@pytest.mark.parametrize(("case", "backend"), [(c, b) for c, b in PAIRS if c.name in ("lstm", "lru", "mlstm")], ids=str)
def test_gradients_inside_shard_map_are_those_outside(case, backend):
    p = problem(case)
    inside = quick_jit(functools.partial(_sharded, backend=backend))(p.cell, p.xs)
    outside = quick_jit(jax.grad(lambda cell, xs: run(cell, xs, None, backend)[0].sum()))(p.cell, p.xs)
    assert_close(inside, outside)


def _sharded(cell, xs, backend):
    """Gradients of the cell, where a mesh of one device splits the batch: types are checked as with many devices."""
    mesh = jax.make_mesh((1,), ("data",), devices=jax.devices()[:1], axis_types=(jax.sharding.AxisType.Auto,))
    batch = PartitionSpec(None, "data")

    def total(cell, xs):
        return jax.lax.psum(run(cell, xs, None, backend)[0].sum(), "data")

    return jax.grad(jax.shard_map(total, mesh=mesh, in_specs=(PartitionSpec(), batch), out_specs=PartitionSpec()))(
        cell, xs
    )
