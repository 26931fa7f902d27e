"""Weights from and to Flax cells, Linen and NNX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx
from interop_checks import (
    FEATURES,
    HIDDEN,
    OUTPUTS,
    assert_close,
    assert_same_bits,
    blank,
    compiled,
    randomised,
    run,
    sequences,
    top_outputs,
)

from lstmlab.interop import cell_from_flax, cell_to_flax, from_flax, to_flax
from lstmlab.tasks import Tokens

LINEN = {
    "SimpleCell": ("rnn", {}, linen.SimpleCell, {}),
    "SimpleCell_relu": (
        "rnn",
        {"activation": "relu"},
        linen.SimpleCell,
        {"activation_fn": jax.nn.relu},
    ),
    "LSTMCell": ("lstm", {}, linen.LSTMCell, {}),
    "OptimizedLSTMCell": ("lstm", {}, linen.OptimizedLSTMCell, {}),
    "GRUCell": ("gru", {}, linen.GRUCell, {}),
}
NNX = {
    "SimpleCell": ("rnn", nnx.SimpleCell, "nnx"),
    "LSTMCell": ("lstm", nnx.LSTMCell, "nnx"),
    "OptimizedLSTMCell": ("lstm", nnx.OptimizedLSTMCell, "nnx_optimized"),
    "GRUCell": ("gru", nnx.GRUCell, "nnx"),
}


def numpy_tree(tree):
    return jax.tree.map(np.array, tree)


@pytest.mark.parametrize("kind", LINEN)
def test_linen_cells_both_ways(kind):
    name, options, cls, settings = LINEN[kind]
    layer, inputs = linen.RNN(cls(HIDDEN, **settings)), sequences()
    variables = randomised(compiled(layer.init)(jax.random.key(0), inputs))
    start = blank(name, **options)
    imported, apply = from_flax(start, [variables["params"]["cell"]]), compiled(layer.apply)
    assert_close(top_outputs(imported, inputs), apply(variables, inputs))

    params = {"params": {"cell": to_flax(start, "linen").layers[0]}}
    assert jax.tree.structure(params) == jax.tree.structure(variables)
    assert_close(top_outputs(start, inputs), apply(params, inputs))


@pytest.mark.parametrize("kind", NNX)
def test_nnx_cells_both_ways(kind):
    name, cls, layout = NNX[kind]
    layer, inputs = nnx.RNN(cls(FEATURES, HIDDEN, rngs=nnx.Rngs(0))), sequences()
    state = randomised(nnx.state(layer.cell, nnx.Param))
    nnx.update(layer.cell, state)
    start = blank(name)
    for params in (state, nnx.to_pure_dict(state)):
        imported = from_flax(start, [params])
        assert_close(top_outputs(imported, inputs), layer(inputs))

    (start_cell,) = [without_inner_bias(layer.forward) for layer in start.layers]
    start = from_flax(start, [cell_to_flax(start_cell, layout)])
    exported = to_flax(start, layout).layers[0]
    nnx.replace_by_pure_dict(state, exported)
    nnx.update(layer.cell, state)
    assert_close(top_outputs(start, inputs), layer(inputs))


def without_inner_bias(cell):
    """The NNX GRU has no bias inside the reset gate."""
    cell = jax.tree.map(lambda leaf: leaf, cell)
    if getattr(cell, "candidate_bias", None) is not None:
        cell.candidate_bias = jax.tree.map(jnp.zeros_like, cell.candidate_bias)
    return cell


@pytest.mark.parametrize("spatial", [(9,), (6, 5)], ids=["1d", "2d"])
@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no_bias"])
def test_linen_conv_lstm_both_ways(use_bias, spatial):
    """Its other gate order and the 1 that it adds to the forget gate are translated."""
    layer = linen.RNN(linen.ConvLSTMCell(HIDDEN, (3,) * len(spatial), use_bias=use_bias))
    inputs = sequences(*spatial)
    variables = randomised(compiled(layer.init)(jax.random.key(0), inputs))
    start = blank("conv_lstm", spatial=spatial, peepholes=False)
    imported, apply = from_flax(start, [variables["params"]["cell"]]), compiled(layer.apply)
    assert_close(top_outputs(imported, inputs), apply(variables, inputs))
    if use_bias:
        params = {"params": {"cell": to_flax(start).layers[0]}}
        assert_close(top_outputs(start, inputs), apply(params, inputs))


def test_stacked_both_directions_with_encoder_and_head():
    """A whole Flax model: embedding, two bidirectional layers, dense head."""

    class Theirs(linen.Module):
        @linen.compact
        def __call__(self, tokens):
            x = linen.Embed(11, FEATURES, name="embed")(tokens)
            for index in range(2):
                both = [
                    linen.RNN(
                        linen.GRUCell(HIDDEN, name=f"{direction}{index}"),
                        reverse=direction == "backward",
                        keep_order=True,
                    )(x)
                    for direction in ("forward", "backward")
                ]
                x = jnp.concatenate(both, axis=-1)
            return linen.Dense(OUTPUTS, name="dense")(x)

    tokens = np.random.default_rng(0).integers(0, 11, (4, 7))
    params = randomised(compiled(Theirs().init)(jax.random.key(0), tokens))["params"]
    pairs = [(params[f"forward{i}"], params[f"backward{i}"]) for i in range(2)]
    shape = {
        "inputs": Tokens(11),
        "embedding_size": FEATURES,
        "layers": 2,
        "bidirectional": True,
    }
    model = from_flax(blank("gru", **shape), pairs, head=params["dense"], encoder=params["embed"])
    assert_close(run(model, tokens).outputs, compiled(Theirs().apply)({"params": params}, tokens))

    parts = to_flax(model)
    exported = {
        f"{direction}{i}": layer
        for i, pair in enumerate(parts.layers)
        for direction, layer in zip(("forward", "backward"), pair, strict=True)
    }
    exported |= {"dense": parts.head, "embed": parts.encoder}
    assert_same_bits(numpy_tree(exported), numpy_tree(params))


@pytest.mark.parametrize(
    "name, layout",
    [
        ("rnn", "linen"),
        ("rnn", "nnx"),
        ("lstm", "linen"),
        ("lstm", "nnx"),
        ("lstm", "nnx_optimized"),
        ("gru", "linen"),
        ("gru", "nnx"),
    ],
)
def test_round_trips_are_exact(name, layout):
    cell = blank(name, seed=1).layers[0].forward
    if (name, layout) == ("gru", "nnx"):
        cell = without_inner_bias(cell)
    params = cell_to_flax(cell, layout)
    loaded = cell_from_flax(blank(name, seed=2).layers[0].forward, params)
    assert_same_bits(loaded, cell)
    assert_same_bits(cell_to_flax(loaded, layout), params)


def test_input_map_is_an_encoder():
    mapped = blank("rnn", embedding_size=4)
    parts = to_flax(mapped)
    other = blank("rnn", embedding_size=4, seed=5)
    loaded = from_flax(other, parts.layers, head=parts.head, encoder=parts.encoder)
    assert_same_bits(loaded, mapped)
