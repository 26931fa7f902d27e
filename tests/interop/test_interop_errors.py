"""What does not fit is refused in one line that names the key, what was expected and what came."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np
import pytest
from interop_checks import FEATURES, HIDDEN, blank, refused

from lstmlab.cells import cell_entry, cell_names
from lstmlab.interop import (
    cell_from_torch,
    cell_to_flax,
    cell_to_keras,
    cell_to_torch,
    from_keras,
    from_torch,
    to_flax,
    to_keras,
    to_torch,
)
from lstmlab.models.model_settings import spatial_shape
from lstmlab.settings import settings_of
from lstmlab.tasks import Features

GATES = 4 * HIDDEN


def any_model(name):
    spatial = spatial_shape(name, {}, Features(FEATURES, (4, 4)))
    # Its groups of units must divide the hidden size, which is odd here.
    settings = {"modules": HIDDEN} if "modules" in settings_of(cell_entry(name).cls) else {}
    return blank(name, spatial=spatial, **settings)


@pytest.mark.parametrize("name", sorted(set(cell_names()) - {"rnn", "lstm", "gru"}))
def test_cells_without_counterpart(name):
    model = any_model(name)
    for framework, export in (("PyTorch", to_torch), ("Keras", to_keras), ("Flax", to_flax)):
        with refused(f"cell {name}", framework):
            export(model)


def test_torch_missing_layer():
    with refused("PyTorch state dict", "'lstm.weight_ih_l1'", str((GATES, HIDDEN))):
        state = to_torch(blank("lstm"), prefix="lstm.")
        from_torch(blank("lstm", layers=2), state, prefix="lstm.")


@pytest.mark.parametrize("shape, key", [({"layers": 2}, "weight_ih_l1"), ({"bidirectional": True}, "_l0_reverse")])
def test_torch_left_over(shape, key):
    with refused("no place for", key):
        from_torch(blank("lstm"), to_torch(blank("lstm", **shape)))


def test_torch_wrong_prefix_suggests_the_right_name():
    with refused("'weight_ih_l0' is missing", "did you mean 'lstm.weight_ih_l0'"):
        from_torch(blank("lstm"), to_torch(blank("lstm"), prefix="lstm."))


def test_torch_wrong_shape():
    with refused("'weight_ih_l0'", f"expected {(GATES, FEATURES)}", f"{(3 * HIDDEN, FEATURES)}"):
        from_torch(blank("lstm"), to_torch(blank("gru")))
    state = to_torch(blank("lstm"), head="fc.")
    state["fc.weight"] = np.zeros((9, HIDDEN))
    with refused("'fc.weight'", f"expected {(2, HIDDEN)}", f"{(9, HIDDEN)}"):
        from_torch(blank("lstm"), state, head="fc.")


@pytest.mark.parametrize("has", [True, False])
def test_biases_on_one_side_only(has):
    one, other = blank("gru", bias=has), blank("gru", bias=not has)
    with refused("bias_ih_l0", "cell.bias"):
        from_torch(one, to_torch(other))
    with refused("layers[0].bias", "cell.bias"):
        from_keras(one, to_keras(other).layers)


def test_torch_projection_is_unknown():
    state = to_torch(blank("lstm")) | {"weight_hr_l0": np.zeros((HIDDEN, HIDDEN))}
    with refused("no place for 'weight_hr_l0'"):
        from_torch(blank("lstm"), state)


def test_torch_cell_needs_the_suffix_of_its_layer():
    cell = blank("lstm").layers[0].forward
    with refused("'weight_ih' is missing", "weight_ih_l0"):
        cell_from_torch(cell, to_torch(blank("lstm")))


@pytest.mark.parametrize(
    "name, option, value",
    [
        ("lstm", "activation", "relu"),
        ("lstm", "gate_activation", "hard_sigmoid"),
        ("gru", "activation", "identity"),
        ("gru", "reset", "before"),
        ("lstm", "map", "diagonal"),
        ("rnn", "map", "diagonal"),
    ],
)
def test_torch_options_without_counterpart(name, option, value):
    model = blank(name, **{option: value})
    with refused(f"cell {name}", f"cell.{option}", value):
        to_torch(model)
    with refused(f"cell.{option}"):
        cell_to_torch(model.layers[0].forward)


@pytest.mark.parametrize("block", ["residual", "up_projection"])
@pytest.mark.parametrize("export", [to_torch, to_keras, to_flax])
def test_blocks_around_the_cells(export, block):
    with refused(f"model.block={block}"):
        export(blank("lstm", block=block))


def test_encoders_that_the_model_lacks():
    with refused("encoder"):
        to_torch(blank("lstm"), encoder="embed.")
    with refused("encoder", "model.embedding_size"):
        from_torch(blank("lstm"), to_torch(blank("lstm")) | {"e.weight": 1.0}, encoder="e.")


def test_convolutions_are_for_the_lstm_only():
    cell = blank("gru", map="conv", spatial=(4, 4)).layers[0].forward
    for export in (cell_to_keras, cell_to_flax):
        with refused("cell gru", "cell.map=conv"):
            export(cell)
    with refused("cell lstm", "cell.map=conv"):
        to_torch(blank("lstm", map="conv", spatial=(4, 4)))
    with refused("peepholes", "cell.peepholes=false"):
        to_keras(blank("conv_lstm", spatial=(4, 4)))


def test_a_failed_import_leaves_the_model_alone():
    model = blank("lstm")
    before = [np.array(leaf) for leaf in jax.tree.leaves(model)]
    state = to_torch(blank("lstm", seed=7), head="fc.") | {"fc.surplus": np.zeros(1)}
    with refused("fc.surplus"):
        from_torch(model, state, head="fc.")
    for old, new in zip(before, jax.tree.leaves(model), strict=True):
        np.testing.assert_array_equal(old, new)
