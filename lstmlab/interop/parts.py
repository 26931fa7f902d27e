"""A sequence model taken apart into what other frameworks know, and put together again."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from lstmlab.cells import Cell
from lstmlab.interop.source import Source
from lstmlab.interop.weights import filled, write_map
from lstmlab.models import SequenceModel


class Parts(NamedTuple):
    """Exported weights of a model, in the other framework's form."""

    layers: list[Any]
    """one entry per recurrent layer"""
    head: Any
    """the dense layer after the last recurrent layer"""
    encoder: Any = None
    """the embedding, or the dense layer before the first recurrent layer; ``None`` without one"""


class MapNames(NamedTuple):
    """Where a source keeps a dense layer or an embedding, by name."""

    kernel: str
    bias: str
    table: str
    flip: bool = False
    """kernels are ``[out, in]``"""


def stack(model: SequenceModel, framework: str) -> list[list[Cell]]:
    """The model's cells per layer: forward, then backward if there is one.

    Raises ``ValueError`` for blocks around the cells.
    """
    if not hasattr(model, "layers"):
        raise ValueError(f"an encoder-decoder has no counterpart in {framework}: transfer its cells one by one")
    layers = []
    for layer in model.layers:
        block = layer.block.name
        if block != "plain":
            raise ValueError(f"model.block={block} has no counterpart in {framework}: transfer its cells one by one")
        cells = [layer.forward] if layer.backward is None else [layer.forward, layer.backward]
        layers.append(cells)
    return layers


def rebuild(
    model: SequenceModel,
    cells: list[list[Cell]],
    source: Source,
    head: MapNames | None,
    encoder: MapNames | None,
) -> SequenceModel:
    """A copy of the model with these cells, and with the source's head and encoder where named.

    Raises ``ValueError`` if something does not fit or is left over in the source.
    """
    new = jax.tree.map(lambda leaf: leaf, model)
    for layer, (forward, *backward) in zip(new.layers, cells, strict=True):
        layer.forward = forward
        if backward:
            layer.backward = backward[0]
    if head is not None:
        new.head = _take_map(new.head, source, head)
    if encoder is not None:
        _take_encoder(new, source, encoder)
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


def _take_map(map: Any, source: Source, names: MapNames) -> Any:
    features, size = np.shape(map.kernel)
    kernel = source.take(names.kernel, (size, features) if names.flip else (features, size))
    # Head and input map always have a bias; where the source has none, it is zero.
    bias = source.take(names.bias, (size,)) if names.bias in source else None
    return write_map(map, kernel.T if names.flip else kernel, bias)
