"""Initial values against the formulas of the authors' published code, written out here in NumPy."""

import jax
import numpy as np
import pytest

from lstmlab.cells import Init, make_cell

INPUTS, UNITS = 48, 64


def start(name, inputs=INPUTS, units=UNITS, **settings):
    return make_cell(name, inputs, units, key=jax.random.key(5), **settings)


def block(cell, array, gate):
    ends = np.cumsum([cell.gate_size(g) for g in cell.gates])[:-1]
    return np.split(np.asarray(array), ends, axis=-1)[cell.gates.index(gate)]


def assert_normal(values, deviation):
    assert np.std(values) == pytest.approx(deviation, rel=0.08)
    assert np.abs(values).max() > 2 * deviation


def assert_uniform(values, bound):
    assert 0.9 * bound < np.abs(values).max() <= bound * (1 + 1e-6)
    assert np.std(values) == pytest.approx(bound / 3**0.5, rel=0.08)


@pytest.mark.parametrize("gate_inputs", ["qkv", "x"])
def test_mlstm(gate_inputs):
    """NX-AI/xlstm, blocks/mlstm/cell.py and components/init.py."""
    cell = start("mlstm", heads=16, gate_inputs=gate_inputs)
    forget, admit = (block(cell, cell.input.bias, gate) for gate in ("forget", "input"))
    np.testing.assert_allclose(forget, 3 + 3 * np.arange(16) / 15, rtol=1e-6)
    assert 0.05 < admit.std() < 0.2
    if gate_inputs == "qkv":
        assert cell.gate_map.kernel.shape == (3 * UNITS, 2 * 16)
        assert not np.asarray(cell.gate_map.kernel).any()
    else:
        assert not any(block(cell, cell.input.kernel, gate).any() for gate in ("input", "forget"))
    assert_normal(np.asarray(cell.input.kernel)[:, : 3 * UNITS], (2 / (5 * INPUTS)) ** 0.5)
    assert not np.asarray(cell.input.bias)[: 3 * UNITS].any()


def test_mlstm_with_one_head_takes_the_first_forget_bias():
    assert block(start("mlstm"), start("mlstm").input.bias, "forget") == 3


@pytest.mark.parametrize("heads", [1, 4])
def test_slstm(heads):
    """NX-AI/xlstm, blocks/slstm/cell.py: ``powerlaw_blockdependent`` in the first block, and ``zeros``."""
    cell = start("slstm", heads=heads)
    width = UNITS // heads
    law = [-(-5.0 + 12.0 * (unit / (width - 1)) ** 0.3) for unit in range(width)]
    np.testing.assert_allclose(block(cell, cell.input.bias, "forget"), law * heads, rtol=1e-5)
    assert not any(block(cell, cell.input.bias, gate).any() for gate in ("input", "candidate", "output"))
    assert not np.asarray(cell.recurrent.kernel).any()
    assert_normal(cell.input.kernel, (2 / (5 * INPUTS)) ** 0.5)


def test_lem():
    """tk-rusch/LEM, network.py: every parameter within one over the root of the units; two biases in each gate."""
    cell, bound = start("lem"), UNITS**-0.5
    for kernel in (cell.input.kernel, cell.recurrent.kernel, cell.memory_recurrent.kernel):
        assert_uniform(kernel, bound)
    bias = np.asarray(cell.input.bias)
    assert bound < np.abs(bias).max() <= 2 * bound
    assert bias.std() == pytest.approx((2 / 3) ** 0.5 * bound, rel=0.12)


def test_rg_lru():
    """google-deepmind/recurrentgemma, layers.py: a ring between 0.9 and 0.999, uniform in its area."""
    cell = start("rg_lru", units=4096, inputs=2)
    a = np.exp(-np.logaddexp(0, np.asarray(cell.rate, "float64")))
    quantiles = np.quantile(a**2, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(quantiles, 0.9**2 + (0.999**2 - 0.9**2) * np.linspace(0, 1, 5), atol=0.006)
    heads, width, gates, out = cell.gate_map.kernel.shape
    assert (heads, width, gates, out) == (16, 256, 2, 256)
    assert_normal(np.asarray(cell.gate_map.kernel)[0], 256**-0.5)
    assert not np.asarray(cell.input.bias).any()


@pytest.mark.parametrize(("units", "blocks"), [(64, 16), (12, 4), (5, 1)])
def test_blocks_of_an_rg_lru_divide_it(units, blocks):
    assert start("rg_lru", units=units).gate_map.kernel.shape[0] == blocks


def test_lru():
    """NicolasZucchet/minimal-LRU, model.py."""
    cell = start("lru", inputs=UNITS)
    assert cell.input.bias is None and cell.output_bias is None
    assert_normal(cell.input.kernel, (1 / (2 * UNITS)) ** 0.5)
    assert np.std(cell.output.kernel) == pytest.approx((1 / UNITS) ** 0.5, rel=0.08)
    assert cell.skip_weight.shape == (UNITS,)
    assert_normal(start("lru", inputs=2000, units=2000).skip_weight, 1)
    assert start("lru").skip_weight is None  # D must be a matrix where sizes differ


@pytest.mark.parametrize(
    ("options", "weights", "gates"),
    [({}, 1, 1), ({"layer_norm": True}, 0.1, 0.1), ({"peepholes": True}, 1, 0.5**0.5), ({"projection": 24}, 1, 1)],
    ids=str,
)
def test_sru(options, weights, gates):
    """asappresearch/sru, modules.py."""
    cell = start("sru", inputs=UNITS, **options)
    read = options.get("projection", UNITS)
    assert not np.asarray(cell.input.bias).any()
    assert_uniform(block(cell, cell.input.kernel, "candidate"), weights * (3 / read) ** 0.5)
    assert_uniform(block(cell, cell.input.kernel, "forget"), gates * (3 / read) ** 0.5)
    if "peepholes" in options:
        assert 1 < np.abs(cell.forget_peephole).max() <= 1.5**0.5
    assert cell.alpha == pytest.approx((1 + 2 * np.exp(0)) ** 0.5, abs=1e-3)


def test_mogrifier():
    """deepmind/lamb, tiled_lstm.py."""
    whole, thin = start("mogrifier_lstm"), start("mogrifier_lstm", rank=8)
    assert whole.cap_input_gate and all(not np.asarray(m.bias).any() for m in whole.mogrifiers)
    shapes = [(m.kernel.shape, m.right_kernel.shape) for m in thin.mogrifiers]
    assert shapes[:2] == [((UNITS, 8), (8, INPUTS)), ((INPUTS, 8), (8, UNITS))]


def test_exprnn():
    """Lezcano/expRNN, orthogonal.py: Kaiming's normal numbers for ReLUs."""
    assert np.std(start("exprnn").input.kernel) == pytest.approx((2 / INPUTS) ** 0.5, rel=0.08)


@pytest.mark.parametrize("name", ["mlstm", "slstm", "lem", "lru", "sru", "exprnn"])
def test_a_named_initialiser_takes_the_place_of_the_authors(name):
    cell = start(name, init=Init(input="glorot_uniform"))
    kernel = block(cell, cell.input.kernel, cell.gates[0])
    assert_uniform(kernel, (6 / (INPUTS + UNITS)) ** 0.5)
