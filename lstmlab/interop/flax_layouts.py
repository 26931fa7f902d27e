"""How Flax's cells name and stack their parameters; see :mod:`lstmlab.interop.flax_params`."""

from __future__ import annotations

import numpy as np

from lstmlab.cells import Cell
from lstmlab.interop.source import Source
from lstmlab.interop.weights import (
    CellWeights,
    family,
    kernel_shapes,
    merge_biases,
    reorder,
    require,
    split_biases,
)

LAYOUTS = ("linen", "nnx", "nnx_optimized")
LETTERS = {"rnn": ("",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
"""Flax's names of the gates, in our order"""
BIASED = {"rnn": "i", "lstm": "h", "gru": "i"}
"""The side whose products carry the bias: input or hidden state"""
CONV_ORDER = ("input", "candidate", "forget", "output")


def read_params(cell: Cell, source: Source, path: str) -> CellWeights:
    """The parameters of one Flax cell in any of the layouts, under names that start with ``path``.

    Raises ``ValueError`` if the cell has no counterpart, or an array is missing or of another shape.
    """
    cell_family = family_of(cell)
    if cell.map == "conv":
        return _read_conv(cell, source, path)
    if not cell.bias:
        raise ValueError(f"cell {cell.name}: Flax's cells have biases, but cell.bias is false")
    if f"{path}dense_i/kernel" in source:
        return _read_stacked(cell, source, path, cell_family)
    return _read_per_gate(cell, source, path, cell_family)


def write_params(cell: Cell, weights: CellWeights, layout: str) -> dict[str, np.ndarray]:
    """The weights under the names of a layout, such as ``"hf/kernel"``.

    Raises ``ValueError`` if the cell has no counterpart in that layout.
    """
    cell_family = family_of(cell)
    if cell.map == "conv":
        if layout != "linen":
            raise ValueError(f"cell {cell.name}: only layout 'linen' has convolutional cells")
        return _write_conv(cell, weights)
    if layout == "nnx_optimized" and cell_family != "lstm":
        raise ValueError(f"cell {cell.name}: layout 'nnx_optimized' has the LSTM only")
    if weights.bias is None:
        raise ValueError(f"cell {cell.name}: Flax's cells have biases, but cell.bias is false")
    if layout == "nnx_optimized" or (layout == "nnx" and cell_family != "lstm"):
        return _write_stacked(weights, weights.bias, cell_family)
    per_gate = _write_per_gate(weights, weights.bias, cell_family)
    if layout == "nnx":
        per_gate["if_/kernel"] = per_gate.pop("if/kernel")
    return per_gate


def family_of(cell: Cell) -> str:
    """``"rnn"``, ``"lstm"`` or ``"gru"``; raises ``ValueError`` for a cell that Flax does not have."""
    name = family(cell, "Flax", ("dense", "conv"))
    require(cell, "Flax", reset="after")
    if cell.map == "conv":
        if name != "lstm":
            raise ValueError(f"cell {cell.name}: Flax has cell.map=conv for the LSTM only")
        require(cell, "Flax's ConvLSTMCell", activation="tanh", gate_activation="sigmoid")
    return name


def _read_stacked(cell: Cell, source: Source, path: str, cell_family: str) -> CellWeights:
    input_shape, recurrent_shape = kernel_shapes(cell)
    return CellWeights(
        input=source.take(f"{path}dense_i/kernel", input_shape),
        recurrent=source.take(f"{path}dense_h/kernel", recurrent_shape),
        bias=source.take(f"{path}dense_{BIASED[cell_family]}/bias", input_shape[-1:]),
        candidate_bias=np.zeros(cell.hidden_size) if cell_family == "gru" else None,
    )


def _write_stacked(weights: CellWeights, bias: np.ndarray, cell_family: str) -> dict[str, np.ndarray]:
    if weights.candidate_bias is not None and np.any(weights.candidate_bias != 0):
        raise ValueError(
            "cell gru: nnx.GRUCell has no bias inside the reset gate, but candidate_bias is not "
            "zero (layout 'linen' has it)"
        )
    return {
        "dense_i/kernel": weights.input,
        "dense_h/kernel": weights.recurrent,
        f"dense_{BIASED[cell_family]}/bias": bias,
    }


def _read_per_gate(cell: Cell, source: Source, path: str, cell_family: str) -> CellWeights:
    size, letters = cell.hidden_size, LETTERS[cell_family]

    def stacked(side: str, name: str, *shape: int) -> np.ndarray:
        blocks = [source.take(f"{path}{side}{gate}/{name}", shape) for gate in letters]
        return np.concatenate(blocks, axis=-1)

    return CellWeights(
        input=stacked("i", "kernel", cell.input_size, size),
        recurrent=stacked("h", "kernel", size, size),
        bias=stacked(BIASED[cell_family], "bias", size),
        candidate_bias=source.take(f"{path}hn/bias", (size,)) if cell_family == "gru" else None,
    )


def _write_per_gate(weights: CellWeights, bias: np.ndarray, cell_family: str) -> dict[str, np.ndarray]:
    letters, flat = LETTERS[cell_family], {}
    for side, name, array in (
        ("i", "kernel", weights.input),
        ("h", "kernel", weights.recurrent),
        (BIASED[cell_family], "bias", bias),
    ):
        blocks = np.split(array, len(letters), axis=-1)
        flat |= {f"{side}{gate}/{name}": block for gate, block in zip(letters, blocks, strict=True)}
    if weights.candidate_bias is not None:
        flat["hn/bias"] = weights.candidate_bias
    return flat


def _read_conv(cell: Cell, source: Source, path: str) -> CellWeights:
    shapes = kernel_shapes(cell)
    kernel, recurrent = (
        reorder(source.take(f"{path}{side}/kernel", shape), CONV_ORDER, cell.gates)
        for side, shape in zip(("ih", "hh"), shapes, strict=True)
    )
    stacked = shapes[0][-1:]
    if not cell.bias:
        # Without biases Flax still adds 1 to the forget gate, and only a bias can hold that 1.
        raise ValueError(f"cell {cell.name}: Flax's ConvLSTMCell needs a cell with cell.bias=true")
    if f"{path}ih/bias" not in source and f"{path}hh/bias" not in source:  # use_bias=False
        return CellWeights(kernel, recurrent, _forget_offset(cell))
    biases = [source.take(f"{path}{side}/bias", stacked) for side in ("ih", "hh")]
    bias, _ = merge_biases("lstm", *(reorder(b, CONV_ORDER, cell.gates) for b in biases))
    return CellWeights(kernel, recurrent, bias + _forget_offset(cell))


def _write_conv(cell: Cell, weights: CellWeights) -> dict[str, np.ndarray]:
    if weights.bias is None:
        raise ValueError(f"cell {cell.name}: Flax's ConvLSTMCell needs a cell with cell.bias=true")
    shifted = weights._replace(bias=weights.bias - _forget_offset(cell))
    bias, second = split_biases(shifted)
    flat = {
        "ih/kernel": weights.input,
        "hh/kernel": weights.recurrent,
        "ih/bias": bias,
        "hh/bias": second,
    }
    return {name: reorder(array, cell.gates, CONV_ORDER) for name, array in flat.items()}


def _forget_offset(cell: Cell) -> np.ndarray:
    """The 1 that Flax's ConvLSTMCell adds to the forget gate's pre-activation."""
    offset = [float(gate == "forget") for gate in cell.gates]
    return np.repeat(np.array(offset, np.float32), cell.hidden_size)
