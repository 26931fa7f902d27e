"""How parameters start: every gate's block is drawn on its own."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FEATURES, HIDDEN, VARIANTS, Case, each_variant, quick_jit, shape_of

from lstmlab.cells import Init, cell_entry, cell_names, make_cell
from lstmlab.cells.initialise import KERNELS
from lstmlab.cells.maps import BlockDiagonal
from lstmlab.settings import settings_of

WIDE = 64


def cuts(cell, gates):
    """Where one gate's outputs end and the next one's begin."""
    return np.cumsum(cell.sizes(gates))[:-1]


def per_gate(linear, cell, gates):
    """One matrix ``[everything that feeds a unit, units]`` per gate; heads make separate matrices."""
    kernel = np.asarray(linear.prepared().kernel)
    if isinstance(linear, BlockDiagonal):
        return [head[:, gate] for head in kernel for gate in range(len(gates))]
    return np.split(kernel.reshape(-1, kernel.shape[-1]), cuts(cell, gates), axis=-1)


def biases(cell):
    """The input bias of every gate by name."""
    return dict(zip(cell.gates, np.split(np.asarray(cell.input.bias), cuts(cell, cell.gates)), strict=True))


@functools.cache
def wide(name, **settings):
    kinds = settings_of(cell_entry(name).cls)["map"].choices
    dense = {"map": "dense"} if "dense" in kinds else {}
    # Where a gate has one number per head, enough of them for a statistic.
    defaults = dense | {"bias": True, "heads": WIDE // 4}
    return make_cell(name, WIDE, WIDE, key=jax.random.key(3), **defaults | settings)


@functools.cache
def built(case, seed=0):
    return case.build(seed)


RECTANGULAR = [
    case
    for case in VARIANTS
    if shape_of(case).map != "diagonal"
    and shape_of(case).recurrent_gates
    and shape_of(case).default_init.recurrent == "orthogonal"
]


@pytest.mark.parametrize("case", RECTANGULAR, ids=str)
def test_recurrent_kernels_are_orthogonal_gate_by_gate(case):
    cell = built(case)
    for matrix in per_gate(cell.recurrent, cell, cell.recurrent_gates):
        singular = np.linalg.svd(matrix, compute_uv=False)
        np.testing.assert_allclose(singular, 1, atol=1e-5)


def test_the_candidate_map_of_a_gru_is_orthogonal_as_well():
    kernel = Case("gru", (("reset", "before"),)).build().candidate_recurrent.kernel
    assert kernel.shape == (HIDDEN, HIDDEN)
    np.testing.assert_allclose(np.linalg.svd(kernel, compute_uv=False), 1, atol=1e-5)


def test_diagonal_kernels_stay_within_one():
    kernel = wide("lstm", map="diagonal").recurrent.kernel
    assert kernel.shape == (4 * WIDE,)
    assert 0.9 < np.abs(kernel).max() <= 1
    assert abs(np.mean(kernel)) < 0.15


@pytest.mark.parametrize("name", cell_names())
def test_glorot_bounds_are_those_of_one_gate(name):
    """The bound of the stacked kernel would be too small by about the root of the number of gates."""
    cell = wide(name, init=Init(input="glorot_uniform", recurrent="zeros"))
    kernel, sizes = np.asarray(cell.input.kernel), cell.sizes(cell.gates)
    if sum(sizes) != kernel.shape[-1]:  # some gates have no input, or several
        sizes = (WIDE,) * (kernel.shape[-1] // WIDE)
    for matrix, size in zip(np.split(kernel, np.cumsum(sizes)[:-1], axis=-1), sizes, strict=True):
        bound = np.sqrt(6 / (WIDE + size))
        assert matrix.shape == (WIDE, size)
        assert 0.97 * bound < np.abs(matrix).max() <= bound


@each_variant
def test_gates_and_maps_are_drawn_independently(case):
    cell = built(case)
    maps = ((cell.input, cell.gates), (cell.recurrent, cell.recurrent_gates))
    for linear, gates in (pair for pair in maps if pair[1]):
        if linear is cell.recurrent and cell.default_init.recurrent == "zeros":
            assert not np.asarray(linear.kernel).any()
            continue
        matrices = [m for m in per_gate(linear, cell, gates) if m.size]
        assert len({m.tobytes() for m in matrices}) == len(matrices)
        # Some gates have no product with the input itself.
        assert len(matrices) >= len(gates) or np.asarray(linear.prepared().kernel).shape[-1] < sum(cell.sizes(gates))
    assert not np.array_equal(cell.input.kernel, built(case, 1).input.kernel)
    assert np.array_equal(cell.input.kernel, case.build(0).input.kernel)


# Gates that keep the memory, where none is named forget: +1 where an open gate keeps it, -1 where it lets go.
KEEPING = {
    "gru": {"update": 1},
    "mgu": {"update": -1},
    "mut1": {"update": -1},
    "mut2": {"update": -1},
    "mut3": {"update": -1},
    "min_gru": {"update": -1},
    "rhn": {"transform": -1},
    "lem": {"memory_step": -1, "output_step": -1},
}


# Biases are drawn from keys of their own, whatever the kernels.
NO_KERNELS = {"input": "zeros", "recurrent": "zeros"}


def constant(forget_bias):
    return Init(forget_bias=forget_bias, gate_bias="constant", **NO_KERNELS)


@pytest.mark.parametrize("name", cell_names())
def test_a_forget_bias_is_at_the_gate_that_keeps_the_memory_alone(name):
    given, own = (biases(wide(name, init=init)) for init in (constant(2.5), constant(None)))
    signs = {"forget": 1} if "forget" in given else KEEPING.get(name, {})
    assert signs.keys() <= given.keys()
    for gate, bias in given.items():
        expected = signs[gate] * 2.5 if gate in signs else own[gate]
        assert (bias == expected).all(), gate


OWN_BIASES = ("rhn", "ur_lstm", "lem", "mlstm", "slstm", "sru")
"""Cells whose biases start as their authors have them, see test_authors_starts.py."""


@pytest.mark.parametrize("name", [name for name in cell_names() if name not in OWN_BIASES])
def test_without_one_forget_gates_start_at_one_and_all_others_at_zero(name):
    for gate, bias in biases(wide(name, init=Init(**NO_KERNELS))).items():
        assert (bias == (1 if gate == "forget" else 0)).all(), gate


def test_every_layer_of_a_highway_network_starts_at_its_transform_bias():
    assert (biases(wide("rhn"))["transform"] == -2).all()
    cell = wide("rhn", init=Init(forget_bias=3.0))
    assert (np.asarray(cell.deeper_bias) == np.repeat([0.0, -3.0], WIDE)).all()


@pytest.mark.parametrize("name", cell_names())
def test_chrono_biases_span_the_horizon(name):
    """b = log U[1, T - 1], with the sign by which the gate keeps the memory."""
    horizon = 100
    cell = wide(name, init=Init(chrono_horizon=horizon, **NO_KERNELS))
    blocks, own = biases(cell), biases(wide(name, init=constant(None)))
    for gate, bias in blocks.items():
        sign = cell_entry(name).cls.memory_gates.get(gate, 0)
        times = np.exp(sign * bias)
        if sign == 0:
            assert (bias == own[gate]).all(), gate
            continue
        assert times.min() >= 1 - 1e-6 and times.max() <= horizon - 1
        assert times.max() > horizon / 2 and times.std() > horizon / 10
    shared = {(sign * blocks[gate]).tobytes() for gate, sign in cell.memory_gates.items() if gate in blocks}
    assert len(shared) <= 1, "all memory gates share one time scale per unit"


@pytest.mark.parametrize("name", cell_names())
def test_uniform_biases_spread_the_gates(name):
    """sigmoid(b) uniform in (1 / n, 1 - 1 / n), with the sign by which the gate keeps the memory."""
    cell = wide(name, init=Init(gate_bias="uniform", forget_bias=2.5, **NO_KERNELS))
    parts = np.split(np.asarray(cell.input.bias), np.cumsum(cell.sizes(cell.gates))[:-1])
    blocks = dict(zip(cell.gates, parts, strict=True))
    signs, own = cell_entry(name).cls.memory_gates, biases(wide(name, init=constant(None)))
    for gate, bias in blocks.items():
        if gate not in signs:
            assert (bias == own[gate]).all(), gate
            continue
        n = len(bias)
        opened = np.sort(1 / (1 + np.exp(-signs[gate] * bias)))
        assert opened[0] >= min(1 / n, 0.5) - 1e-6 and opened[-1] <= max(1 - 1 / n, 0.5) + 1e-6
        # Kolmogorov and Smirnov: n uniform numbers leave the diagonal by more once in a thousand draws.
        assert np.abs(opened - (np.arange(n) + 0.5) / n).max() < 1.95 / np.sqrt(n), gate
    shared = {(sign * blocks[gate]).tobytes() for gate, sign in signs.items() if gate in blocks}
    assert len(shared) <= 1, "all memory gates share one draw per unit"


@pytest.mark.parametrize("name", ["lstm", "peephole_lstm", "gru"])
def test_cells_with_memory_take_chrono(name):
    gates = cell_entry(name).cls.memory_gates
    assert gates == ({"update": 1} if name == "gru" else {"forget": 1, "input": -1})


def test_forget_bias_and_scale_may_be_traced():
    """A population of cells that differ in both is built by one vmap."""

    @quick_jit
    @jax.vmap
    def build(forget_bias, scale):
        init = Init(forget_bias=forget_bias, scale=scale)
        return make_cell("lstm", FEATURES, HIDDEN, key=jax.random.key(0), init=init)

    biases, scales = jnp.array([0.0, 3.0]), jnp.array([1.0, 0.5])
    cells, one = build(biases, scales), make_cell("lstm", FEATURES, HIDDEN, key=jax.random.key(0))
    for i in range(2):
        forget = np.split(np.asarray(cells.input.bias[i]), 4)[1]
        assert (forget == biases[i]).all()
        for mine, plain in ((cells.input, one.input), (cells.recurrent, one.recurrent)):
            np.testing.assert_allclose(mine.kernel[i], scales[i] * plain.kernel, rtol=1e-6)


@pytest.mark.parametrize("kind", ["identity", "zeros", "orthogonal"])
@pytest.mark.parametrize("where", ["input", "recurrent"])
def test_kernels_by_name(kind, where):
    cell = wide("gru", init=Init(**{where: kind}))
    expected = {"identity": np.eye(WIDE), "zeros": np.zeros((WIDE, WIDE))}
    for matrix in per_gate(getattr(cell, where), cell, cell.gates):
        if kind in expected:
            np.testing.assert_array_equal(matrix, expected[kind])
        else:
            np.testing.assert_allclose(matrix.T @ matrix, np.eye(WIDE), atol=1e-5)


@pytest.mark.parametrize(("kind", "fan"), [("lecun_normal", 1), ("he_normal", 2), ("glorot_normal", 1)])
def test_normal_kernels_have_the_variance_of_one_gate(kind, fan):
    cell = wide("lstm", init=Init(input=kind))
    for matrix in per_gate(cell.input, cell, cell.gates):
        assert matrix.var() * WIDE == pytest.approx(fan, rel=0.08)


def test_an_identity_convolution_passes_its_input_through():
    cell = make_cell(
        "conv_lstm", HIDDEN, HIDDEN, key=jax.random.key(0), spatial=(5, 6),
        init=Init(input="identity", forget_bias=0.0),
    )  # fmt: skip
    x = jax.random.normal(jax.random.key(1), (2, 5, 6, HIDDEN))
    np.testing.assert_allclose(cell.project(x), np.tile(x, 4), atol=1e-6)


def test_members_do_not_share_one_batched_decomposition():
    # Two batched QR decompositions in one program can wait for each other for ever on CPUs.
    draw = jax.vmap(lambda key: KERNELS["orthogonal"](key, (6, 6)))
    keys = jax.random.split(jax.random.key(0), 3)
    program = str(jax.make_jaxpr(draw)(keys))
    assert re.findall(r":f32\[([\d,]+)\] \w+:f32\[[\d,]+\] = qr\[", program) == ["6,6"]
    alone = jnp.stack([KERNELS["orthogonal"](key, (6, 6)) for key in keys])
    np.testing.assert_array_equal(draw(keys), alone)
