"""Weights from and to the recurrent layers of Keras, ``Bidirectional`` or not, and ``Dense``.

Keras itself is not needed: a layer is anything with ``get_weights()`` and ``get_config()``. The plain list of arrays
that ``layer.get_weights()`` returns can be given in place of a layer. A layer's settings are compared with the cell's
(activations, reset gate, padding, strides); a list has none, so they are not checked.

Keras passes over the steps that an ``Embedding(mask_zero=True)`` or a ``Masking`` layer masks, wherever they are. A
model passes over those that its argument ``mask`` names: such an embedding is refused, so that the mask is not
forgotten; give
``embedding.get_weights()`` and call ``model(tokens, mask=tokens != 0)``.

The LSTM's gates are in our order; the GRU's are update, reset, candidate. ``GRU(reset_after=True)``, the default of
Keras, is ``cell.reset=after`` and has two biases: importing adds them where the reset gate does not act. ``ConvLSTM``
needs ``padding="same"`` and has no peepholes (``cell.peepholes=false``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmlab.cells import Cell
from lstmlab.interop.keras_config import check_encoder, check_kind, check_linear, check_recurrent
from lstmlab.interop.parts import MapNames, Parts, cells_by_layer, encoder_arrays, head_arrays, rebuild
from lstmlab.interop.source import Source
from lstmlab.interop.weights import (
    CellWeights,
    family,
    kernel_shapes,
    merge_biases,
    read_cell,
    reorder,
    split_biases,
    write_cell,
)
from lstmlab.models import SequenceModel

NAMES = ("kernel", "recurrent_kernel", "bias")
GRU_ORDER = ("update", "reset", "candidate")


def from_keras(model: SequenceModel, layers: Sequence[Any], *, head: Any = None, encoder: Any = None) -> SequenceModel:
    """A copy of ``model`` with the weights of Keras layers; ``model`` itself is unchanged.

    Args:
        model: a model of the same cell, sizes, layers, directions and biases (``cell.bias``).
        layers: one recurrent layer (or its ``get_weights()``) per layer of the model; ``Bidirectional`` ones for a
            bidirectional model. All but the last have ``return_sequences=True``.
        head: the ``Dense`` layer after them; the model's own head stays if not given.
        encoder: the ``Embedding`` (or ``Dense``) layer before them; as for the head.

    Raises:
        ValueError: the model's cell has no counterpart, a layer's settings differ from the cell's, or an array is
            missing, left over or of another shape.
    """
    cells = cells_by_layer(model, "Keras")
    if len(layers) != len(cells):
        raise ValueError(
            f"the model has {len(cells)} recurrent layer(s), but {len(layers)} Keras layer(s) "
            "are given: from_keras takes a list with one entry per layer"
        )
    arrays: dict[str, Any] = {}
    for index, layer in enumerate(layers):
        arrays |= _named(f"layers[{index}]", layer, cells[index])
    arrays |= _dense("head", head) | _dense("encoder", encoder)
    source = Source("Keras weights", arrays)

    def take(cell: Cell, layer: int, direction: int) -> CellWeights:
        return _take(cell, source, _paths(f"layers[{layer}]", cells[layer])[direction])

    return rebuild(
        model, source, take,
        head=None if head is None else _names("head"),
        encoder=None if encoder is None else _names("encoder"),
    )  # fmt: skip


def to_keras(model: SequenceModel) -> Parts:
    """The model's weights as the lists that ``set_weights`` of Keras layers takes.

    ``for layer, arrays in zip(keras_layers, to_keras(model).layers): layer.set_weights(arrays)``. A bidirectional
    layer's list is that of ``Bidirectional``: forward arrays, then backward ones.

    Raises:
        ValueError: the model's cell or block has no counterpart in Keras.
    """
    layers = [[array for cell in cells for array in cell_to_keras(cell)] for cells in cells_by_layer(model, "Keras")]
    return Parts(layers, list(head_arrays(model)), encoder_arrays(model) or None)


def cell_from_keras(cell: Cell, layer: Any) -> Cell:
    """A copy of ``cell`` with the weights of one Keras layer or cell, or of its ``get_weights()``.

    Raises:
        ValueError: as :func:`from_keras`.
    """
    source = Source("Keras weights", _named("layer", layer, [cell]))
    new = write_cell(cell, _take(cell, source, "layer"))
    source.finish()
    return new


def cell_to_keras(cell: Cell) -> list[np.ndarray]:
    """Kernel, recurrent kernel and, if there is one, bias, as ``layer.set_weights`` takes them."""
    order = _order(cell)
    weights = read_cell(cell)
    arrays = [weights.input, weights.recurrent]
    if weights.bias is not None:
        two_biases = weights.candidate_bias is not None
        arrays.append(np.stack(split_biases(weights)) if two_biases else weights.bias)
    return [reorder(array, cell.gates, order) for array in arrays]


def _take(cell: Cell, source: Source, path: str) -> CellWeights:
    order = _order(cell)
    shapes = dict(zip(NAMES, kernel_shapes(cell), strict=False))
    two_biases = getattr(cell, "reset", "") == "after"  # the GRU
    if cell.bias:
        size = shapes["kernel"][-1:]
        shapes["bias"] = (2, *size) if two_biases else size
    kernel, recurrent, *bias = (
        reorder(source.take(f"{path}.{name}", shape), order, cell.gates) for name, shape in shapes.items()
    )
    if not bias:
        return CellWeights(kernel, recurrent)
    return CellWeights(kernel, recurrent, *(merge_biases("gru", *bias[0]) if two_biases else bias))


def _family(cell: Cell) -> str:
    name = family(cell, "Keras", ("dense", "conv"))
    if cell.map == "conv" and name != "lstm":
        raise ValueError(f"cell {cell.name}: Keras has cell.map=conv for the LSTM only")
    return name


def _order(cell: Cell) -> tuple[str, ...]:
    """Keras's order of the cell's gates."""
    return GRU_ORDER if _family(cell) == "gru" else cell.gates


def _paths(path: str, cells: Sequence[Cell]) -> list[str]:
    return [path] if len(cells) == 1 else [f"{path}.forward", f"{path}.backward"]


def _named(path: str, layer: Any, cells: Sequence[Cell]) -> dict[str, Any]:
    """A recurrent layer's arrays by name; raises ``ValueError`` if its settings differ from the cell's."""
    for cell in cells:
        _family(cell)
    if hasattr(layer, "get_weights"):
        check_kind(path, layer, cells)
        check_recurrent(path, layer.get_config(), cells)
        layer = layer.get_weights()
    count, rest = divmod(len(layer), len(cells))
    if rest or count not in (2, 3):
        raise ValueError(
            f"Keras weights: {path} has {len(layer)} arrays, expected "
            f"{' or '.join(str(n * len(cells)) for n in (2, 3))}: kernel, recurrent kernel and bias"
            + (" of both directions" if len(cells) == 2 else "")
        )
    return {
        f"{where}.{name}": layer[direction * count + position]
        for direction, where in enumerate(_paths(path, cells))
        for position, name in enumerate(NAMES[:count])
    }


def _names(part: str) -> MapNames:
    return MapNames(f"{part}.kernel", f"{part}.bias", f"{part}.kernel")


def _dense(part: str, layer: Any) -> dict[str, Any]:
    if layer is None:
        return {}
    if hasattr(layer, "get_weights"):
        check_linear(part, layer.get_config())
        check_encoder(part, layer.get_config())
        layer = layer.get_weights()
    if len(layer) not in (1, 2):
        raise ValueError(f"Keras weights: {part} has {len(layer)} arrays, expected 1 or 2: kernel and bias")
    return dict(zip((f"{part}.kernel", f"{part}.bias"), layer, strict=False))
