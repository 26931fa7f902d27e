"""Backend `cudnn`: what it hands to cuDNN, in whose place is JAX's own reference of its LSTM; and what it refuses."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import BATCH, RAGGED, SOMETIMES, Case, assert_close, inner, problem, quick_jit, shape_of
from jax.experimental import rnn
from refusals import refused

from lstmlab.cells import make_cell
from lstmlab.cells.regularise import recurrent_dropout
from lstmlab.cells.regularise_steps import Zoneout
from lstmlab.recurrence import Backend, cudnn, gpu_backends, resolve_backend, unroll

LSTM = Case("lstm")


def reference(x, h, c, weights, lengths, features, hidden, layers, dropout, bidirectional):
    parts = rnn.unpack_lstm_weights(weights, features, hidden, layers, bidirectional)
    return rnn.lstm_ref(x, h, c, *parts, lengths, features, hidden, layers, dropout, bidirectional)


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    monkeypatch.setattr(cudnn, "_has_cuda", lambda: True)
    monkeypatch.setattr(rnn, "lstm", reference)


@functools.partial(quick_jit, static_argnames=("backend", "reverse"))
def results(p, lengths, backend, reverse):
    def weighted(cell, xs, state):
        ran = unroll(cell, xs, state, lengths=lengths, backend=backend, reverse=reverse)
        return inner(p.weights, (ran.outputs, ran.state)), (ran.outputs, ran.state)

    return jax.grad(weighted, argnums=(0, 1, 2), has_aux=True)(p.cell, p.xs, p.state)


@pytest.mark.parametrize("reverse", [False, True])
def test_hands_over_what_the_cell_computes(as_on_a_gpu, reverse):
    p = problem(LSTM)
    assert_close(results(p, jnp.asarray(RAGGED), "cudnn", reverse), results(p, jnp.asarray(RAGGED), "scan", reverse))


def test_serves_the_plain_lstm_alone(as_on_a_gpu):
    assert Backend.CUDNN in gpu_backends(shape_of(LSTM))
    for other in (
        Case("peephole_lstm"),
        Case("nfg_lstm"),
        Case("gru"),
        Case("lem"),
        Case("lstm", (("map", "diagonal"),)),
    ):
        refused(lambda other=other: resolve_backend(shape_of(other), "cudnn"), "'cudnn'", "cell lstm", "scan")
    for options in ({"activation": "relu"}, {"gate_activation": "hard_sigmoid"}, {"dtype": "bfloat16"}):
        refused(lambda options=options: resolve_backend(LSTM.build(**options), "cudnn"), "'cudnn'", "options")


def test_refuses_what_happens_at_every_step(as_on_a_gpu):
    cell = LSTM.build()
    refused(lambda: resolve_backend(Zoneout(cell), "cudnn"), "'cudnn'", "zoneout")
    dropped = recurrent_dropout(cell, 0.5, jax.random.key(0), BATCH)
    refused(lambda: resolve_backend(dropped, "cudnn"), "'cudnn'", "regularisers")


@pytest.mark.parametrize("masks", [{"resets": SOMETIMES}, {"mask": ~SOMETIMES}], ids=["resets", "mask"])
def test_refuses_other_masks_than_lengths(as_on_a_gpu, masks):
    refused(lambda: unroll(*problem(LSTM)[:3], backend="cudnn", **masks), "'cudnn'", "lengths")


def test_refuses_many_models_at_once(as_on_a_gpu):
    cells = jax.vmap(lambda key: make_cell("lstm", 3, 4, key=key))(jax.random.split(jax.random.key(0), 2))
    xs = np.zeros((5, 2, 3), "float32")

    def loss(cell):
        return unroll(cell, xs, backend="cudnn").outputs.sum()

    refused(lambda: jax.jit(jax.vmap(jax.grad(loss)))(cells), "'cudnn'", "2 models at once")


@pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is one")
def test_says_that_there_is_no_gpu():
    refused(lambda: resolve_backend(shape_of(LSTM), "cudnn"), "'cudnn'", "NVIDIA GPU", "no such GPU")
