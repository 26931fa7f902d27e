"""A comparison as text for other programs and for papers, and its figures for papers."""

import csv
import json
import warnings
import xml.etree.ElementTree as ElementTree

import pytest

from lstmlab.plots.intervals import intervals
from lstmlab.plots.ranks import rank_diagram
from lstmlab.study import compare
from lstmlab.study.formats import latex_table
from lstmlab.study.show import show_comparison


@pytest.fixture
def runs(make_run, tmp_path):
    for seed in range(3):
        make_run(f"lstm{seed}", f"seed={seed}", value=0.1 + 0.02 * seed)
    make_run("gru0", "cell=gru", value=0.005)
    return tmp_path


def test_csv_and_json_on_standard_output_can_be_read(runs, capsys):
    rows = compare([runs]).rows
    show_comparison([runs], form="csv")
    printed = capsys.readouterr()
    assert [float(row["value"]) for row in csv.DictReader(printed.out.splitlines())] == [row["value"] for row in rows]
    assert "fewer than 3 seeds" in printed.err
    show_comparison([runs], form="json")
    assert json.loads(capsys.readouterr().out)["rows"] == rows


def test_latex_has_the_rules_of_booktabs_and_the_verdicts_as_comments(runs, capsys):
    show_comparison([runs], form="latex")
    printed = capsys.readouterr().out
    for rule in (r"\begin{tabular}{", r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}"):
        assert printed.count(rule) == 1
    assert r"test mean [95 \% t interval]" in printed
    assert "% adding: fewer than 3 seeds, which rank nothing: gru" in printed
    header, *rows = [line for line in printed.splitlines() if line.endswith(r"\\")]
    assert {row.count("&") for row in rows} == {header.count("&")}


def test_what_latex_would_read_as_a_command_is_escaped():
    table = latex_table(["a_b"], [[r"50% & {x} \end"], ["–"]])
    assert r"a\_b \\" in table
    assert r"50\% \& \{x\} \textbackslash{}end \\" in table


def test_figures_for_papers_are_as_wide_as_a_column_and_carry_their_fonts(tmp_path):
    dots = {"lstm": (0.2, 0.1, 0.3), "gru": (0.4, 0.3, 0.5)}
    for kind in ("svg", "pdf"):
        intervals(tmp_path / f"figure.{kind}", dots, x_label="test mse", title="adding")
    svg = ElementTree.parse(tmp_path / "figure.svg").getroot()
    assert float(svg.get("width").removesuffix("pt")) == pytest.approx(3.35 * 72, abs=1)
    assert not list(svg.iter("{http://www.w3.org/2000/svg}text"))
    assert b"/FontFile2" in (tmp_path / "figure.pdf").read_bytes()


def test_long_titles_take_no_room_from_figures_for_papers(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib's, of a layout for which there is no room
        rank_diagram(tmp_path / "ranks.svg", {"lstm": 1.0, "gru": 2.0}, 0.5, [], "Average ranks over tasks " * 5)


def test_figures_of_a_comparison_have_the_kind_that_was_asked_for(runs, capsys):
    _, written = show_comparison([runs], runs / "out", figures="svg")
    assert {path.name for path in written if path.suffix not in (".md", ".csv", ".json")} == {
        "comparison_adding.svg", "comparison_adding_intervals.svg",
    }  # fmt: skip
    assert all(path.exists() for path in written)
