"""A comparison as a W&B run of its own, beside the runs that it compares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstmlab.study.compare import Comparison
from lstmlab.study.curves import curve_points
from lstmlab.study.table import table, table_over_tasks
from lstmlab.tracking.wandb_settings import WandbSettings
from lstmlab.tracking.wandb_sink import wandb_sinks

_BEST_MEMBER = ["task", "cell", "seed", "validation", "test", "directory"]
_BEST_VALUES = ("seed", "validation", "value", "directory")


def publish_comparison(
    comparison: Comparison, written: Sequence[Path], directory: Path, settings: WandbSettings
) -> None:
    """Send the tables, the curves with their intervals, the figures and the best members; never raises.

    A second comparison of the same directory continues the same W&B run. ``written`` are the files of
    :func:`~lstmlab.study.write.write_comparison`.
    """
    config = {
        "reference": comparison.reference,
        "by": list(comparison.by),
        "runs": sum(len(row["values"]) for row in comparison.rows),
    }
    for sink in wandb_sinks(directory, settings, config, resume=True):
        sink.table(0, "comparison", *table(comparison))
        if comparison.over_tasks:
            sink.table(0, "over_tasks", *table_over_tasks(comparison))
        sink.table(0, "best_members", _BEST_MEMBER, _best_members(comparison))
        for step, values in curve_points(comparison):
            sink.log(step, values)
        for path in written:
            if path.suffix == ".png":
                sink.image(0, path.stem, path)
        sink.finish({_row_name(row): row["value"] for row in comparison.rows if row["value"] is not None})


def _best_members(comparison: Comparison) -> list[list[Any]]:
    """The seed of each row that is best on validation."""
    members = []
    for row in comparison.rows:
        if row["values"]:
            pick = min if row["goal"] == "min" else max
            best = pick(row["values"], key=lambda value: value["validation"])
            members.append([row["task"], row["cell"], *(best[key] for key in _BEST_VALUES)])
    return members


def _row_name(row: dict[str, Any]) -> str:
    settings = (row["task_settings"] | row["by"]).items()
    return "/".join([row["task"], row["cell"], *(f"{key}={value}" for key, value in settings)])
