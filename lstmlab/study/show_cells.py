"""The catalogue of cells on the terminal: all of them in a table, or one in full."""

from __future__ import annotations

from typing import Any

from lstmlab.cells import Cell, cell_entry, cell_names
from lstmlab.models.catalogue import SIZE, cell_facts, other_forms
from lstmlab.tracking.plain import plain_docstring
from lstmlab.tracking.tables import print_table

COUNTED = f"{SIZE} features of inputs and hidden state"


def show_cells(*, verbose: bool) -> None:
    """Print one row per registered cell, and the options that all cells have; ``verbose`` adds what each cell is made
    of, with its default options."""
    columns, rows = ["cell", "what it is", "options", "paper"], []
    if verbose:
        columns += ["form", "backends", "maps", "state", "state size", "parameters"]
    for name in sorted(cell_names()):
        entry = cell_entry(name)
        row: list[Any] = [name, entry.title, ", ".join(own_options(entry.cls)), entry.paper]
        if verbose:
            facts = cell_facts(name)
            row += [facts.form, ", ".join(facts.backends), ", ".join(facts.maps)]
            row += [", ".join(facts.state), facts.state_size, facts.parameters]
        rows.append(row)
    print_table("Recurrent cells", columns, rows)
    if verbose:
        print(f"State size (numbers carried per sequence) and parameters: {COUNTED};")
        print("convolutional cells on a grid of one place.")
    print("Options of every cell:")
    for name, option in Cell.options.items():
        choices = f" ({' | '.join(map(str, option.choices))})" if option.choices else ""
        print(f"  cell.{name}={option.default}: {option.help}{choices}")


def show_cell(name: str) -> None:
    """Print one cell in full. Raises ``ValueError`` for an unknown one, with a suggestion."""
    facts = cell_facts(name)
    entry = facts.entry
    print(f"{name}: {entry.title}\n{entry.paper}\n")
    print(plain_docstring(entry.cls.__doc__ or ""), end="\n\n")
    state = ", ".join(f"{field} {' × '.join(map(str, shape)) or 1}" for field, shape in facts.state.items())
    print(f"Gates:       {', '.join(_sized(gate, size) for gate, size in facts.gates.items())}")
    print(f"State:       {state}: {facts.state_size} numbers per sequence")
    where = " on a grid of one place" if facts.convolutional else ""
    print(f"Parameters:  {facts.parameters} ({COUNTED}{where})")
    print(f"Form:        {facts.form}, runs on: {', '.join(facts.backends)}")
    for other in other_forms(name):
        print(f"  with cell.{other.option}={other.value}: {other.form}, runs on: {', '.join(other.backends)}")
    print(f"Maps:        {', '.join(facts.maps)}")
    rows = [[f"cell.{key}", s.default, s.allowed, s.help] for key, s in entry.cls.options.items()]
    print_table("Options", ("key", "default", "allowed", "meaning"), rows)


def own_options(cls: type[Cell]) -> list[str]:
    """The options that not every cell has."""
    return [key for key in cls.options if key not in Cell.options]


def _sized(gate: str, size: int) -> str:
    """A gate's name, and its size where that is not the hidden size."""
    return gate if size == SIZE else f"{gate} ({size})"
