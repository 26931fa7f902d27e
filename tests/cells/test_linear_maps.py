"""Linear maps: what each kind computes, in which precision, and that it is linear."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import assert_close

from lstmlab.cells.maps import MAPS, _convolution, _window_product, make_map

FEATURES, GATES, HEADS, GRID = 4, 3, 2, {"conv": (5,)}
KEY = jax.random.key(0)


def build(kind, **settings):
    return make_map(
        kind, FEATURES, (FEATURES,) * GATES, key=KEY, init="glorot_uniform",
        window=(3,), heads=HEADS, **settings,
    )  # fmt: skip


def inputs(kind, *lead):
    shape = (*lead, *GRID.get(kind, ()), FEATURES)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def dense(x, kernel):
    return x @ kernel


def conv(x, kernel):
    padded = np.pad(x, [(0, 0), (1, 1), (0, 0)])
    size = x.shape[1]
    return sum(padded[:, k : k + size] @ kernel[k] for k in range(3))


def diagonal(x, kernel):
    return np.concatenate([x * w for w in np.split(kernel, GATES)], axis=-1)


def block_diagonal(x, kernel):
    """The dense matrix of every gate is zero outside its heads' blocks."""
    width = FEATURES // HEADS
    whole = np.zeros((FEATURES, GATES, FEATURES))
    for head in range(HEADS):
        mine = slice(head * width, (head + 1) * width)
        whole[mine, :, mine] = kernel[head]
    return x @ whole.reshape(FEATURES, GATES * FEATURES)


FORMULAS = {"dense": dense, "conv": conv, "diagonal": diagonal, "block_diagonal": block_diagonal}
each_kind = pytest.mark.parametrize("kind", MAPS)


@each_kind
def test_computes_its_formula(kind):
    linear, x = build(kind, bias=True), inputs(kind, 2)
    linear.bias = linear.bias + jnp.arange(GATES * FEATURES)
    expected = FORMULAS[kind](x, np.asarray(linear.kernel)) + np.arange(GATES * FEATURES)
    np.testing.assert_allclose(linear(x), expected, rtol=1e-5, atol=1e-5)


@each_kind
def test_works_on_a_whole_sequence_as_on_each_step(kind):
    linear, xs = build(kind), inputs(kind, 6, 2)
    np.testing.assert_allclose(linear(xs), np.stack([linear(x) for x in xs]), rtol=1e-5, atol=1e-6)


@each_kind
def test_without_bias_it_is_linear_and_can_be_transposed(kind):
    linear, x = build(kind), inputs(kind, 2)
    cotangent = np.random.default_rng(1).normal(size=linear(x).shape).astype("float32")
    (back,) = jax.linear_transpose(linear, x)(cotangent)
    np.testing.assert_allclose(np.vdot(back, x), np.vdot(cotangent, linear(x)), rtol=1e-4)
    np.testing.assert_allclose(linear(-2 * x), -2 * linear(x), rtol=1e-5, atol=1e-6)


@each_kind
def test_bfloat16_products_return_float32_and_transpose(kind):
    exact, rough, x = build(kind), build(kind, dtype="bfloat16"), inputs(kind, 2)
    assert rough(x).dtype == rough.kernel.dtype == jnp.float32
    np.testing.assert_allclose(rough(x), exact(x), rtol=0.02, atol=0.02)
    assert not np.allclose(rough(x), exact(x), atol=1e-5)
    (back,) = jax.linear_transpose(rough, x)(exact(x))
    assert back.dtype == jnp.float32


@pytest.mark.parametrize("window", [(3,), (2,), (5,), (3, 3), (2, 3), (1, 4)], ids=str)
def test_the_convolution_of_cpus_is_that_of_accelerators(window, x64):
    """The two ways to convolve agree in value and in both gradients, whatever the window."""
    rng = np.random.default_rng(0)
    grid = (4, 3)[: len(window)]
    x, kernel = rng.normal(size=(2, *grid, 3)), rng.normal(size=(*window, 3, 5))
    expected, pull_back = jax.vjp(_convolution, x, kernel)
    ours, our_pull_back = jax.vjp(_window_product, x, kernel)
    assert_close((ours, our_pull_back(expected)), (expected, pull_back(expected)), 1e-12)


@each_kind
def test_scale_multiplies_the_kernel(kind):
    np.testing.assert_allclose(build(kind, scale=0.5).kernel, 0.5 * build(kind).kernel, rtol=1e-6)


def refused(*words, **settings):
    arguments = {"kind": "dense", "features": 4, "sizes": (4,), "init": "zeros"} | settings
    with pytest.raises(ValueError) as error:
        make_map(key=KEY, **arguments)
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), error.value


def test_an_unknown_kind_names_the_known_ones():
    refused("'sparse'", *MAPS, kind="sparse")


def test_a_diagonal_map_needs_equal_sizes():
    refused("diagonal", "4", "5", kind="diagonal", sizes=(5,))


def test_heads_must_divide_the_hidden_size():
    refused("heads", "3", "4", kind="block_diagonal", heads=3)


@pytest.mark.parametrize("kind", ["diagonal", "block_diagonal"])
def test_gates_of_several_sizes_need_a_map_that_knows_no_places(kind):
    refused(kind, "one size", "4, 2", kind=kind, sizes=(4, 2), heads=1)


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_gates_of_several_sizes_stand_side_by_side(kind):
    sizes = (2, 3)
    linear = make_map(kind, FEATURES, sizes, key=KEY, init="orthogonal", window=(1,))
    wide, narrow = np.split(np.asarray(linear.kernel).reshape(FEATURES, 5), [2], axis=-1)
    for block in (wide, narrow):
        np.testing.assert_allclose(np.linalg.svd(block, compute_uv=False), 1, atol=1e-5)
