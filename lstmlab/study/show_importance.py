"""Which hyperparameters matter, on the terminal and in files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from lstmlab.plots.importance import bars, scatters
from lstmlab.study.importance import Importance, importance, on_log_scale
from lstmlab.tracking.plain import to_plain
from lstmlab.tracking.tables import markdown_table, print_table, write_csv

COLUMNS = ("key", "importance", "± over forests", "values tried")


def show_importance(
    directories: Sequence[str | Path],
    output: Path | None = None,
    *,
    cell: str | None = None,
    task: str | None = None,
) -> None:
    """Print which hyperparameters matter among the runs below the directories; write it to ``output`` if given.

    Raises ``RunError`` as :func:`lstmlab.study.importance.importance`.
    """
    found = importance(directories, cell=cell, task=task)
    cells = ", ".join(found.cells)
    print_table(f"What matters for the validation {found.metric} of {cells} on {found.task}", COLUMNS, _rows(found))
    for line in _lines(found):
        print(line)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        written = write_importance(found, output)
        print(f"written to {output}: {', '.join(path.name for path in written)}")


def write_importance(found: Importance, directory: Path) -> list[Path]:
    """Write ``importance.json``, ``.csv``, ``.md``, ``.png`` (bars) and ``importance_scatter.png``."""
    written = [directory / f"importance.{kind}" for kind in ("json", "csv", "md", "png")]
    text = json.dumps(to_plain(dataclasses.asdict(found)), indent=2, ensure_ascii=False, allow_nan=False)
    written[0].write_text(text + "\n", encoding="utf-8")
    columns = list(found.rows[0])
    write_csv(written[1], columns, [[row[name] for name in columns] for row in found.rows])
    lines = "".join(f"* {line}\n" for line in _lines(found))
    written[2].write_text(f"{markdown_table(COLUMNS, _rows(found))}\n{lines}", encoding="utf-8")
    bars(
        written[3],
        {row["key"]: (row["importance"], row["sd"]) for row in found.rows},
        x_label="share of the variance explained alone",
        title=f"{found.task}: what matters for validation {found.metric}",
    )
    written.append(directory / "importance_scatter.png")
    columns_of = {row["key"]: [setting[row["key"]] for setting in found.settings] for row in found.rows}
    scatters(
        written[-1],
        columns_of,
        found.values,
        log=[key for key, values in columns_of.items() if on_log_scale(values)],
        y_label=f"validation {found.metric}",
        title=f"{found.task}: every run",
    )
    return written


def _rows(found: Importance) -> list[list[str]]:
    return [
        [row["key"], f"{row['importance']:.3f}", f"{row['sd']:.3f}", _tried(row)] for row in found.rows
    ]  # fmt: skip


def _tried(row: dict) -> str:
    if row["scale"] == "choice":
        return f"{row['distinct']} choices"
    log = ", on a log scale" if row["scale"] == "log" else ""
    return f"{row['distinct']} from {row['lowest']:g} to {row['highest']:g}{log}"


def _lines(found: Importance) -> list[str]:
    lines = [
        f"interactions of keys explain the rest: {found.interactions:.3f}",
        f"from {len(found.values)} runs; importances whose difference is not large beside their ± are not told apart",
    ]
    if found.failed:
        lines.append(f"{found.failed} failed runs count with the worst finite validation {found.metric}")
    if found.left_out:
        lines.append(f"left out: {found.left_out} unfinished, replaced by newer runs or without a validation metric")
    return lines
