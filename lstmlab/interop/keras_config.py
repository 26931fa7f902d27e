"""Settings of a Keras layer that change what its weights mean, compared with the cell's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmlab.cells import Cell
from lstmlab.interop.weights import FAMILIES

ACTIVATIONS = {"linear": "identity"}
"""Keras's names where they differ from ours. ``hard_sigmoid`` is the same function since Keras 3."""
KINDS = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru", "ConvLSTM": "lstm"}
CONVOLUTION = {"padding": "same", "strides": 1, "dilation_rate": 1, "data_format": "channels_last"}


def check_recurrent(path: str, config: Mapping[str, Any], cells: Sequence[Cell]) -> None:
    """Raise a one-line ``ValueError`` if a layer's ``get_config()`` disagrees with the cells.

    Args:
        path: the layer's name in messages.
        config: the layer's; for two cells that of ``Bidirectional``.
        cells: forward, then backward.
    """
    where = _where(path, config)
    if ("layer" in config) != (len(cells) == 2):
        raise ValueError(
            f"{where}: a Bidirectional layer goes with a model that has model.bidirectional=true, "
            "and only with such a model"
        )
    if len(cells) == 1:
        return _compare(where, config, cells[0], backwards=False)
    if config["merge_mode"] != "concat":
        raise ValueError(f"{where}: merge_mode is {config['merge_mode']!r}, but must be 'concat'")
    for cell, direction, backwards in zip(cells, ("layer", "backward_layer"), (False, True), strict=True):
        _compare(where, config[direction]["config"], cell, backwards)
    return None


def check_kind(path: str, layer: Any, cells: Sequence[Cell]) -> None:
    """Raise a one-line ``ValueError`` if the layer is of another kind than the model's cell; unknown kinds pass."""
    layer = getattr(layer, "forward_layer", layer)
    layer = getattr(layer, "cell", layer)
    kind = type(layer).__name__.removesuffix("Cell").rstrip("123D")
    if KINDS.get(kind, FAMILIES[cells[0].name]) != FAMILIES[cells[0].name]:
        raise ValueError(f"Keras {path} is of type {type(layer).__name__}, but the model's cell is {cells[0].name}")


def check_linear(path: str, config: Mapping[str, Any]) -> None:
    """Raise a one-line ``ValueError`` if a ``Dense`` layer has a nonlinearity."""
    where = _where(path, config)
    if "layer" in config:
        config = config["layer"]["config"]
    if config.get("activation", "linear") != "linear":
        raise ValueError(f"{where}: activation is {config['activation']!r}, but must be 'linear'")


def check_encoder(path: str, config: Mapping[str, Any]) -> None:
    """Raise a one-line ``ValueError`` if an ``Embedding`` masks its token 0, which a model does not do by itself."""
    where = _where(path, config)
    if config.get("mask_zero"):
        raise ValueError(
            f"{where}: mask_zero is True, but an embedding here masks no token: give its get_weights() in its place, "
            "and call the model with mask=(tokens != 0)"
        )


def _compare(where: str, config: Mapping[str, Any], cell: Cell, backwards: bool) -> None:
    if "cell" in config:  # keras.layers.RNN around a cell
        config = {**config, **config["cell"]["config"]}
    expected = {
        "activation": getattr(cell, "activation", None),
        "recurrent_activation": getattr(cell, "gate_activation", None),
        "reset_after": getattr(cell, "reset", "after") == "after",
        "go_backwards": backwards,
        "units": cell.hidden_size,
        "filters": cell.hidden_size,
        **CONVOLUTION,
    }
    if cell.map == "conv":
        expected["kernel_size"] = cell.kernel_size
    for key, ours in expected.items():
        theirs = config.get(key, ours)
        if isinstance(theirs, str):
            theirs = ACTIVATIONS.get(theirs, theirs)
        elif isinstance(theirs, list | tuple) and len(set(theirs)) == 1:
            theirs = theirs[0]
        if theirs != ours:
            raise ValueError(f"{where}: {key} is {config[key]!r}, but cell {cell.name} has {ours!r}")


def _where(path: str, config: Mapping[str, Any]) -> str:
    return f"Keras {path} ({config.get('name', 'unnamed')})"
