"""The colour of a cell, the same in all figures, reports and pages.

* **Colour**: a digest of the cell's name picks one of :data:`~lstmlab.plots.style.COLOURS` (Okabe and Ito 2008, which
  colour-blind readers can tell apart). It depends on the name alone: not on the other cells of a figure, on their
  order or on the process. Cells from outside the package have a colour too.
* **Salt**: seven colours are fewer than cells, so some cells share one. The salt of the digest is chosen so that the
  cells that are compared most have colours of their own, as have the variants of one paper where possible.
* **Settings**: of several names of one cell, such as ``lstm init.forget_bias=1``, the first by alphabet has the colour
  of the cell. The others have colours that nothing else in the figure has, as long as there are any.
* **Dashes and markers**: they tell apart the names of one figure that share a colour all the same. The first of them
  by alphabet has a solid line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from lstmlab.plots.style import COLOURS, FAINT, Dash, dash, marker

MOST_COLOURED = 7
"""lines in full colour of one figure that does not move; further lines are grey"""
_SALT = 205411


class Look(NamedTuple):
    """How a name looks: its colour, and how many names before it in the figure have the same."""

    colour: str
    repeat: int = 0

    @property
    def dash(self) -> Dash:
        """Of its lines."""
        return dash(self.repeat)

    @property
    def marker(self) -> str:
        """Of its dots."""
        return marker(self.repeat)


def colour_of(cell: str) -> str:
    """The colour of a cell, as ``#RRGGBB``."""
    digest = hashlib.sha256(f"{_SALT} {cell}".encode("utf-8", "surrogateescape")).digest()
    return COLOURS[digest[0] % len(COLOURS)]


def looks(cells: Mapping[str, str], coloured: Collection[str] | None = None) -> dict[str, Look]:
    """The look of each name of a figure, in the order given.

    Args:
        cells: name → the cell whose colour it has.
        coloured: the names in full colour, the others are grey; None: all.
    """
    shown = [name for name in sorted(cells) if coloured is None or name in coloured]
    first: dict[str, str] = {}
    for name in shown:
        first.setdefault(cells[name], name)
    colours = {name: colour_of(cell) for cell, name in first.items()}
    free = [colour for colour in COLOURS if colour not in colours.values()]
    for name in shown:
        if name not in colours:
            colours[name] = free.pop(0) if free else colour_of(cells[name])
    used: dict[str, int] = {}
    found = {name: Look(FAINT) for name in cells}
    for name in shown:
        found[name] = Look(colours[name], used.get(colours[name], 0))
        used[colours[name]] = found[name].repeat + 1
    return found


def by_order(names: Iterable[str]) -> dict[str, Look]:
    """The look of names that are not cells, by their order in the figure."""
    return {name: Look(COLOURS[i % len(COLOURS)], i // len(COLOURS)) for i, name in enumerate(names)}


def of_labels(labels: Iterable[str]) -> dict[str, str]:
    """Label → cell, of the labels of a comparison: ``gru model.hidden_size=64`` is of the cell ``gru``."""
    return {label: label.partition(" ")[0] for label in labels}
