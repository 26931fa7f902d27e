"""Names in PyTorch state dicts: where the weights are, and what is there in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmlab.cells import Cell
from lstmlab.interop.source import Source

WHERE = "PyTorch state dict"
RECURRENT = ("weight_ih", "weight_hh")
WRAPPERS = {"module.": "DataParallel", "_orig_mod.": "torch.compile"}


def named_arrays(state_dict: Any) -> Mapping[str, Any]:
    """The tensors of a state dict, or of a module; raises ``TypeError`` for anything else."""
    if hasattr(state_dict, "state_dict"):
        state_dict = state_dict.state_dict()
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"{WHERE}: got a {type(state_dict).__name__}, but needs module.state_dict() or the module")
    return state_dict


def check_names(arrays: Mapping[str, Any], prefix: str) -> None:
    """Raise a one-line ``ValueError`` where recurrent weights have other prefixes, or are stored as factors."""
    names = [name.removeprefix(prefix) for name in arrays if name.startswith(prefix)]
    factors = [name for name in names if name.startswith("parametrizations.") or name.endswith(("_g", "_v"))]
    if factors and not any(name.startswith(RECURRENT) and not name.endswith(("_g", "_v")) for name in names):
        _refuse_factors(prefix + factors[0])
    if any(name.startswith(("weight_ih", "parametrizations.")) for name in names):
        for name in factors:
            if any(part in name for part in RECURRENT):
                _refuse_factors(prefix + name)
        return
    found = sorted({name[: name.index(part)] for name in arrays for part in RECURRENT if part in name})
    if found:
        listed = ", ".join(repr(one) for one in found)
        wrapped = "".join(f"; {key!r} comes from {by}" for key, by in WRAPPERS.items() if any(key in f for f in found))
        raise ValueError(f"{WHERE}: no recurrent weights under prefix {prefix!r}; there are some under {listed}{wrapped}")


def check_projection(cell: Cell, source: Source, name: str) -> None:
    """Raise a one-line ``ValueError`` if the LSTM has a projection (``proj_size``), for which the cell has no place."""
    if name in source:
        raise ValueError(
            f"{WHERE}: '{name}' is the projection of an LSTM with proj_size, which cell {cell.name} has not: "
            "import one without proj_size"
        )


def _refuse_factors(name: str) -> None:
    raise ValueError(
        f"{WHERE}: '{name}' is a factor of a weight under weight norm (or another parametrization): remove it first, by "
        "torch.nn.utils.remove_weight_norm or torch.nn.utils.parametrize.remove_parametrizations"
    )
