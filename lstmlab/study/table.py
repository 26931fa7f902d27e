"""A comparison as tables of text, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmlab.study.compare import Comparison
from lstmlab.study.groups import with_values

Table = tuple[list[str], list[list[str]]]


def table(comparison: Comparison) -> Table:
    """Columns and rows of the tasks; a column that is empty in every row is left out."""
    versus = f"P(better than {comparison.reference})"
    value = value_header(comparison)
    told = [key for key in ("split", "statistic") if len({row[key] for row in comparison.rows}) > 1]

    def which(row: Mapping[str, Any]) -> str:
        return f" ({', '.join(row[key] for key in told)})" if told else ""

    rows = [
        {
            "task": with_values(row["task"], row["task_settings"]),
            "cell": with_values(row["cell"], row["by"]),
            "parameters": _text(row["parameters"]),
            "hidden/state": f"{_text(row['hidden_size'])}/{_text(row['state_size'])}",
            value: f"{_interval(row['value'], row['low'], row['high'])} {row['metric'] or ''}{which(row)}".strip(),
            "seeds": _seeds(row),
            "baseline": f"{row['baseline']:.4g} ({row['baseline_name']})" if row["baseline"] is not None else "–",
            "learned": _of(row["learned"], row),
            "solved": _solved(row),
            "steps/s": f"{row['steps_per_second']:.1f}" if row["steps_per_second"] is not None else "–",
            versus: _interval(row["improvement"], row["improvement_low"], row["improvement_high"], ".2f"),
            "best setting": _best_setting(row),
        }
        for row in comparison.rows
    ]
    return _columns(rows)


def value_header(comparison: Comparison) -> str:
    """Which split, statistic and interval is shown, such as ``test mean [95 % t]``."""
    names = " ".join("/".join(dict.fromkeys(row[key] for row in comparison.rows)) for key in ("split", "statistic"))
    shown = any(row["low"] is not None for row in comparison.rows)
    return f"{names} [95 % t interval]" if shown else names


def table_over_tasks(comparison: Comparison) -> Table:
    """Columns and rows of the cells over all tasks."""
    versus = f"P(better than {comparison.reference})"
    rows = [
        {
            "cell": with_values(row["cell"], row["by"]),
            "tasks": str(row["tasks"]),
            "runs": f"{row['runs'] - row['failed']}/{row['runs']}" if row["failed"] else str(row["runs"]),
            "average rank": f"{row['rank']:.2f}" if row["rank"] is not None else "–",
            "mean score [95 % t interval]": _interval(row["score"], row["low"], row["high"], ".3f"),
            versus: _interval(row["improvement"], row["improvement_low"], row["improvement_high"], ".2f"),
        }
        for row in comparison.over_tasks
    ]
    return _columns(rows)


def left_out_lines(comparison: Comparison) -> list[str]:
    """One line per reason why runs have no result."""
    lines = []
    for entry in comparison.left_out:
        runs = "1 run" if entry["count"] == 1 else f"{entry['count']} runs"
        first = entry["directories"][0] if entry["count"] == 1 else f"first: {entry['directories'][0]}"
        lines.append(f"left out: {runs} {entry['status']}: {entry['reason']} ({first})")
    return lines


def _columns(rows: Sequence[Mapping[str, str]]) -> Table:
    columns = [name for name in (rows[0] if rows else ()) if any(row[name] != "–" for row in rows)]
    return columns, [[row[name] for name in columns] for row in rows]


def _interval(value: float | None, low: float | None, high: float | None, form: str = ".4g") -> str:
    if value is None:
        return "–"
    return f"{value:{form}}" if low is None else f"{value:{form}} [{low:{form}}, {high:{form}}]"


def _seeds(row: Mapping[str, Any]) -> str:
    """How many seeds have a result; ``14/16`` if two of 16 have none."""
    return _of(row["seeds"], row) if row["failed"] or row["unfinished"] else str(row["seeds"])


def _of(count: int | None, row: Mapping[str, Any]) -> str:
    return "–" if count is None else f"{count}/{row['seeds'] + row['failed'] + row['unfinished']}"


def _solved(row: Mapping[str, Any]) -> str:
    if not row["solved"]:
        return _of(row["solved"], row)
    steps, seconds = row["steps_to_solved"], row["seconds_to_solved"]
    when = [f"{steps:.0f} steps"] * (steps is not None) + [f"{seconds:.3g} s"] * (seconds is not None)
    return " ".join([_of(row["solved"], row), ", ".join(when)]).strip()


def _best_setting(row: Mapping[str, Any]) -> str:
    """The setting that is shown and among how many it was chosen; a dash where there was no choice."""
    if not row["setting"]:
        return "–"
    values = " ".join(f"{key}={value}" for key, value in row["setting"].items())
    tried = f", {row['settings_tried']} tried" if row["settings_tried"] > row["settings_compared"] else ""
    return f"{values} (of {row['settings_compared']}{tried})"


def _text(value: Any) -> str:
    return "–" if value is None else str(value)
