"""A comparison in files: tables in Markdown, CSV and JSON, and figures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlab.study.compare import Comparison
from lstmlab.study.draw import draw
from lstmlab.study.table import left_out_lines, table, table_over_tasks
from lstmlab.tracking.plain import to_plain
from lstmlab.tracking.tables import markdown_table, write_csv

LEGEND = (
    "The mean over seeds (IQM: the interquartile mean, from 12 seeds) has its 95 % t interval in brackets; "
    "P(better than X) is the probability that a run of the cell beats a run of X, with Newcombe's interval. Settings "
    "are chosen on validation. docs/statistics.md has the methods.\n"
)


def write_comparison(comparison: Comparison, directory: Path) -> list[Path]:
    """Write ``comparison.md``, ``.csv``, ``.json`` and the figures of :func:`lstmlab.study.draw.draw`.

    With several tasks also ``comparison_over_tasks.csv``. The JSON holds everything: rows, every setting, every value.
    """
    written = [directory / f"comparison.{kind}" for kind in ("md", "csv", "json")]
    written[0].write_text(_markdown(comparison), encoding="utf-8")
    write_csv(written[1], *flat(comparison.rows))
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
    text = json.dumps(to_plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    written[2].write_text(text + "\n", encoding="utf-8")
    if comparison.over_tasks:
        written.append(directory / "comparison_over_tasks.csv")
        write_csv(written[-1], *flat(comparison.over_tasks))
    return written + draw(comparison, directory)


def flat(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of scalars: settings as ``key=value`` separated by spaces, without the values of seeds."""
    columns = [name for name in rows[0] if not isinstance(rows[0][name], list)]
    return columns, [[_scalar(row[name]) for name in columns] for row in rows]


def _scalar(value: Any) -> Any:
    return " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value


def _markdown(comparison: Comparison) -> str:
    parts = [markdown_table(*table(comparison))]
    if comparison.over_tasks:
        parts.append(markdown_table(*table_over_tasks(comparison)))
    parts.append(LEGEND)
    lines = [*comparison.verdicts, *comparison.mixtures, *comparison.notes, *left_out_lines(comparison)]
    if lines:
        parts.append("".join(f"* {line}\n" for line in lines))
    return "\n".join(parts)
