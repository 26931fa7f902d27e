"""What only a GPU can show: its convolution path, and both backends on its own arithmetic."""

import jax
import numpy as np
import pytest

from lstmlab.cells import make_cell
from lstmlab.cells.maps import _convolution, _window_product
from lstmlab.recurrence import unroll
from lstmlab.training.peak_memory import peak_memory

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(jax.default_backend() != "gpu", reason="no GPU here"),
]


def test_the_convolution_of_accelerators_equals_the_one_of_cpus():
    x = jax.random.normal(jax.random.key(0), (4, 9, 7, 3))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 3, 8))
    np.testing.assert_allclose(_convolution(x, kernel), _window_product(x, kernel), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "peephole_lstm", "gru"])
def test_fused_equals_scan(name, dtype):
    cell = make_cell(name, 16, 32, key=jax.random.key(0), dtype=dtype)
    xs = jax.random.normal(jax.random.key(1), (50, 8, 16))

    def gradients(backend):
        return jax.grad(lambda cell: (unroll(cell, xs, backend=backend).outputs ** 2).mean())(cell)

    tolerance = 1e-4 if dtype is None else 3e-2
    for one, other in zip(jax.tree.leaves(gradients("scan")), jax.tree.leaves(gradients("fused")), strict=True):
        assert float(abs(one - other).max() / abs(one).max()) < tolerance


def test_the_peak_of_the_device_counts_what_was_held():
    before = peak_memory()["device"]
    assert before is not None
    held = jax.block_until_ready(jax.numpy.ones((before >> 2) + (1 << 24), "float32"))
    del held
    assert (peak_memory()["device"] or 0) >= before + (1 << 26)
