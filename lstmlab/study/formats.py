"""A comparison as text: Markdown, CSV, JSON, and LaTeX for a paper."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lstmlab.study.compare import Comparison
from lstmlab.study.table import left_out_lines, table, table_over_tasks
from lstmlab.tracking.plain import to_plain
from lstmlab.tracking.tables import markdown_table, numeric_columns

LEGEND = (
    "The mean over seeds (IQM: the interquartile mean, from 12 seeds) has its 95 % t interval in brackets; "
    "P(better than X) is the probability that a run of the cell beats a run of X, with Newcombe's interval. Settings "
    "are chosen on validation. docs/statistics.md has the methods.\n"
)
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "−": "$-$", "<": "$<$", ">": "$>$",
}  # fmt: skip


def markdown(comparison: Comparison) -> str:
    """The tables, a legend, and all lines about them."""
    parts = [markdown_table(*table(comparison))]
    if comparison.over_tasks:
        parts.append(markdown_table(*table_over_tasks(comparison)))
    parts.append(LEGEND)
    if lines := lines_of(comparison):
        parts.append("".join(f"* {line}\n" for line in lines))
    return "\n".join(parts)


def csv_text(comparison: Comparison) -> str:
    """One row per task and cell, with all digits of every number."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns, rows = flat(comparison.rows)
    writer.writerows([columns, *rows])
    return stream.getvalue()


def json_text(comparison: Comparison) -> str:
    """Everything: rows, every setting, every value."""
    content = {
        "reference": comparison.reference,
        "by": comparison.by,
        "rows": comparison.rows,
        "over_tasks": comparison.over_tasks,
        "ranks": dataclasses.asdict(comparison.across.ranks) if comparison.across.ranks else None,
        "settings": comparison.settings,
        "left_out": comparison.left_out,
        "notes": comparison.notes,
        "mixtures": comparison.mixtures,
        "verdicts": comparison.verdicts,
    }
    return json.dumps(to_plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def latex(comparison: Comparison) -> str:
    r"""``tabular`` environments for the package booktabs, with the lines about them as comments."""
    parts = [latex_table(*table(comparison))]
    if comparison.over_tasks:
        parts.append(latex_table(*table_over_tasks(comparison)))
    comments = "".join(f"% {line}\n" for line in [LEGEND.strip(), *lines_of(comparison)])
    return "% needs \\usepackage{booktabs}\n" + "\n".join(parts) + comments


def latex_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A ``tabular`` with the rules of booktabs; columns of numbers are aligned right."""
    cells = [list(row) for row in rows]
    aligned = "".join("r" if numeric else "l" for numeric in numeric_columns(columns, cells))
    lines = [" & ".join(map(_escaped, row)) + r" \\" for row in [columns, *cells]]
    body = "\n".join(lines[1:])
    return (
        f"\\begin{{tabular}}{{{aligned}}}\n\\toprule\n{lines[0]}\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n"
    )


FORMATS: Mapping[str, Callable[[Comparison], str]] = {
    "csv": csv_text, "json": json_text, "markdown": markdown, "latex": latex,
}  # fmt: skip


def lines_of(comparison: Comparison) -> list[str]:
    """Verdicts, mixtures, notes, and runs without a result."""
    return [*comparison.verdicts, *comparison.mixtures, *comparison.notes, *left_out_lines(comparison)]


def flat(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of scalars: settings as ``key=value`` separated by spaces, without the values of seeds."""
    columns = [name for name in rows[0] if not isinstance(rows[0][name], list)]
    return columns, [[_scalar(row[name]) for name in columns] for row in rows]


def _scalar(value: Any) -> Any:
    return " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value


def _escaped(text: str) -> str:
    return re.sub(r"[\\{}_%&#$~^–−<>]", lambda match: _LATEX[match[0]], " ".join(text.split()))
