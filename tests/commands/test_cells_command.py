"""``lstmlab cells``: the catalogue of cells."""

import pytest
from small_runs import command

from lstmlab.cells import cell_entry, cell_names
from lstmlab.cells.base import Cell
from lstmlab.models.catalogue import cell_facts, other_forms
from lstmlab.settings import settings_of
from lstmlab.tracking.tables import cell_text


def test_the_catalogue_of_cells_has_every_cell_with_paper_and_options():
    shown = command("cells")
    assert shown.code == 0
    lines = shown.out.splitlines()
    for name in cell_names():
        entry = cell_entry(name)
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert entry.title in line
        assert entry.paper in line
        assert all(option in line for option in settings_of(entry.cls) if option not in settings_of(Cell))
    for option in settings_of(Cell):
        assert f"cell.{option}=" in shown.out


def test_the_catalogue_in_full_adds_what_each_cell_is_made_of():
    short, long = command("cells"), command("cells", "--verbose")
    assert (long.code, long.err) == (0, "")
    assert "parameters" not in short.out
    lines = long.out.splitlines()
    for name in cell_names():
        facts = cell_facts(name)
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        numbers = [str(facts.state_size), str(facts.parameters)]
        assert line.split()[-2:] == numbers
        for text in (facts.form, ", ".join(facts.backends), ", ".join(facts.maps), ", ".join(facts.state)):
            assert text in line


@pytest.mark.parametrize("name", cell_names())
def test_one_cell_is_shown_with_equations_options_gates_and_backends(name):
    shown, facts = command("cells", name), cell_facts(name)
    assert (shown.code, shown.err) == (0, "")
    entry = facts.entry
    assert shown.out.startswith(f"{name}: {entry.title}\n{entry.paper}\n")
    assert "``" not in shown.out and ".. math::" not in shown.out and ":math:" not in shown.out
    (equations,) = [entry.cls.__doc__.split(".. math::")[1].split("\n\n")[0]]
    for line in equations.splitlines():
        assert line.strip() in shown.out
    for text in (*facts.gates, *facts.state, *facts.backends, *facts.maps, f"{facts.parameters} ("):
        assert text in shown.out
    for other in other_forms(name):
        told = f"with cell.{other.option}={other.value}: {other.form}, runs on: {', '.join(other.backends)}"
        assert told in shown.out
    for key, option in settings_of(entry.cls).items():
        (line,) = [line for line in shown.out.splitlines() if line.split()[:1] == [f"cell.{key}"]]
        assert option.help in line
        assert all(cell_text(choice) in line for choice in (option.default, *option.choices))
