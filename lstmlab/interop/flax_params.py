"""Weights from and to the recurrent cells of Flax: simple, LSTM, GRU and convolutional LSTM.

Flax itself is not needed here: parameters are nested mappings of arrays, ``variables["params"]`` of a Linen cell or
``nnx.state(cell)`` of an NNX cell. The names show which of the two they are. Parameters do not hold the activation
functions: the cell must have the same ones.

* Linen keeps one kernel per gate (``hf/kernel``), and so does ``nnx.LSTMCell``, where ``if`` is called ``if_``; the
  other NNX cells stack the gates in our order.
* Every Flax cell has a bias, so ours needs ``cell.bias=true``. ``nnx.GRUCell`` has none inside the reset gate, though
  its equations show one: importing sets ours to zero, exporting raises an error for another value.
* Linen's ``ConvLSTMCell`` stacks its gates as input, candidate, forget, output, has two biases, and adds 1 to the
  forget gate: importing adds that 1 to our bias, exporting subtracts it, up to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstmlab.cells import Cell
from lstmlab.interop.flax_layouts import LAYOUTS, family_of, read_params, write_params
from lstmlab.interop.parts import MapNames, Parts, cells_by_layer, encoder_arrays, head_arrays, rebuild
from lstmlab.interop.source import Source, flatten, unflatten
from lstmlab.interop.weights import CellWeights, read_cell, write_cell
from lstmlab.models import SequenceModel


def from_flax(model: SequenceModel, layers: Sequence[Any], *, head: Any = None, encoder: Any = None) -> SequenceModel:
    """A copy of ``model`` with the parameters of Flax cells; ``model`` itself is unchanged.

    Args:
        model: a model of the same cell, sizes, layers and directions.
        layers: per layer the parameters of its cell, or for a bidirectional model a pair of them.
        head: parameters of the ``Dense`` or ``nnx.Linear`` after them; the model's own head stays if not given.
        encoder: parameters of the ``Embed`` (or dense layer) before them; as for the head.

    Raises:
        ValueError: the model's cell has no counterpart, or an array is missing, left over or of another shape.
    """
    cells = cells_by_layer(model, "Flax")
    if len(layers) != len(cells):
        raise ValueError(
            f"the model has {len(cells)} recurrent layer(s), but parameters of {len(layers)} are "
            "given: from_flax takes a list with one entry per layer"
        )
    tree: dict[str, Any] = {}
    for index, params in enumerate(layers):
        directions = [params] if len(cells[index]) == 1 else params
        if isinstance(directions, Mapping) or len(directions) != len(cells[index]):
            raise ValueError(f"Flax parameters: layers[{index}] must be a pair, forward and backward")
        tree |= {f"layers[{index}][{direction}]": params for direction, params in enumerate(directions)}
    tree |= {k: v for k, v in {"head": head, "encoder": encoder}.items() if v is not None}
    source = _source(tree)

    def take(cell: Cell, layer: int, direction: int) -> CellWeights:
        return read_params(cell, source, f"layers[{layer}][{direction}]/")

    return rebuild(
        model, source, take,
        head=None if head is None else _names("head"),
        encoder=None if encoder is None else _names("encoder"),
    )  # fmt: skip


def to_flax(model: SequenceModel, layout: str = "linen") -> Parts:
    """The model's weights as nested dictionaries: per layer one, or a pair for two directions.

    Args:
        model: to be exported.
        layout: ``linen`` for all cells of ``flax.linen``; ``nnx`` for ``nnx.SimpleCell``, ``nnx.LSTMCell`` and
            ``nnx.GRUCell``; ``nnx_optimized`` for ``nnx.OptimizedLSTMCell``.

    Raises:
        ValueError: the model's cell or block has no counterpart, or the layout is unknown.
    """
    layers: list[Any] = []
    for cells in cells_by_layer(model, "Flax"):
        params = tuple(cell_to_flax(cell, layout) for cell in cells)
        layers.append(params[0] if len(params) == 1 else params)
    arrays = encoder_arrays(model)
    encoder = {"embedding": arrays[0]} if len(arrays) == 1 else _dense(*arrays) if arrays else None
    return Parts(layers, _dense(*head_arrays(model)), encoder)


def cell_from_flax(cell: Cell, params: Mapping[str, Any]) -> Cell:
    """A copy of ``cell`` with the parameters of one Flax cell, Linen or NNX.

    Raises:
        ValueError: as :func:`from_flax`.
    """
    source = _source(params)
    new = write_cell(cell, read_params(cell, source, ""))
    source.finish()
    return new


def cell_to_flax(cell: Cell, layout: str = "linen") -> dict[str, Any]:
    """The inverse of :func:`cell_from_flax`, in one of the layouts of :func:`to_flax`."""
    if layout not in LAYOUTS:
        raise ValueError(f"layout is '{layout}', but must be one of: {', '.join(LAYOUTS)}")
    family_of(cell)  # raises for a cell without a counterpart, whose weights cannot be read
    return unflatten(write_params(cell, read_cell(cell), layout))


def _source(tree: Mapping[str, Any]) -> Source:
    # nnx.LSTMCell spells the forget gate's input kernel "if_", as "if" is a keyword of Python.
    flat = {name.replace("if_/", "if/"): array for name, array in flatten(tree).items()}
    return Source("Flax parameters", flat)


def _names(part: str) -> MapNames:
    return MapNames(f"{part}/kernel", f"{part}/bias", f"{part}/embedding")


def _dense(kernel: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
    return {"kernel": kernel, "bias": bias}
