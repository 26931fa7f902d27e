"""The backends with kernels for GPUs, compiled, against the reference."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import RAGGED, SOMETIMES, Case, assert_close, forms, masked, problem

from lstmlab.cells import make_cell
from lstmlab.recurrence import unroll

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(jax.default_backend() != "gpu", reason="no GPU here"),
]
NAMES = (
    "lstm", "gru", "peephole_lstm", "layer_norm_lstm", "clockwork_rnn", "phased_lstm", "indrnn", "exprnn", "ur_lstm",
)  # fmt: skip
CASES = [*(next(forms(name)) for name in NAMES), Case("gru", (("map", "diagonal"),))]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pallas_equals_the_reference(case):
    p = problem(case)
    assert_close(masked(p, RAGGED, SOMETIMES, backend="pallas"), masked(p, RAGGED, SOMETIMES, backend="scan"), 1e-4)


@functools.partial(jax.jit, static_argnames=("backend", "reverse"))
def results(cell, xs, lengths, backend, reverse=False):
    def loss(cell, xs):
        ran = unroll(cell, xs, lengths=lengths, backend=backend, reverse=reverse)
        return (ran.outputs**2).sum() + sum(s.sum() for s in ran.state), ran[:2]

    return jax.grad(loss, argnums=(0, 1), has_aux=True)(cell, xs)


def sequences(time, batch, features):
    rng = np.random.default_rng(0)
    lengths = jnp.asarray(rng.integers(0, time + 1, batch), "int32").at[0].set(time).at[1].set(0)
    return jnp.asarray(rng.normal(size=(time, batch, features)), "float32"), lengths


@pytest.mark.parametrize("backend", ["pallas", "cudnn"])
@pytest.mark.parametrize(("hidden", "batch", "reverse"), [(100, 33, True), (128, 64, False)])
def test_lstms_of_all_sizes(backend, hidden, batch, reverse):
    cell, (xs, lengths) = make_cell("lstm", 16, hidden, key=jax.random.key(0)), sequences(50, batch, 16)
    assert_close(results(cell, xs, lengths, backend, reverse), results(cell, xs, lengths, "scan", reverse), 1e-4)


def test_products_in_bfloat16():
    cell, (xs, lengths) = make_cell("gru", 16, 64, key=jax.random.key(0), dtype="bfloat16"), sequences(50, 16, 16)
    assert_close(results(cell, xs, lengths, "pallas"), results(cell, xs, lengths, "fused"), 3e-2)


def test_many_models_at_once():
    cells = jax.vmap(lambda key: make_cell("lstm", 16, 32, key=key))(jax.random.split(jax.random.key(0), 5))
    xs, lengths = sequences(20, 24, 16)
    kernels, reference = (jax.vmap(lambda c, b=b: results(c, xs, lengths, b))(cells) for b in ("pallas", "scan"))
    assert_close(kernels, reference, 1e-4)
