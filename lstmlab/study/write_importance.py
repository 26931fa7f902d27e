"""Which hyperparameters matter, in files: Markdown for people, CSV and JSON with plain numbers, plots."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from lstmlab.plots.importance import bars, scatters
from lstmlab.study.importance import Importance, on_log_scale
from lstmlab.study.interactions import FEWEST_RUNS
from lstmlab.tracking.plain import to_plain
from lstmlab.tracking.tables import markdown_table, write_csv

_CELL = "cell.name"
COLUMNS = ("key", "importance", "± over forests", "noise floor", "values tried")


def write_importance(result: Importance, directory: Path) -> list[Path]:
    """Write ``importance.json``, ``.csv``, ``.md``, ``.png`` (bars) and ``importance_scatter.png``."""
    written = [directory / f"importance.{kind}" for kind in ("json", "csv", "md", "png")]
    text = json.dumps(to_plain(dataclasses.asdict(result)), indent=2, ensure_ascii=False, allow_nan=False)
    written[0].write_text(text + "\n", encoding="utf-8")
    columns = list(result.rows[0])
    write_csv(written[1], columns, [[row[name] for name in columns] for row in result.rows])
    lines = "".join(f"* {line}\n" for line in notes(result))
    written[2].write_text(f"{markdown_table(COLUMNS, table_rows(result))}\n{lines}", encoding="utf-8")
    bars(
        written[3],
        {row["key"]: (row["importance"], row["sd"]) for row in result.rows},
        x_label="share of the variance explained alone",
        title=f"{result.task}: what matters for validation {result.metric}",
    )
    written.append(directory / "importance_scatter.png")
    values_of = {row["key"]: [setting[row["key"]] for setting in result.settings] for row in result.rows}
    scatters(
        written[-1],
        values_of,
        result.values,
        log=[key for key, values in values_of.items() if on_log_scale(values)],
        cells=[str(cell) for cell in values_of[_CELL]] if _CELL in values_of else None,
        y_label=f"validation {result.metric}",
        title=f"{result.task}: every run",
    )
    return written


def table_rows(result: Importance) -> list[list[str]]:
    """One formatted row per key, for ``COLUMNS``."""
    return [
        [row["key"], f"{row['importance']:.3f}", f"{row['sd']:.3f}", f"{row['floor']:.3f}", _tried(row)]
        for row in result.rows
    ]


def notes(result: Importance) -> list[str]:
    """What a reader has to know beside the table, a line each."""
    low = [row["key"] for row in result.rows if row["importance"] <= row["floor"]]
    lines = [
        _interactions(result),
        *([f"not told apart from noise, at or below their floors: {', '.join(low)}"] if low else []),
        f"from {len(result.values)} runs; importances whose difference is not large beside their ± are not told apart",
    ]
    if result.failed:
        lines.append(f"{result.failed} failed runs count with the worst finite validation {result.metric}")
    if result.left_out:
        lines.append(
            f"left out: {result.left_out} unfinished, replaced by newer runs, without a validation metric, or to "
            "confirm what a search has chosen"
        )
    return lines


def _interactions(result: Importance) -> str:
    if result.interactions is None:
        return f"interactions of keys: fewer than {FEWEST_RUNS} runs do not tell"
    rest = max(0.0, 1 - result.interactions - sum(row["importance"] for row in result.rows))
    return (
        f"interactions of keys explain {result.interactions:.3f} (on runs left out of the fit); "
        f"the other {rest:.3f} is noise or not resolved"
    )


def _tried(row: dict) -> str:
    if row["scale"] == "choice":
        return f"{row['distinct']} choices"
    log = ", on a log scale" if row["scale"] == "log" else ""
    return f"{row['distinct']} from {row['lowest']:g} to {row['highest']:g}{log}"
