"""The up-projection block: its formula written by hand, and every cell, direction and choice inside it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from model_checks import BATCH, FEATURES, OUTPUTS, ZEROS, build, call, close, compiled, differ, run, sequences

from lstmlab.cells import HState, cell_names, register_cell
from lstmlab.cells.registry import CELLS
from lstmlab.cells.zoo.rnn import RNN
from lstmlab.config.schema import ModelConfig
from lstmlab.models import Rates
from lstmlab.models.blocks import BLOCKS
from lstmlab.recurrence import unroll
from lstmlab.tasks import Features, Tokens

# A norm over a stream of two features would give their order alone.
TIME, HIDDEN, STREAM = 4, 8, 4


def up(cell="lstm", **settings):
    return build(cell, block="up_projection", **{"hidden_size": HIDDEN} | settings)


@pytest.fixture
def narrow(monkeypatch):
    """A cell that shows less than its hidden size, as an LSTM with a recurrent projection does."""
    monkeypatch.setattr(CELLS, "entries", dict(CELLS.entries))

    @register_cell("narrow", title="shows three features", paper="none")
    class Narrow(RNN):
        def gate_size(self, gate):
            return 3

        output_size = 3

        def initial_state(self, *batch):
            return HState(jnp.zeros((*batch, 3)))

    return "narrow"


def by_hand(model, xs):
    """``y = x + W_down (cell(W_up norm(x)) * swish(W_gate norm(x)))`` in each layer, then norm and head."""
    kernel = lambda map: jnp.asarray(map.kernel)  # noqa: E731

    def norm(it, x):
        centred = x - x.mean(-1, keepdims=True)
        return it.scale[...] * centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) + it.bias[...]

    hs = jnp.swapaxes(xs, 0, 1) @ kernel(model.input_map) + model.input_map.bias[...]
    assert hs.shape[-1] == STREAM
    for layer in model.layers:
        normed = norm(layer.block.norm, hs)
        read = normed @ kernel(layer.block.up)
        directions = [unroll(layer.forward, read).outputs]
        if layer.backward is not None:
            directions.append(unroll(layer.backward, read[::-1]).outputs[::-1])
        gate = normed @ kernel(layer.block.gate)
        gated = jnp.concatenate(directions, axis=-1) * gate / (1 + jnp.exp(-gate))
        hs = hs + gated @ kernel(layer.block.down)
    outputs = norm(model.final_norm, hs) @ kernel(model.head) + model.head.bias[...]
    return jnp.swapaxes(outputs, 0, 1)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("cell", ["lstm", "min_gru", "narrow"])
def test_equals_the_formula(cell, bidirectional, narrow):
    model = up(cell, layers=2, bidirectional=bidirectional)
    xs = sequences(model, TIME)
    close(run(model, xs).outputs, by_hand(model, xs), 1e-4)


def test_convolutional_cells_are_projected_place_by_place():
    """The maps of the block see one place at a time, so with a window of one the whole model does."""
    grid = (3, 2)
    model = up("lstm", cell_options={"map": "conv", "kernel_size": 1}, layers=2)
    assert model.inputs.spatial == grid
    xs = sequences(model, TIME)
    outputs = run(model, xs).outputs
    assert outputs.shape == (BATCH, TIME, *grid, OUTPUTS)
    alone = up("lstm", layers=2)
    kernels = jax.tree.leaves(model)
    leaves = [k.reshape(a.shape) for k, a in zip(kernels, jax.tree.leaves(alone), strict=True)]
    alone = jax.tree.unflatten(jax.tree.structure(alone), leaves)
    close(outputs[:, :, 2, 1], run(alone, xs[:, :, 2, 1]).outputs)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("name", cell_names())
def test_every_cell_gives_the_declared_shapes(name, bidirectional):
    model = jax.eval_shape(lambda: up(name, randomise=False, layers=2, bidirectional=bidirectional, init=ZEROS))
    xs = sequences(model, TIME)
    result = jax.eval_shape(call, model, xs)
    spatial = model.inputs.spatial
    assert result.outputs.shape == (BATCH, TIME, *spatial, OUTPUTS)
    assert model.head.kernel.shape[0] == STREAM
    for layer in model.layers:
        assert (layer.forward.input_size, layer.forward.hidden_size) == (HIDDEN, HIDDEN)
    expected = jax.eval_shape(lambda: model.initial_state(BATCH))
    assert jax.tree.map(jnp.shape, result.state) == jax.tree.map(jnp.shape, expected)


def test_tokens_are_embedded_at_the_width_of_the_stream():
    model = up(inputs=Tokens(7))
    assert model.embedding.shape == (7, STREAM)
    assert run(model, jnp.asarray([[0, 6, 3], [1, 1, 2]])).outputs.shape == (2, 3, OUTPUTS)


@pytest.mark.parametrize("settings", [{}, {"bidirectional": True, "readout": "pooled"}], ids=["forward", "both"])
def test_every_parameter_has_the_gradient_of_its_differences(settings):
    model = up("lstm", **settings)
    xs = sequences(model, TIME)

    def value(model):
        return jnp.sum(jnp.sin(call(model, xs).outputs))

    loss, gradient = compiled(value), compiled(jax.grad(value))(model)
    draw = np.random.default_rng(0)
    leaves, structure = jax.tree.flatten(model)
    for k, (path, slope) in enumerate(jax.tree.leaves_with_path(gradient)):
        direction = jnp.asarray(draw.normal(size=slope.shape), jnp.float32)

        def at(step, k=k, direction=direction):
            moved = [a + step * direction if i == k else a for i, a in enumerate(leaves)]
            return float(loss(jax.tree.unflatten(structure, moved)))

        step, size = 3e-3, float(jnp.linalg.norm(slope) * jnp.linalg.norm(direction))
        assert size > 1e-2, path
        # Float32 and a central difference: good to about a thousandth of the largest slope possible.
        assert abs((at(step) - at(-step)) / (2 * step) - float(jnp.vdot(slope, direction))) < 5e-3 * max(size, 1), path


def test_without_what_the_cell_shows_the_layer_passes_its_input_on():
    model = up("lstm")
    xs = jnp.asarray(np.random.default_rng(0).normal(size=(TIME, BATCH, STREAM)), jnp.float32)
    block = model.layers[0].block
    close(block(xs, lambda read: jnp.zeros((*read.shape[:-1], HIDDEN))), xs)


@pytest.mark.parametrize("kind", Rates._fields)
def test_every_kind_of_dropout_acts(kind):
    model = up("lstm", layers=2)
    xs, rates = sequences(model, TIME), Rates(**{kind: jnp.float32(0.5)})
    assert differ(run(model, xs, rates=rates, key=jax.random.key(0)).outputs, run(model, xs).outputs)


def test_its_products_run_in_the_compute_dtype():
    single, half = up("lstm"), up("lstm", dtype="bfloat16")
    program = str(jax.make_jaxpr(lambda x: half.layers[0].block(x, lambda read: read))(jnp.zeros((1, 1, STREAM))))
    assert program.count("bf16[") > program.count("bf16[0]")
    xs = sequences(single, TIME)
    exact, rounded = run(single, xs), run(half, xs)
    assert rounded.outputs.dtype == jnp.float32
    assert 0 < np.abs(exact.outputs - rounded.outputs).max() < 0.05 * np.abs(exact.outputs).max()


@pytest.mark.parametrize("hidden", [1, 5])
def test_an_odd_hidden_size_is_refused(hidden):
    with pytest.raises(ValueError, match=f"model.hidden_size is {hidden}, but must be even.*up_projection"):
        up("lstm", hidden_size=hidden)


def test_the_last_step_of_merged_directions_has_no_meaning():
    with pytest.raises(ValueError, match=r"model\.readout=last.*model\.block=up_projection"):
        up("lstm", bidirectional=True, readout="last")


def test_the_configuration_knows_every_block():
    assert ModelConfig.__dataclass_fields__["block"].metadata["choices"] == ("auto", *BLOCKS)


def test_features_are_brought_to_the_width_of_the_stream():
    model = up("gru", inputs=Features(FEATURES))
    assert model.input_map.kernel.shape == (FEATURES, STREAM)
