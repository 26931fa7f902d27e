"""docs/cells.md is what the cells say of themselves."""

import importlib.util
import re
from pathlib import Path

import pytest

from lstmlab.cells import Cell, cell_entry, cell_names, register_cell
from lstmlab.cells.registry import CELLS, FAMILIES

ROOT = Path(__file__).resolve().parents[2]
OURS = [name for name in cell_names() if cell_entry(name).cls.__module__.startswith("lstmlab.")]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("build_cells_page", ROOT / "scripts" / "build_cells_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(script):
    return script.page()


def test_the_page_is_up_to_date(page):
    # Not an assertion on the texts: their difference would hide the command.
    if (ROOT / "docs" / "cells.md").read_text(encoding="utf-8") != page:
        pytest.fail("docs/cells.md is out of date: run python scripts/build_cells_page.py")


def test_every_cell_has_one_section_below_its_family_and_one_row(page):
    headings = re.findall(r"^(##+) (.*)$", page, re.MULTILINE)
    family, found = None, {}
    for level, text in headings:
        if level == "##":
            family = text.removeprefix("Family: ")
        else:
            found.setdefault(text, []).append(family)
    assert found == {name: [cell_entry(name).family] for name in OURS}
    # Anchors ignore case, and a second one of a name would get a number.
    anchors = [text.lower() for _, text in headings]
    assert len(set(anchors)) == len(anchors)
    for name in OURS:
        assert len(re.findall(rf"^\| \[{name}\]\(#{name}\) \|", page, re.MULTILINE)) == 1
        assert cell_entry(name).paper in page


def test_the_families_of_the_packages_cells_are_known():
    assert {cell_entry(name).family for name in OURS} <= set(FAMILIES)


def test_no_restructured_text_is_left_and_every_link_leads_somewhere(page):
    words = re.sub(r"^```math\n.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    for mark in (".. ", ":math:", ":class:", ":meth:", ":func:", "``", r"\\"):
        assert mark not in words, mark
    anchors = {f"#{text.lower()}" for text in re.findall(r"^### (.*)$", page, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]*)\)", words):
        assert target in anchors if target.startswith("#") else (ROOT / "docs" / target).exists(), target


def test_equations_are_whole(page):
    blocks = re.findall(r"^```math\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= len(OURS)
    for block in blocks:
        assert block.strip()
        assert "`" not in block and "\n\n" not in block
        assert len(re.findall(r"(?<!\\)\{", block)) == len(re.findall(r"(?<!\\)\}", block)), block
        environments = re.findall(r"\\(begin|end)\{aligned\}", block)
        assert environments == (["begin", "end"] if "&" in block or len(block.splitlines()) > 1 else []), block


def test_docstrings_become_markdown(script):
    docstring = r"""A cell with :math:`a_t
    \le 1` and ``h``, see :class:`~lstmlab.cells.Cell`.

    .. math:: h = x

    Between.

    .. math::
        h &= x \\
        y &= \text{two}

    * a list
    """
    assert script.markdown(docstring) == (
        "A cell with $`a_t \\le 1`$ and `h`, see `Cell`.\n\n```math\nh = x\n```\n\nBetween.\n\n"
        "```math\n\\begin{aligned}\nh &= x \\\\\ny &= \\text{two}\n\\end{aligned}\n```\n\n* a list\n"
    )


def test_cells_of_ones_own_stay_out(script, page, monkeypatch):
    monkeypatch.setattr(CELLS, "entries", dict(CELLS.entries))
    register_cell("mine", title="mine", paper="none")(type("Mine", (Cell,), {"gates": ("candidate",)}))
    assert cell_entry("mine").family == "other"
    assert script.page() == page


def test_check_tells_an_old_page_from_a_new_one(script, page, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(script, "PAGE", tmp_path / "cells.md")
    monkeypatch.setattr("sys.argv", ["build_cells_page.py", "--check"])
    assert script.main() == 1
    assert "run python scripts/build_cells_page.py" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["build_cells_page.py"])
    assert script.main() == 0
    assert (tmp_path / "cells.md").read_text(encoding="utf-8") == page
    monkeypatch.setattr("sys.argv", ["build_cells_page.py", "--check"])
    assert script.main() == 0
