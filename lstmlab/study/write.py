"""A comparison in files: tables in Markdown, CSV and JSON, and figures."""

from __future__ import annotations

from pathlib import Path

from lstmlab.study.compare import Comparison
from lstmlab.study.draw import draw
from lstmlab.study.formats import flat, json_text, markdown
from lstmlab.tracking.tables import write_csv


def write_comparison(comparison: Comparison, directory: Path, figures: str = "png") -> list[Path]:
    """Write ``comparison.md``, ``.csv``, ``.json`` and the figures of :func:`lstmlab.study.draw.draw`.

    With several tasks also ``comparison_over_tasks.csv``. The JSON holds everything: rows, every setting, every value.
    """
    written = [directory / f"comparison.{kind}" for kind in ("md", "csv", "json")]
    written[0].write_text(markdown(comparison), encoding="utf-8")
    write_csv(written[1], *flat(comparison.rows))
    written[2].write_text(json_text(comparison), encoding="utf-8")
    if comparison.over_tasks:
        written.append(directory / "comparison_over_tasks.csv")
        write_csv(written[-1], *flat(comparison.over_tasks))
    return written + draw(comparison, directory, figures)
