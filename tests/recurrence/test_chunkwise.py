"""Chunk by chunk gives what step by step gives: over several chunks, whatever falls on their borders."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import Case, assert_close, each_direction, inner, jitter, random_like

from lstmlab.cells import make_cell
from lstmlab.cells.regularise_steps import Zoneout, zoneout_masks
from lstmlab.recurrence import unroll
from lstmlab.recurrence.chunkwise import LONGEST_CHUNK

TIME, BATCH, FEATURES, HIDDEN = 2 * LONGEST_CHUNK + 22, 4, 3, 6
LENGTHS = np.array([TIME, LONGEST_CHUNK, 0, 51])
SIGMOID, EXPONENTIAL = ("forget", "sigmoid"), ("forget", "exponential")


@functools.partial(jax.jit, static_argnames=("backend", "reverse"))
def everything(cell, xs, state, weights, lengths=None, resets=None, *, backend, reverse=False):
    def value(cell, xs, state):
        ran = unroll(cell, xs, state, lengths=lengths, resets=resets, reverse=reverse, backend=backend)
        return inner(weights, (ran.outputs, ran.state)), ran

    gradients, ran = jax.grad(value, argnums=(0, 1, 2), has_aux=True)(cell, xs, state)
    return {"outputs": ran.outputs, "final": ran.state, "gradients": gradients}


def make(forget, time=TIME, heads=2):
    """Cell, inputs, a state that it can be in, and weights of all that it shows, in float32."""
    cell = make_cell("mlstm", FEATURES, HIDDEN, key=jax.random.key(0), heads=heads, **dict([forget]))
    if forget == EXPONENTIAL:  # as long a memory as that of a sigmoid: the stabiliser would grow by the bias each step
        cell.input.bias = jax.tree.map(lambda a: a - 1.5 * (a == 1), cell.input.bias)
    cell = jitter(cell, 1)
    first, *xs = random_like(jnp.zeros((time + 1, BATCH, FEATURES)), 2)
    state, _ = cell.step(cell.initial_state(BATCH), cell.project(first))
    return cell, jnp.stack(xs), state, random_like((jnp.zeros((time, BATCH, HIDDEN)), state), 3)


def in_precision(tree, precision):
    return jax.tree.map(lambda a: jnp.asarray(np.asarray(a), precision), tree)


@each_direction
@pytest.mark.parametrize(
    ("precision", "tolerance"), [pytest.param("float32", 1e-4, marks=pytest.mark.slow), ("float64", 1e-10)]
)
@pytest.mark.parametrize("forget", [SIGMOID, EXPONENTIAL], ids=lambda f: f[1])
@pytest.mark.parametrize("zoned", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["plain", "zoneout"])
def test_several_chunks_with_lengths_and_resets(forget, precision, tolerance, reverse, zoned):
    cell, xs, state, weights = make(forget)
    if zoned:
        masks = zoneout_masks(cell, 0.3, jax.random.key(4), TIME, BATCH)
        cell, xs = Zoneout(cell), (xs, masks)
    resets = np.random.default_rng(5).random((TIME, BATCH)) < 0.03
    resets[[0, 49, 50, 51], [1, 0, 0, 1]] = True  # 150 steps are three chunks of 50
    assert math.ceil(TIME / LONGEST_CHUNK) == 3
    with jax.enable_x64(precision == "float64"):
        problem = in_precision((cell, xs, state, weights), precision)
        run = functools.partial(everything, *problem, LENGTHS, resets, reverse=reverse)
        assert_close(run(backend="chunkwise"), run(backend="scan"), tolerance)


@pytest.mark.parametrize("time", [1, 2, LONGEST_CHUNK, LONGEST_CHUNK + 1, 2 * LONGEST_CHUNK])
def test_every_length_of_a_sequence(time):
    """One step, one chunk, a chunk and a step, and chunks that fit exactly."""
    problem = make(SIGMOID, time)
    assert_close(everything(*problem, backend="chunkwise"), everything(*problem, backend="scan"))


def extreme(name, forget, time):
    """Cells whose input gates jump between -80 and 80, by the sign of a feature that nothing else sees."""
    cell = make_cell(name, FEATURES, HIDDEN, key=jax.random.key(0), heads=2, **dict([forget]))
    start = sum(cell.sizes(cell.gates[: cell.gates.index("input")]))
    mine = slice(start, start + cell.gate_size("input"))
    kernel = jnp.asarray(cell.input.kernel).at[0].set(0.0).at[0, mine].set(80.0)
    cell.input.kernel = jax.tree.map(lambda _: kernel, cell.input.kernel)
    xs = np.random.default_rng(1).normal(size=(time, BATCH, FEATURES))
    xs[..., 0] = np.random.default_rng(2).choice([-1.0, 1.0], xs[..., 0].shape)
    xs[:, 0, 0], xs[:, 1, 0] = -1.0, 1.0  # closed all along, and open all along
    xs[: time // 2, 2, 0] = -1.0  # long closed, then open
    state = cell.initial_state(BATCH)
    return cell, jnp.asarray(xs, "float32"), state, (random_like(jnp.zeros((time, BATCH, HIDDEN)), 3), state)


@pytest.mark.parametrize("forget", [SIGMOID, EXPONENTIAL], ids=lambda f: f[1])
@pytest.mark.parametrize(("name", "backend"), [("slstm", "fused"), ("mlstm", "chunkwise")])
def test_extreme_input_gates_over_a_thousand_steps(name, backend, forget):
    """The final state has no weight: where two inputs tie, its stabiliser has no one gradient."""
    problem = extreme(name, forget, 1000)
    results = [everything(*problem, backend=b) for b in (backend, "scan")]
    for path, array in jax.tree_util.tree_leaves_with_path(results):
        assert np.isfinite(array).all(), jax.tree_util.keystr(path)
    with jax.enable_x64(True):
        exact = everything(*in_precision(problem, "float64"), backend="scan")
        assert_close(everything(*in_precision(problem, "float64"), backend=backend), exact, 1e-9)
    # In float32 the logarithm 80 itself is good to 4e-6, and a read is divided by q n, at times nearly 0.
    for result in results:
        assert_close(result["final"].m, exact["final"].m, 1e-3)
        wrong = np.abs(result["outputs"] - exact["outputs"]) / (np.abs(exact["outputs"]) + 1e-2)
        assert np.quantile(wrong, 0.99) < 1e-3
    assert np.abs(results[0]["outputs"]).max() > 1e-2


def test_a_query_that_meets_no_key_reads_nothing():
    """Without biases an input of zero asks of a full memory nothing at all: neither value nor gradient is NaN."""
    cell = make_cell("mlstm", FEATURES, HIDDEN, key=jax.random.key(0), bias=False)
    state = cell.initial_state(1)._replace(C=jnp.ones((1, 1, 6, 6)), n=jnp.ones((1, 1, 6)), m=jnp.full((1, 1), 200.0))
    xs = jnp.zeros((3, 1, FEATURES))
    weights = (jnp.ones((3, 1, HIDDEN)), state)
    for backend in ("scan", "chunkwise"):
        result = everything(cell, xs, state, weights, backend=backend)
        assert not np.any(result["outputs"])
        assert all(np.isfinite(a).all() for a in jax.tree.leaves(result))


def test_heads_must_divide_the_hidden_size():
    with pytest.raises(ValueError, match=r"cell\.heads is 4, but must divide the hidden size 6"):
        Case("mlstm", (("heads", 4),)).build() and make_cell("mlstm", 3, 6, key=jax.random.key(0), heads=4)
