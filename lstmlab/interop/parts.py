"""A sequence model taken apart into what other frameworks know, and put together again."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from lstmlab.cells import Cell
from lstmlab.interop.source import Source
from lstmlab.interop.weights import filled, write_map
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
    """Where a source keeps a dense layer or an embedding, by name."""

    kernel: str
    bias: str
    table: str
    flip: bool = False
    """kernels are ``[out, in]``"""


def stack(model: SequenceModel, framework: str) -> list[list[Cell]]:
    """The model's cells per layer: forward, then backward if there is one.

    Raises ``ValueError`` for blocks around the cells, and for models that are no plain stack.
    """
    if type(model) is not SequenceModel:
        raise ValueError(f"{type(model).__name__} has no counterpart in {framework}: transfer its cells one by one")
    layers = []
    for layer in model.layers:
        block = layer.block.name
        if block != "plain":
            raise ValueError(f"model.block={block} has no counterpart in {framework}: transfer its cells one by one")
        cells = [layer.forward] if layer.backward is None else [layer.forward, layer.backward]
        layers.append(cells)
    return layers


def head_arrays(model: SequenceModel) -> tuple[np.ndarray, np.ndarray]:
    """Kernel ``[in, out]`` and bias ``[out]`` of the dense layer that the head is.

    Of a head that shares the embedding's matrix they are what a layer of its own needs for the same outputs: other
    frameworks get that matrix twice, and tie it themselves where it is to be trained on.
    """
    head = model.head
    kernel = head.kernel(model.embedding) if isinstance(head, TiedHead) else head.kernel
    return np.array(kernel), np.array(head.bias)


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


def _take_map(map: Any, source: Source, names: MapNames) -> Any:
    features, size = np.shape(map.kernel)
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
    # Head and input map always have a bias; where the source has none, it is zero.
    return source.take(names.bias, (size,)) if names.bias in source else None
