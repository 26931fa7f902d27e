"""Names in PyTorch state dicts: where the weights are, and what is there in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lstmlab.cells import Cell
from lstmlab.interop.source import SAME, Source

WHERE = "PyTorch state dict"
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FACTOR = re.compile(r"(^|\.)parametrizations\.|weight(_[ih]h[^.]*)?_[gv]$")
RECURRENT = ("weight_ih", "weight_hh")
WRAPPERS = {"module.": "DataParallel", "_orig_mod.": "torch.compile"}


def named_arrays(state_dict: Any) -> Mapping[str, Any]:
    """The tensors of a state dict, or of a module; raises ``TypeError`` for anything else."""
    if hasattr(state_dict, "state_dict"):
        state_dict = state_dict.state_dict()
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"{WHERE}: got a {type(state_dict).__name__}, but needs module.state_dict() or the module")
    return state_dict


def check_names(arrays: Mapping[str, Any], prefix: str, others: tuple[str, ...] = ()) -> None:
    """Raise a one-line ``ValueError`` where recurrent weights have other prefixes, or are stored as factors."""
    for name in arrays:
        if name.startswith((prefix, *others)) and FACTOR.search(name):
            raise ValueError(
                f"{WHERE}: '{name}' is a factor of a weight under weight norm (or another parametrization): remove it "
                "first, by torch.nn.utils.remove_weight_norm or torch.nn.utils.parametrize.remove_parametrizations"
            )
    found = {name: name[: name.index(part)] for name in arrays for part in RECURRENT if part in name}
    if not found or prefix in found.values():
        return
    name, first = next(iter(found.items()))
    listed = ", ".join(repr(one) for one in sorted(set(found.values())))
    wrapped = "".join(f"; {key!r} comes from {by}" for key, by in WRAPPERS.items() if key in listed)
    raise ValueError(
        f"{WHERE}: '{prefix}{name.removeprefix(first)}' is missing; did you mean '{name}'? Recurrent weights have the "
        f"prefixes {listed}{wrapped}"
    )


def difference(cell: Cell, source: Source, name: str) -> str:
    """How a recurrent kernel ``[gates · hidden, hidden]`` shows that the layer is not of the cell's kind and size."""
    shape = source.shape(name)
    if len(shape) != 2 or not shape[1] or shape[0] % shape[1]:
        return SAME
    gates, hidden = shape[0] // shape[1], shape[1]
    kinds = [kind for kind, count in GATES.items() if count == gates]
    if gates != len(cell.gates) and kinds:
        return f"this is a layer of nn.{kinds[0]}, but cell {cell.name} has {len(cell.gates)} gate(s)"
    if hidden != cell.hidden_size:
        return (
            f"this layer has {hidden} units, but the model's has {cell.hidden_size} (model.hidden_size, "
            "the same in all layers)"
        )
    return f"units are the same, so the layer reads another number of features than the model's {cell.input_size}"


def check_projection(cell: Cell, source: Source, name: str) -> None:
    """Raise a one-line ``ValueError`` if the LSTM has a projection (``proj_size``), for which the cell has no place."""
    if name in source:
        raise ValueError(
            f"{WHERE}: the model has no place for '{name}', the projection of an LSTM with proj_size: cell {cell.name} "
            "has none, import an LSTM without proj_size"
        )
