"""How a sequence model is put together: layers, directions, blocks, encoder, readout, head."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import representative
from model_checks import (
    BATCH,
    FEATURES,
    HIDDEN,
    OUTPUTS,
    SPATIAL,
    ZEROS,
    bare,
    build,
    call,
    close,
    compiled,
    run,
    sequences,
)

from lstmlab.cells import cell_names
from lstmlab.models.blocks import BLOCKS
from lstmlab.recurrence import unroll
from lstmlab.tasks import Features, Tokens

TIME = 4


def time_major(inputs):
    return jnp.swapaxes(inputs, 0, 1)


def dense(map, x):
    return x @ map.kernel[...] + map.bias[...]


def layer_norm(norm, x):
    centred = x - x.mean(-1, keepdims=True)
    return norm.scale[...] * centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) + (norm.bias[...])


# Readouts see nothing of a cell but its outputs: all of them are asked of one cell of every form each time.
@pytest.mark.parametrize(
    ("name", "readout"),
    [
        pytest.param(name, readout, marks=() if readout == "steps" or representative(name) else pytest.mark.slow)
        for name in cell_names()
        for readout in ("steps", "last", "pooled")
    ],
)
def test_every_cell_gives_the_declared_shapes(name, readout):
    # Shapes need no numbers.
    model = jax.eval_shape(
        lambda: build(name, layers=2, bidirectional=True, readout=readout, randomise=False, init=ZEROS)
    )
    spatial = model.inputs.spatial
    result = jax.eval_shape(call, model, sequences(model, TIME))
    time = (TIME,) if readout == "steps" else ()
    assert result.outputs.shape == (BATCH, *time, *spatial, OUTPUTS)
    assert result.outputs.dtype == jnp.float32
    assert len(result.state) == 2
    for states, layer in zip(result.state, model.layers, strict=True):
        assert len(states) == 2
        for state in states:
            assert state.h.shape == (BATCH, *spatial, layer.forward.output_size)
    expected = jax.eval_shape(lambda model: model.initial_state(BATCH), model)
    assert jax.tree.structure(result.state) == jax.tree.structure(expected)


def test_stacked_layers_feed_each_other():
    model = build("lstm", layers=3)
    xs = sequences(model, TIME)
    hs = time_major(xs)
    for layer in model.layers:
        hs = unroll(layer.forward, hs).outputs
    close(run(model, xs).outputs, time_major(dense(model.head, hs)))


def test_both_directions_are_concatenated():
    model = build("gru", layers=2, bidirectional=True)
    xs = sequences(model, TIME)
    hs = time_major(xs)
    for layer in model.layers:
        forward = unroll(layer.forward, hs).outputs
        backward = unroll(layer.backward, hs[::-1]).outputs[::-1]
        hs = jnp.concatenate([forward, backward], axis=-1)
    close(run(model, xs).outputs, time_major(dense(model.head, hs)))


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_residual_blocks_add_the_normalised_cell(bidirectional):
    model = build("lstm", layers=2, block="residual", bidirectional=bidirectional)
    xs = sequences(model, TIME)
    hs = dense(model.input_map, time_major(xs))
    for layer in model.layers:
        normed = layer_norm(layer.block.norm, hs)
        ys = unroll(layer.forward, normed).outputs
        if bidirectional:
            backward = unroll(layer.backward, normed[::-1]).outputs[::-1]
            ys = jnp.concatenate([ys, backward], axis=-1) @ layer.block.merge.kernel[...]
        hs = hs + ys
    expected = dense(model.head, layer_norm(model.final_norm, hs))
    close(run(model, xs).outputs, time_major(expected), 1e-4)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_readouts_read_the_top_layer(bidirectional):
    top = {
        readout: run(
            bare(build(readout=readout, layers=2, bidirectional=bidirectional)),
            sequences(build(), TIME),
        )
        for readout in ("steps", "last", "pooled")
    }
    steps = top["steps"].outputs
    close(top["pooled"].outputs, steps.mean(axis=1))
    last = [steps[:, -1, :HIDDEN], steps[:, 0, HIDDEN:]]
    close(top["last"].outputs, jnp.concatenate(last, axis=-1))
    # "last" is the final state: of the backward direction, after it has read the first step.
    final = [state.h for state in top["last"].state[-1]]
    close(top["last"].outputs, jnp.concatenate(final, axis=-1))


@pytest.mark.parametrize("readout", ["steps", "last", "pooled"])
def test_layers_are_as_wide_as_what_the_cells_below_show(readout):
    """A projection makes outputs narrower than the memory: layers, readout and head follow the outputs."""
    size = 3
    options = {"cell_options": {"projection_size": size}}
    model = build("lstmp", layers=2, bidirectional=True, readout=readout, **options)
    xs = sequences(model, TIME)
    assert model.layers[1].forward.input_size == model.head.kernel.shape[0] == 2 * size
    hs = time_major(xs)
    for layer in model.layers:
        forward = unroll(layer.forward, hs)
        backward = unroll(layer.backward, hs, reverse=True)
        hs = jnp.concatenate([forward.outputs, backward.outputs], axis=-1)
    read = {
        "steps": lambda: time_major(hs),
        "last": lambda: jnp.concatenate([forward.state.h, backward.state.h], axis=-1),
        "pooled": lambda: hs.mean(axis=0),
    }
    result = run(model, xs)
    close(result.outputs, dense(model.head, read[readout]()))
    for state in result.state[1]:
        assert state.h.shape == (BATCH, size) and state.c.shape == (BATCH, HIDDEN)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_residual_blocks_bring_narrow_outputs_back_to_their_width(bidirectional):
    model = build("lstmp", layers=2, block="residual", bidirectional=bidirectional)
    xs = sequences(model, TIME)
    hs = dense(model.input_map, time_major(xs))
    for layer in model.layers:
        normed = layer_norm(layer.block.norm, hs)
        directions = [unroll(layer.forward, normed).outputs]
        if bidirectional:
            directions.append(unroll(layer.backward, normed, reverse=True).outputs)
        assert {outputs.shape[-1] for outputs in directions} == {HIDDEN // 2}
        ys = jnp.concatenate(directions, axis=-1)
        # Two narrow directions are as wide as the stream already.
        assert (layer.block.merge is None) == bidirectional
        hs = hs + (ys if bidirectional else ys @ layer.block.merge.kernel[...])
    close(run(model, xs).outputs, time_major(dense(model.head, layer_norm(model.final_norm, hs))), 1e-4)


@pytest.mark.parametrize("block", BLOCKS)
def test_tokens_are_embedded(block):
    model = build(inputs=Tokens(7), block=block, embedding_size=HIDDEN)
    tokens = jnp.asarray([[0, 6, 3], [1, 1, 2]])
    table = np.asarray(model.embedding)
    assert table.shape == (7, HIDDEN // BLOCKS[block].expansion)
    vectors = build(inputs=Features(HIDDEN), block="plain")
    if block == "plain":
        vectors.layers, vectors.head = model.layers, model.head
        close(run(model, tokens).outputs, run(vectors, jnp.asarray(table[tokens])).outputs)
    assert run(model, tokens).outputs.shape == (2, 3, OUTPUTS)


def test_embedding_size_defaults_and_input_map():
    assert build(inputs=Tokens(7)).embedding.shape == (7, HIDDEN)
    assert build(inputs=Tokens(7), embedding_size=5).layers[0].forward.input_size == 5
    assert build().input_map is None
    mapped, plain = build(embedding_size=5), build(inputs=Features(5))
    xs = sequences(mapped, TIME)
    plain.layers, plain.head = mapped.layers, mapped.head
    close(run(mapped, xs).outputs, run(plain, dense(mapped.input_map, xs)).outputs)


def test_dense_cells_flatten_and_restore_spatial_axes():
    pixels = SPATIAL[0] * SPATIAL[1]
    maps = build(inputs=Features(FEATURES, SPATIAL), outputs=Features(OUTPUTS, SPATIAL))
    flat = build(inputs=Features(FEATURES * pixels), outputs=Features(OUTPUTS * pixels))
    assert maps.layers[0].forward.input_size == FEATURES * pixels
    xs = sequences(maps, TIME)
    outputs = run(maps, xs).outputs
    assert outputs.shape == (BATCH, TIME, *SPATIAL, OUTPUTS)
    expected = run(flat, xs.reshape(BATCH, TIME, -1)).outputs
    close(outputs.reshape(BATCH, TIME, -1), expected)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("spatial", [(5,), (4, 3)], ids=["1d", "2d"])
def test_convolutional_cells_keep_spatial_axes(spatial, block):
    """The head sees one place at a time: moving a far pixel leaves distant outputs alone."""
    model = build(
        "conv_lstm",
        inputs=Features(FEATURES, (9, *spatial[1:])),
        outputs=Features(OUTPUTS, (9, *spatial[1:])),
        block=block,
    )
    xs = sequences(model, 2)
    outputs = run(model, xs).outputs
    assert outputs.shape == (BATCH, 2, 9, *spatial[1:], OUTPUTS)
    moved = run(model, xs.at[:, :, 0].add(1.0)).outputs
    reach = 4  # two steps of a 3-wide window, one of them through the state
    close(moved[:, :, reach:], outputs[:, :, reach:])
    assert float(jnp.abs(moved[:, :, 0] - outputs[:, :, 0]).max()) > 1e-3


@pytest.mark.parametrize("name", cell_names())
def test_named_gates_come_with_the_same_outputs(name):
    # Layers are stacked around a cell: one cell of every form shows that each of them gives its gates.
    model = build(name, layers=2 if representative(name) else 1)
    xs = sequences(model, TIME)
    result, plain = compiled(lambda m, x: (m(x, collect_gates=True), m(x)))(model, xs)
    close(result.outputs, plain.outputs)
    assert plain.gates is None
    for layer, cells in zip(result.gates, model.layers, strict=True):
        assert len(layer) == 1
        for gates in layer:
            assert set(cells.forward.gates) <= set(gates)
            for array in gates.values():
                assert array.shape[:2] == (TIME, BATCH)


def test_same_key_same_model_and_layers_differ():
    one, same, other = (build(seed=s, randomise=False, layers=2) for s in (0, 0, 1))
    kernel = [np.asarray(m.layers[1].forward.recurrent.kernel) for m in (one, same, other)]
    np.testing.assert_array_equal(kernel[0], kernel[1])
    assert np.abs(kernel[0] - kernel[2]).max() > 0.1
    assert np.abs(kernel[0] - np.asarray(one.layers[0].forward.recurrent.kernel)).max() > 0.1
