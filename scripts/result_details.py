"""The section of one row in docs/results.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from result_rows import Row
from result_words import bracket

from lstmlab.tracking.tables import cell_text, markdown_table

NOT_RECORDED = "not recorded"


def details(row: Row, record: Mapping[str, Any]) -> str:
    """Command, revision, versions, machine and data of a row, then all metrics and baselines."""
    versions = record["versions"] or {}
    steps = ", ".join(str(seed["steps"]) for seed in record["seeds"])
    facts = {
        "Command": f"`{record['command']}`",
        "Data": "part of the package, or generated" if row.data == "none" else f"`{row.data}`",
        "Data hash": record["data_hash"] or (NOT_RECORDED if not versions else "none: generated"),
        "Settings chosen on": f"{row.chosen_on}; {row.how}",
        "Revision": record["revision"] or NOT_RECORDED,
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()) or NOT_RECORDED,
        "Machine": f"{record['cpu']}, {record['cores']} cores ({record['device']})" if record["cpu"] else
        f"{record['device']}; model {NOT_RECORDED}",
        "Block and backend": f"{record['block'] or NOT_RECORDED}, {record['backend'] or NOT_RECORDED}",
        "Steps": steps,
        "Baselines": ", ".join(f"{name} {cell_text(value)}" for name, value in record["baselines"].items()),
    }  # fmt: skip
    lines = "".join(f"- {name}: {text}\n" for name, text in facts.items())
    return f"\n## {row.name}\n\n{lines}\n" + _metrics(record)


def _metrics(record: Mapping[str, Any]) -> str:
    """All metrics: test and validation with intervals, and the test value of every seed."""
    rows = []
    for name, test in record["test"].items():
        chance = record["binomial"].get(name)
        rows.append([
            name,
            cell_text(test["mean"]) + bracket(test),
            f"{chance['examples']} examples{bracket(chance)}" if chance else "–",
            _mean(record["validation"].get(name)),
            ", ".join(cell_text(seed["test"].get(name)) for seed in record["seeds"]),
        ])  # fmt: skip
    columns = ("metric", "test", "as a sample", "validation", "test of each seed")
    return markdown_table(columns, rows)


def _mean(interval: Mapping[str, Any] | None) -> str:
    return "–" if interval is None else cell_text(interval["mean"]) + bracket(interval)
