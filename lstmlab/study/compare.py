"""The comparison of finished runs: one row per cell, means over seeds, the trivial baseline beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from omegaconf import OmegaConf

from lstmlab.tracking.files import SUMMARY, RunError, read_metrics, read_summary, series
from lstmlab.tracking.plots import curves
from lstmlab.tracking.tables import markdown_table, write_csv

COLUMNS = (
    "task", "cell", "parameters", "state", "metric", "mean", "± sd", "seeds", "baseline", "learned",
    "solved", "steps/s",
)  # fmt: skip
_NOT_SETTINGS = ("seed", "name", "resume", "wandb", "data")


class Comparison(NamedTuple):
    """Rows of a comparison, best first within each task, and what could not be compared."""

    rows: list[dict[str, Any]]
    failed: list[str]

    def cells(self) -> list[list[Any]]:
        """The rows as lists in the order of ``COLUMNS``."""
        return [[row[column] for column in COLUMNS] for row in self.rows]


def compare(directories: Sequence[str | Path]) -> Comparison:
    """Compare the runs found below the given directories.

    Runs of the same task, cell and settings are one group; its row gives the mean and the standard deviation of the
    test metric over seeds. Raises ``RunError`` when no finished run is found.
    """
    runs = find_runs(directories)
    finished, failed = [], []
    for directory in runs:
        if not (directory / SUMMARY).exists():
            failed.append(f"{directory}: not finished")
            continue
        summary = read_summary(directory)
        if summary["status"] == "finished":
            finished.append((directory, summary))
        else:
            failed.append(f"{directory}: {summary.get('error', 'failed')}")
    if not finished:
        reasons = f" ({'; '.join(failed)})" if failed else ""
        raise RunError(f"no finished run in {', '.join(map(str, directories))}{reasons}")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    labels = setting_labels([directory for directory, _ in finished])
    for directory, summary in finished:
        groups.setdefault((summary["task"], summary["cell"], labels[directory]), []).append(summary)
    rows = [_row(key, members) for key, members in groups.items()]
    rows.sort(key=lambda row: (row["task"], row["_order"]))
    return Comparison(rows, failed)


def find_runs(directories: Sequence[str | Path]) -> list[Path]:
    """Run directories (those with a ``config.yaml`` of a run) at or below the given ones, in order."""
    found: dict[Path, Path] = {}
    for directory in map(Path, directories):
        if not directory.is_dir():
            raise RunError(f"{directory} is not a directory")
        paths = sorted(path.parent for path in directory.rglob("config.yaml") if path.parent.name != ".hydra")
        # One run is one run, also where the given directories overlap.
        found |= {path.resolve(): path for path in paths if path.resolve() not in found}
    return list(found.values())


def setting_labels(directories: Sequence[Path]) -> dict[Path, str]:
    """What tells runs apart beyond cell, task and seed, such as ``model.hidden_size=64``.

    A key is named where runs of the same task differ in it; an option of a cell, where runs of that cell do.
    """
    flat = {directory: flat_config(directory) for directory in directories}

    def peers(own: dict[str, str], key: str) -> list[str]:
        same = ["task.name"] + (["cell.name"] if key.startswith("cell.") else [])
        return [o[key] for o in flat.values() if key in o and all(o[k] == own[k] for k in same)]

    def label(own: dict[str, str]) -> str:
        keys = [k for k in own if k.split(".")[0] not in _NOT_SETTINGS and k != "cell.name"]
        return " ".join(f"{k}={own[k]}" for k in sorted(keys) if len(set(peers(own, k))) > 1)

    return {directory: label(own) for directory, own in flat.items()}


def write_comparison(comparison: Comparison, directory: Path, runs: Sequence[Path]) -> list[Path]:
    """Write ``comparison.md``, ``.csv``, ``.json`` and one picture of validation curves per task."""
    rows = comparison.cells()
    (directory / "comparison.md").write_text(markdown_table(COLUMNS, rows), encoding="utf-8")
    write_csv(directory / "comparison.csv", COLUMNS, rows)
    plain = [{k: v for k, v in row.items() if not k.startswith("_")} for row in comparison.rows]
    text = json.dumps({"rows": plain, "failed": comparison.failed}, indent=2, ensure_ascii=False)
    (directory / "comparison.json").write_text(text + "\n", encoding="utf-8")
    pictures = [_draw(task, directory, runs) for task in dict.fromkeys(r["task"] for r in comparison.rows)]
    return [directory / f"comparison.{kind}" for kind in ("md", "csv", "json")] + pictures


def _row(key: tuple[Any, ...], members: list[dict[str, Any]]) -> dict[str, Any]:
    task, cell, label = key
    first = members[0]
    values = np.asarray([m["value"] for m in members], float)
    better = min if first["goal"] == "min" else max
    name, baseline = better(first["baselines"].items(), key=lambda item: item[1])
    solved = [bool(m["solved"]) for m in members if m["solved"] is not None]
    mean = float(values.mean())
    return {
        "task": task,
        "cell": f"{cell} {label}".strip(),
        "parameters": first["parameters"],
        "state": first["state_size"],
        "metric": first["metric"],
        "mean": f"{mean:.4g}",
        "± sd": f"{values.std(ddof=1):.2g}" if len(values) > 1 else "–",
        "seeds": len(values),
        "baseline": f"{baseline:.4g} ({name})",
        "learned": f"{sum(m['beats_baseline'] for m in members)}/{len(members)}",
        "solved": f"{sum(solved)}/{len(solved)}" if solved else "–",
        "steps/s": f"{np.median([m['steps_per_second'] for m in members]):.1f}",
        "_order": math.inf if math.isnan(mean) else mean if first["goal"] == "min" else -mean,
    }


def _draw(task: str, directory: Path, runs: Sequence[Path]) -> Path:
    """Validation curves of every cell on one task: the mean over seeds."""
    collected: dict[str, list[tuple[list[int], list[float]]]] = {}
    # The runs of the table, so that curves and rows have the same names.
    summaries = {run: read_summary(run) for run in runs if (run / SUMMARY).exists()}
    finished = [run for run, summary in summaries.items() if summary["status"] == "finished"]
    labels = setting_labels(finished)
    finished = [run for run in finished if summaries[run]["task"] == task]
    metric, baselines = summaries[finished[0]]["metric"], summaries[finished[0]]["baselines"]
    for run in finished:
        name = f"{summaries[run]['cell']} {labels[run]}".strip()
        collected.setdefault(name, []).append(series(read_metrics(run), f"validation/{metric}"))
    lines = {name: _mean_curve(parts) for name, parts in collected.items()}
    path = directory / f"comparison_{task}.png"
    curves(
        path, lines, x_label="optimiser steps", y_label=f"validation {metric}",
        title=f"{task}: validation {metric} by cell", baselines=dict([next(iter(baselines.items()))]),
    )  # fmt: skip
    return path


def _mean_curve(parts: Sequence[tuple[list[int], list[float]]]) -> tuple[list[int], list[float]]:
    """The mean at the steps that all parts have."""
    shared = sorted(set.intersection(*(set(xs) for xs, _ in parts)))
    tables: list[Mapping[int, float]] = [dict(zip(xs, ys, strict=True)) for xs, ys in parts]
    return shared, [float(np.mean([table[x] for table in tables])) for x in shared]


def flat_config(directory: Path) -> dict[str, str]:
    """The run's configuration by dotted key."""
    tree = OmegaConf.to_container(OmegaConf.load(directory / "config.yaml"))
    assert isinstance(tree, dict)
    flat: dict[str, str] = {}
    for section, values in tree.items():
        for key, value in values.items() if isinstance(values, dict) else [("", values)]:
            flat[f"{section}.{key}".rstrip(".")] = str(value)
    return flat
