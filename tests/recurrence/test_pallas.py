"""The kernels of backend `pallas`, interpreted here: every cell that they serve, against the reference."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FORMS, RAGGED, SOMETIMES, Case, assert_close, masked, problem, quick_jit, shape_of
from refusals import refused

from lstmlab.cells import Cell, make_cell
from lstmlab.cells.regularise import recurrent_dropout
from lstmlab.cells.regularise_steps import Zoneout, zoneout_masks
from lstmlab.cells.state import HState
from lstmlab.recurrence import Backend, gpu_backends, resolve_backend, unroll
from lstmlab.recurrence.pallas import backend as pallas_backend
from lstmlab.recurrence.pallas.product import serves

SERVED = [
    case
    for case in FORMS
    if shape_of(case).form == "pointwise" and serves(shape_of(case).recurrent) and case.name != "on_lstm"
]
WITH_OTHER_MAPS = [
    Case("lstm", (("map", "diagonal"),)), Case("gru", (("map", "diagonal"),)), Case("slstm", (("map", "dense"),)),
]  # fmt: skip
EACH_TIME = ("lstm", "gru", "indrnn", "layer_norm_lstm", "clockwork_rnn")
"""Both kinds of maps, reductions over features, constants, a state that is no vector of hidden units."""
SOME = [Case("lstm"), Case("gru"), Case("layer_norm_lstm")]


@pytest.mark.parametrize(
    "case",
    [
        case if case.name in EACH_TIME else pytest.param(case, marks=pytest.mark.slow)
        for case in [*SERVED, *WITH_OTHER_MAPS]
    ],
    ids=str,
)
def test_equals_the_reference_with_lengths_and_resets(case):
    p = problem(case)
    assert_close(masked(p, RAGGED, SOMETIMES, backend="pallas"), masked(p, RAGGED, SOMETIMES, backend="scan"))


@pytest.mark.parametrize("case", SOME, ids=str)
def test_runs_backwards(case):
    kernels, reference = (masked(problem(case), RAGGED, SOMETIMES, backend=b, reverse=True) for b in ("pallas", "scan"))
    assert_close(kernels, reference)


def test_serves_most_cells_of_the_form():
    pointwise = [case for case in FORMS if shape_of(case).form == "pointwise"]
    served = {case for case in pointwise if Backend.PALLAS in gpu_backends(shape_of(case))}
    assert served == set(SERVED)
    assert {case.name for case in pointwise} - {case.name for case in served} == {"conv_lstm", "on_lstm", "slstm"}


@functools.partial(quick_jit, static_argnames="backend")
def gradients(cell, xs, backend):
    def loss(cell, xs):
        ran = unroll(cell, xs, backend=backend)
        return (ran.outputs**2).sum() + sum(s.sum() for s in ran.state)

    return jax.grad(loss, argnums=(0, 1))(cell, xs)


@jax.custom_vjp
def bent(a):
    return jnp.sin(a)


bent.defvjp(lambda a: (jnp.sin(a), a), lambda a, d: (2 * d * jnp.cos(a),))


class OfOnesOwn(Cell):
    """Slices, a derivative of its own, a mean over units, a piece of another size."""

    gates = ("forget", "candidate")

    def update(self, state, z, r):
        a = z + r
        f, candidate = jax.nn.sigmoid(a[:, : self.hidden_size]), bent(a[:, self.hidden_size :])
        mixed = jnp.concatenate([candidate[:, 2:], state.h[:, :2]], axis=-1)
        h = f * state.h + (1 - f) * mixed * jax.nn.softplus(candidate).mean(-1, keepdims=True)
        return HState(h), {"forget": f}


def test_an_update_of_ones_own():
    xs = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3, 3)), "float32")
    cell = OfOnesOwn(3, 7, key=jax.random.key(0))
    assert_close(gradients(cell, xs, "pallas"), gradients(cell, xs, "scan"))


@pytest.mark.parametrize(("hidden", "batch"), [(16, 16), (24, 33), (160, 2)], ids=["fits", "padded", "two blocks"])
def test_sizes_of_any_kind(hidden, batch):
    cell = make_cell("gru", 3, hidden, key=jax.random.key(0))
    xs = jnp.asarray(np.random.default_rng(0).normal(size=(4, batch, 3)), "float32")
    assert_close(gradients(cell, xs, "pallas"), gradients(cell, xs, "scan"))


def test_many_models_at_once():
    cells = jax.vmap(lambda key: make_cell("lstm", 3, 4, key=key))(jax.random.split(jax.random.key(0), 3))
    xs = jnp.asarray(np.random.default_rng(0).normal(size=(5, 2, 3)), "float32")
    kernels, reference = (jax.vmap(lambda cell, b=b: gradients(cell, xs, b))(cells) for b in ("pallas", "scan"))
    assert_close(kernels, reference)


def test_products_in_bfloat16():
    cell = make_cell("lstm", 3, 16, key=jax.random.key(0), dtype="bfloat16")
    xs = jnp.asarray(np.random.default_rng(0).normal(size=(5, 2, 3)), "float32")
    assert_close(gradients(cell, xs, "pallas"), gradients(cell, xs, "fused"), 2e-2)


def test_with_dropout_of_the_state_and_zoneout():
    cell = make_cell("lstm", 3, 4, key=jax.random.key(0))
    keys = jax.random.split(jax.random.key(1))
    xs = jnp.asarray(np.random.default_rng(0).normal(size=(5, 2, 3)), "float32")
    dropped = Zoneout(recurrent_dropout(cell, 0.5, keys[0], 2))
    inputs = (xs, zoneout_masks(cell, 0.3, keys[1], 5, 2))
    assert_close(gradients(dropped, inputs, "pallas")[0], gradients(dropped, inputs, "scan")[0])


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (Case("on_lstm"), ["'cumsum'"]),
        (Case("slstm"), ["BlockDiagonal"]),
        (Case("conv_lstm", (), (4,)), ["Conv"]),
        (Case("lem"), []),
    ],
    ids=str,
)
def test_what_kernels_cannot_do_is_refused(case, words):
    refused(lambda: resolve_backend(shape_of(case), "pallas"), "'pallas'", "scan", *words)


def test_a_cell_that_is_too_large_is_refused():
    cell = jax.eval_shape(lambda: make_cell("lstm", 3, 512, key=jax.random.key(0)))
    refused(lambda: resolve_backend(cell, "pallas"), "'pallas'", "64 blocks", "256 units")


def test_a_cell_of_one_unit_is_refused():
    """Products of GPUs' tensor cores have no sides of length one."""
    refused(lambda: resolve_backend(make_cell("rnn", 3, 1, key=jax.random.key(0)), "pallas"), "'pallas'", "single unit")


@pytest.mark.skipif(
    jax.__version_info__ > (0, 10, 2),
    reason="later releases compile here, for which they need a GPU",
)
@pytest.mark.parametrize("case", SOME, ids=str)
def test_kernels_can_be_translated_for_gpus(case, monkeypatch):
    """Triton has rules for everything in them, and all sizes please it; a GPU has yet to compile what comes out."""
    monkeypatch.setattr(pallas_backend, "interpreted", lambda: False)
    p = problem(case)
    lowered = gradients.trace(p.cell, p.xs, "pallas").lower(lowering_platforms=("cuda",))
    assert lowered.as_text().count("gpu.triton") >= 2
