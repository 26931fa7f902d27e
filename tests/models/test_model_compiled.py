"""Models are pytrees: traced rates, populations under vmap, every backend, chunks, bfloat16."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from model_checks import BATCH, OUTPUTS, build, close, compiled, differ, run, sequences

from lstmlab.models import Rates, SequenceModel
from lstmlab.recurrence import Backend, backends
from lstmlab.tasks import Features

TIME = 6
KEY = jax.random.key(5)
ALL = Rates._fields


def loss(model, xs, rates, key, lengths=None):
    return (model(xs, lengths=lengths, rates=rates, key=key).outputs ** 2).mean()


value_and_gradient = compiled(jax.value_and_grad(loss))


def test_rates_are_traced_and_mapped():
    """One program serves all rates, alone or as members of a population."""
    model = build("lstm", layers=2)
    xs = sequences(model, TIME)
    traces = []

    @compiled
    def alone(rates):
        traces.append(rates)
        return model(xs, rates=Rates(*rates), key=KEY).outputs

    table = jnp.asarray([[0.0] * 4, [0.1, 0.2, 0.3, 0.4], [0.5, 0.0, 0.5, 0.0]])
    each = jnp.stack([alone(row) for row in table])
    assert len(traces) == 1
    close(compiled(jax.vmap(lambda row: model(xs, rates=Rates(*row), key=KEY).outputs))(table), each)
    close(each[0], run(model, xs).outputs)
    assert differ(each[1], each[2])


def test_numbers_and_traced_rates_agree():
    model = build("gru")
    xs = sequences(model, TIME)
    numbers = model(xs, rates=Rates(input=0.2, recurrent=0.3), key=KEY).outputs
    traced = Rates(input=jnp.float32(0.2), recurrent=jnp.float32(0.3))
    close(run(model, xs, rates=traced, key=KEY).outputs, numbers)


def test_populations_of_models_are_mapped():
    models = [build("lstm", layers=2, seed=seed) for seed in range(3)]
    population = jax.tree.map(lambda *leaves: jnp.stack(leaves), *models)
    xs = sequences(models[0], TIME)
    outputs = compiled(jax.vmap(lambda m: m(xs).outputs))(population)
    for row, model in zip(outputs, models, strict=True):
        close(row, run(model, xs).outputs)


def test_models_are_made_under_vmap():
    """Seeds of a population are mapped over initialisation too."""

    def make(seed):
        return SequenceModel("lstm", Features(2), Features(OUTPUTS), hidden_size=3, key=jax.random.key(seed))

    population = compiled(jax.vmap(make))(jnp.arange(2))
    for seed in range(2):
        member = jax.tree.map(lambda leaf, seed=seed: leaf[seed], population)
        close(member, make(seed))


@pytest.mark.parametrize("block, bidirectional", [("plain", True), ("residual", False), ("up_projection", True)])
@pytest.mark.parametrize("regularised", [False, True], ids=["plain", "regularised"])
def test_backends_agree_on_outputs_and_gradients(regularised, block, bidirectional):
    shape = {"block": block, "bidirectional": bidirectional, "readout": "pooled"}
    lengths = jnp.asarray([3, TIME])
    rates = Rates(*(jnp.float32(0.3) for _ in ALL)) if regularised else Rates()
    reference = build("lstm", backend="scan", **shape)
    expected = value_and_gradient(reference, sequences(reference, TIME), rates, KEY, lengths)
    served = backends(reference.layers[0].forward)
    assert Backend.FUSED in served
    for backend in served:
        model = build("lstm", backend=str(backend), **shape)
        assert model.backend == backend
        value, gradient = value_and_gradient(model, sequences(model, TIME), rates, KEY, lengths)
        close(value, expected[0])
        close(jax.tree.leaves(gradient), jax.tree.leaves(expected[1]), 1e-4)


def test_auto_says_what_will_run():
    assert build("lstm").backend == "fused"
    assert build("gru", cell_options={"reset": "before"}).backend == "scan"
    assert build("lstm", chunk=2).backend == "scan"


def test_chunks_give_the_same_outputs_and_gradients():
    whole, chunked = build("lstm"), build("lstm", chunk=4)
    xs = sequences(whole, TIME)
    one, other = (value_and_gradient(m, xs, Rates(), None) for m in (whole, chunked))
    close(one[0], other[0])
    close(jax.tree.leaves(one[1]), jax.tree.leaves(other[1]), 1e-4)


@pytest.mark.parametrize(
    "name, settings",
    [("lstm", {"embedding_size": 5}), ("gru", {"block": "residual"}), ("conv_lstm", {})],
)
def test_bfloat16_products_stay_near_float32(name, settings):
    single, half = build(name, **settings), build(name, dtype="bfloat16", **settings)
    xs = sequences(single, TIME)
    exact, rounded = run(single, xs), run(half, xs)
    assert rounded.outputs.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(rounded.state)} == {jnp.dtype("float32")}
    assert {leaf.dtype for leaf in jax.tree.leaves(half)} == {jnp.dtype("float32")}
    error = np.abs(np.asarray(exact.outputs - rounded.outputs)).max()
    assert 0 < error < 0.05 * np.abs(exact.outputs).max()


def test_every_parameter_gets_a_gradient():
    model = build("lstm", bidirectional=True, block="residual")
    _, gradient = value_and_gradient(model, sequences(model, TIME), Rates(), None)
    for path, leaf in jax.tree.leaves_with_path(gradient):
        assert np.abs(leaf).max() > 0, path


def test_rows_of_a_batch_are_independent():
    model = build("lstm", layers=2, bidirectional=True)
    xs = sequences(model, TIME)
    swapped = run(model, xs[::-1]).outputs[::-1]
    close(swapped, run(model, xs).outputs)
    assert len(xs) == BATCH
