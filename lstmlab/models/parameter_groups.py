"""Which parameters weight decay acts on, and which have a learning rate of their own.

Weight decay acts on kernels and embeddings. It leaves alone biases, normalisation, decay rates, periods and all other
vectors, and the kernels that a cell names in ``undecayed``. A cell names further parameters in
``learning_rate_factors``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
from jaxtyping import PyTree

from lstmlab.cells import Cell

T = TypeVar("T")


class Place(NamedTuple):
    """Where a parameter is."""

    name: str
    """of the parameter, such as ``kernel``"""
    attribute: str
    """of the cell, or of the model, that holds it"""
    cell: Cell | None
    """the cell that it belongs to"""


def decayed(model: PyTree) -> PyTree:
    """For every parameter of a model, in the model's structure, whether weight decay acts on it."""

    def acts(place: Place) -> bool:
        kernel = place.name.endswith("kernel") or place.name == "embedding"
        return kernel and not (place.cell and place.attribute in place.cell.undecayed)

    return _map(acts, model)


def rate_factors(model: PyTree) -> PyTree:
    """For every parameter of a model, in the model's structure, the factor on its learning rate."""
    return _map(lambda place: place.cell.learning_rate_factors.get(place.attribute, 1.0) if place.cell else 1.0, model)


def own_rates(model: PyTree) -> dict[str, float]:
    """The factors other than 1, by the name of the cell and of the attribute, such as ``lru.nu``."""
    cells = [leaf for leaf in jax.tree.leaves(model, is_leaf=_is_cell) if _is_cell(leaf)]
    factors = {f"{cell.name}.{name}": f for cell in cells for name, f in cell.learning_rate_factors.items()}
    return {name: factor for name, factor in factors.items() if factor != 1.0}


def _map(function: Callable[[Place], T], model: PyTree) -> PyTree:
    def visit(path: tuple[Any, ...], node: Any) -> Any:
        if not _is_cell(node):
            return function(_place(path, None))
        return jax.tree_util.tree_map_with_path(lambda inner, _: function(_place(inner, node)), node)

    return jax.tree_util.tree_map_with_path(visit, model, is_leaf=_is_cell)


def _is_cell(node: Any) -> bool:
    return isinstance(node, Cell)


def _place(path: tuple[Any, ...], cell: Cell | None) -> Place:
    names = [str(getattr(key, "name", getattr(key, "key", getattr(key, "idx", "")))) for key in path]
    if len(names) > 1 and names[-1] == "value":  # what an nnx.Param calls its array
        names.pop()
    return Place(names[-1], names[0], cell)
