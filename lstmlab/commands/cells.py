"""``lstmlab cells``: all recurrent cells in a table, or one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstmlab.commands._parser import parser_for

if TYPE_CHECKING:
    from lstmlab.cells import Cell


def main(arguments: list[str]) -> None:
    """List the recurrent cells, or show one in full. Choose a cell for training with cell=NAME."""
    parser = parser_for(main)
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="show this cell in full: equations, options, gates, backends"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="also list form, backends, maps, state and parameters of every cell"
    )
    chosen = parser.parse_args(arguments)
    if chosen.name is None:
        _print_all(verbose=chosen.verbose)
    else:
        _print_one(chosen.name)


def own_options(cls: type[Cell]) -> list[str]:
    """The options that not every cell has."""
    from lstmlab.cells import Cell
    from lstmlab.settings import settings_of

    return [name for name in settings_of(cls) if name not in settings_of(Cell)]


def _print_all(*, verbose: bool) -> None:
    """One row per cell, then the options that all cells have; ``verbose`` adds columns."""
    from lstmlab.cells import Cell, cell_entry, cell_names
    from lstmlab.models.catalogue import SIZE, cell_facts
    from lstmlab.settings import settings_of
    from lstmlab.tracking.tables import print_table

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
        print(f"State size (numbers per sequence) and parameters: {SIZE} features of inputs and hidden state;")
        print("convolutional cells on a grid of one place.")
    print("Options of every cell:")
    for name, setting in settings_of(Cell).items():
        choices = f" ({' | '.join(map(str, setting.choices))})" if setting.choices else ""
        print(f"  cell.{name}={setting.default}: {setting.help}{choices}")


def _print_one(name: str) -> None:
    """One cell in full; raises ``ConfigError`` for an unknown one, with a suggestion."""
    from lstmlab.config import ConfigError
    from lstmlab.models.catalogue import SIZE, cell_facts, other_forms
    from lstmlab.settings import settings_of
    from lstmlab.tracking.plain import plain_docstring
    from lstmlab.tracking.tables import print_table

    try:
        facts = cell_facts(name)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    entry = facts.entry
    print(f"{name}: {entry.title}\n{entry.paper}\n")
    print(plain_docstring(entry.cls.__doc__ or ""), end="\n\n")
    # A gate has as many features as the hidden state, unless its size is shown.
    gates = [gate if size == SIZE else f"{gate} ({size})" for gate, size in facts.gates.items()]
    state = ", ".join(f"{field} {' × '.join(map(str, shape)) or 1}" for field, shape in facts.state.items())
    where = " on a grid of one place" if facts.convolutional else ""
    print(f"Gates:       {', '.join(gates)}")
    print(f"State:       {state}: {facts.state_size} numbers per sequence")
    print(f"Parameters:  {facts.parameters} ({SIZE} features of inputs and hidden state{where})")
    print(f"Form:        {facts.form}, runs on: {', '.join(facts.backends)}")
    for other in other_forms(name):
        print(f"  with cell.{other.option}={other.value}: {other.form}, runs on: {', '.join(other.backends)}")
    print(f"Maps:        {', '.join(facts.maps)}")
    print(f"Block:       {entry.cls.default_block} with model.block=auto")
    rows = [[f"cell.{key}", s.default, s.allowed, s.help] for key, s in settings_of(entry.cls).items()]
    print_table("Options", ("key", "default", "allowed", "meaning"), rows)
