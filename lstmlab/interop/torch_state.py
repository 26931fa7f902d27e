"""Weights from and to PyTorch: ``nn.RNN``, ``nn.LSTM``, ``nn.GRU``, their cells, ``nn.Linear``.

PyTorch itself is not needed: a state dict is a mapping from names to anything array-like.

PyTorch stacks gates in our order (LSTM ``i f g o``, GRU ``r z n``), but keeps kernels as ``[gates · hidden, in]`` and
has two biases. Importing adds them, except for the GRU's candidate, whose second bias is multiplied by the reset gate;
exporting leaves the second zero. A state dict does not hold the nonlinearity of ``nn.RNN``: the cell must have the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmlab.cells import Cell
from lstmlab.interop.parts import MapNames, cells_by_layer, encoder_arrays, head_arrays, rebuild
from lstmlab.interop.source import Source
from lstmlab.interop.torch_names import check_names, check_projection, difference, named_arrays
from lstmlab.interop.weights import (
    CellWeights,
    family,
    kernel_shapes,
    merge_biases,
    read_cell,
    require,
    split_biases,
    write_cell,
)
from lstmlab.models import SequenceModel

DIRECTIONS = ("", "_reverse")


def from_torch(
    model: SequenceModel,
    state_dict: Mapping[str, Any],
    *,
    prefix: str = "",
    head: str | None = None,
    encoder: str | None = None,
) -> SequenceModel:
    """A copy of ``model`` with the weights of a PyTorch module; ``model`` itself is unchanged.

    ``prefix``, ``head`` and ``encoder`` are the names of the module's parts: ``"lstm."`` for ``self.lstm =
    nn.LSTM(...)``. Names that start with none of them are ignored; a head or an encoder of the model for which no
    prefix is given stays as it is.

    Args:
        model: a model of the same cell, sizes, layers, directions and biases (``cell.bias``).
        state_dict: tensors or arrays by name, as ``module.state_dict()`` gives them, or the module itself.
        prefix: of the recurrent layers.
        head: of the ``nn.Linear`` after them, e.g. ``"linear."``.
        encoder: of the ``nn.Embedding`` (or ``nn.Linear``) before them.

    Raises:
        ValueError: the model's cell has no counterpart, or a name is missing, left over or of another shape.
    """
    cells_by_layer(model, "PyTorch")  # raises for a model without a counterpart
    prefixes = (prefix, *(p for p in (head, encoder) if p is not None))
    arrays = named_arrays(state_dict)
    check_names(arrays, prefix, prefixes)
    source = Source("PyTorch state dict", {k: v for k, v in arrays.items() if k.startswith(prefixes)})

    def take(cell: Cell, layer: int, direction: int) -> CellWeights:
        return _take(cell, source, prefix, f"_l{layer}{DIRECTIONS[direction]}")

    return rebuild(model, source, take, head=_names(head), encoder=_names(encoder))


def to_torch(
    model: SequenceModel,
    *,
    prefix: str = "",
    head: str | None = None,
    encoder: str | None = None,
) -> dict[str, np.ndarray]:
    """The model's weights under PyTorch's names; arguments as for :func:`from_torch`.

    ``module.load_state_dict({k: torch.as_tensor(v) for k, v in to_torch(model).items()})`` loads them. The head and
    the encoder are left out unless a prefix is given. With tied embeddings both have the shared matrix (times the
    projection, where there is one): assign one parameter to both to train on with it.

    Raises:
        ValueError: the model's cell or block has no counterpart in PyTorch, or the model has no encoder to export.
    """
    state = {}
    for index, cells in enumerate(cells_by_layer(model, "PyTorch")):
        for suffix, cell in zip(DIRECTIONS, cells, strict=False):
            state |= cell_to_torch(cell, prefix=prefix, suffix=f"_l{index}{suffix}")
    if head is not None:
        state |= _linear(*head_arrays(model), head)
    if encoder is not None:
        arrays = encoder_arrays(model)
        if not arrays:
            raise ValueError("the model has no encoder to export: leave out the argument encoder")
        # An embedding has one array, which PyTorch keeps as it is; kernels of dense layers are transposed.
        state |= {f"{encoder}weight": arrays[0]} if len(arrays) == 1 else _linear(arrays[0], arrays[1], encoder)
    return state


def cell_from_torch(cell: Cell, state_dict: Mapping[str, Any], *, prefix: str = "", suffix: str = "") -> Cell:
    """A copy of ``cell`` with the weights of an ``nn.LSTMCell`` (``nn.RNNCell``, ``nn.GRUCell``).

    A suffix such as ``"_l0"`` or ``"_l1_reverse"`` selects one layer and direction of an ``nn.LSTM``.

    Raises:
        ValueError: as :func:`from_torch`.
    """
    arrays = named_arrays(state_dict)
    check_names(arrays, prefix)
    selected = {k: v for k, v in arrays.items() if k.startswith(prefix) and k.endswith(suffix)}
    source = Source("PyTorch state dict", selected)
    new = write_cell(cell, _take(cell, source, prefix, suffix))
    source.finish()
    return new


def cell_to_torch(cell: Cell, *, prefix: str = "", suffix: str = "") -> dict[str, np.ndarray]:
    """The cell's weights under PyTorch's names, the inverse of :func:`cell_from_torch`."""
    _family(cell)
    weights = read_cell(cell)
    named = {"weight_ih": weights.input.T.copy(), "weight_hh": weights.recurrent.T.copy()}
    if weights.bias is not None:
        named["bias_ih"], named["bias_hh"] = split_biases(weights)
    return {f"{prefix}{name}{suffix}": array for name, array in named.items()}


def _take(cell: Cell, source: Source, prefix: str, suffix: str) -> CellWeights:
    cell_family = _family(cell)
    check_projection(cell, source, f"{prefix}weight_hr{suffix}")
    (features, size), (hidden, _) = kernel_shapes(cell)
    cause = difference(cell, source, f"{prefix}weight_hh{suffix}")
    kernel = source.take(f"{prefix}weight_ih{suffix}", (size, features), cause).T
    recurrent = source.take(f"{prefix}weight_hh{suffix}", (size, hidden), cause).T
    if not cell.bias:
        return CellWeights(kernel, recurrent)
    biases = [source.take(f"{prefix}bias_{side}{suffix}", (size,)) for side in ("ih", "hh")]
    return CellWeights(kernel, recurrent, *merge_biases(cell_family, *biases))


def _family(cell: Cell) -> str:
    name = family(cell, "PyTorch")
    require(cell, "PyTorch", gate_activation="sigmoid", reset="after")
    if name != "rnn":  # nn.RNN has tanh and relu, as our cell
        require(cell, "PyTorch", activation="tanh")
    return name


def _names(prefix: str | None) -> MapNames | None:
    if prefix is None:
        return None
    return MapNames(f"{prefix}weight", f"{prefix}bias", f"{prefix}weight", flip=True)


def _linear(kernel: np.ndarray, bias: np.ndarray, prefix: str) -> dict[str, np.ndarray]:
    return {f"{prefix}weight": kernel.T.copy(), f"{prefix}bias": bias}
