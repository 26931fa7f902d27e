"""From a sequence model to the parts that other frameworks have (cells, head, encoder), and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from lstmlab.cells import Cell
from lstmlab.cells.maps import LinearMap
from lstmlab.interop.source import Source
from lstmlab.interop.weights import CellWeights, filled, write_cell, write_map
from lstmlab.models import SequenceModel
from lstmlab.models.head import TiedHead


class Parts(NamedTuple):
    """Exported weights of a model, in the other framework's form."""

    layers: list[Any]
    """one entry per recurrent layer"""
    head: Any
    """the dense layer after the last recurrent layer"""
    encoder: Any = None
    """the embedding, or the dense layer before the first recurrent layer; ``None`` without one"""


class MapNames(NamedTuple):
    """The names of a dense layer's or an embedding's arrays in a source."""

    kernel: str
    bias: str
    table: str
    flip: bool = False
    """whether kernels are ``[out, in]``"""


def cells_by_layer(model: SequenceModel, framework: str) -> list[list[Cell]]:
    """The model's cells per layer: forward, then backward if there is one.

    Raises ``ValueError`` for blocks around the cells, and for other architectures.
    """
    if type(model) is not SequenceModel:
        raise ValueError(f"{type(model).__name__} has no counterpart in {framework}: transfer its cells one by one")
    for layer in model.layers:
        block = layer.block.name
        if block != "plain":
            raise ValueError(f"model.block={block} has no counterpart in {framework}: transfer its cells one by one")
    return [layer.cells for layer in model.layers]


def head_arrays(model: SequenceModel) -> tuple[np.ndarray, np.ndarray]:
    """Kernel ``[in, out]`` and bias ``[out]`` of the head as a dense layer.

    A head that shares the embedding's matrix is exported as a dense layer with the same outputs: other frameworks get
    the matrix twice, and must tie both copies themselves to train on.
    """
    head, embedding = model.head, model.embedding
    if not isinstance(head, TiedHead):
        return np.array(head.kernel), np.array(head.bias)
    assert embedding is not None
    return np.array(head.kernel(embedding)), np.array(head.bias)


def encoder_arrays(model: SequenceModel) -> list[np.ndarray]:
    """The embedding ``[tokens, width]``, or kernel ``[in, out]`` and bias ``[out]`` of the input map; empty without
    either."""
    if model.embedding is not None:
        return [np.array(model.embedding)]
    if model.input_map is not None:
        return [np.array(model.input_map.kernel), np.array(model.input_map.bias)]
    return []


def rebuild(
    model: SequenceModel,
    source: Source,
    take: Callable[[Cell, int, int], CellWeights],
    *,
    head: MapNames | None,
    encoder: MapNames | None,
) -> SequenceModel:
    """A copy of the model with weights from the source.

    Args:
        model: gives the form.
        source: the other framework's arrays.
        take: a cell's weights from the cell, its layer and its direction (0 forward, 1 backward).
        head: names of the head's arrays; without them the model's own head stays.
        encoder: names of the arrays of the embedding or input map; as for the head.

    Raises:
        ValueError: if something does not fit or is left over in the source.
    """
    new = jax.tree.map(lambda leaf: leaf, model)
    for index, layer in enumerate(new.layers):
        layer.forward = write_cell(layer.forward, take(layer.forward, index, 0))
        if layer.backward is not None:
            layer.backward = write_cell(layer.backward, take(layer.backward, index, 1))
    if encoder is not None:
        _take_encoder(new, source, encoder)
    if head is not None:
        tied = isinstance(new.head, TiedHead)
        new.head = _take_tied(new, source, head) if tied else _take_map(new.head, source, head)
    source.finish()
    return new


def _take_encoder(new: SequenceModel, source: Source, names: MapNames) -> None:
    if new.embedding is not None:
        values = source.take(names.table, np.shape(new.embedding))
        new.embedding = filled(new.embedding, values)
    elif new.input_map is not None:
        new.input_map = _take_map(new.input_map, source, names)
    else:
        raise ValueError(
            f"{source.where}: an encoder is given, but the model has neither an embedding nor an "
            "input map (its inputs are features and model.embedding_size is 0)"
        )


def _take_map(map: LinearMap, source: Source, names: MapNames) -> LinearMap:
    features, size = map.kernel.shape
    kernel = _take_kernel(source, names, features, size)
    return write_map(map, kernel, _take_bias(source, names, size))


def _take_tied(new: SequenceModel, source: Source, names: MapNames) -> TiedHead:
    """The bias of a head that shares the model's embedding; the source's kernel must be that embedding."""
    head: Any = jax.tree.map(lambda leaf: leaf, new.head)
    if head.projection is not None:
        raise ValueError(
            f"{source.where}: the model's head shares its embedding through a projection, as their widths differ "
            "(model.tied_embeddings=true); a single dense layer has no place for it: leave out the argument head"
        )
    table = np.asarray(new.embedding)
    size, features = table.shape
    if not np.array_equal(_take_kernel(source, names, features, size), table.T):
        raise ValueError(
            f"{source.where}: '{names.kernel}' is not the embedding that the model's head shares "
            "(model.tied_embeddings=true): give the argument encoder too, or take a model without tied embeddings"
        )
    bias = _take_bias(source, names, size)
    head.bias = filled(head.bias, np.zeros(size) if bias is None else bias)
    return head


def _take_kernel(source: Source, names: MapNames, features: int, size: int) -> np.ndarray:
    kernel = source.take(names.kernel, (size, features) if names.flip else (features, size))
    return kernel.T if names.flip else kernel


def _take_bias(source: Source, names: MapNames, size: int) -> np.ndarray | None:
    # Heads and input maps always have a bias: zero where the source has none.
    return source.take(names.bias, (size,)) if names.bias in source else None
