"""Records of rows: what the runs of all seeds gave, and on what they ran."""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bench_machine
from result_rows import RECORDS, Row, leave

from lstmlab.config import compose
from lstmlab.study.runs import Run, read_runs
from lstmlab.study.statistics import binomial_interval, mean_interval
from lstmlab.tasks.batching import ClassificationTask, Generated
from lstmlab.tasks.task import Task
from lstmlab.tracking.files import RunError
from lstmlab.tracking.plain import to_plain

SAME = ("task", "cell", "metric", "goal", "parameters", "block", "backend", "device", "data_hash", "versions")
"""what all seeds of a row must agree in"""
SPLITS = ("test", "validation")
PER_SEQUENCE = ("sequence_accuracy", "within_0.04")
"""shares of right sequences among those that a task generates"""


def finished_runs(directory: Path, seeds: int) -> list[Run]:
    """The runs of a sweep in the order of their seeds; exits with one line unless all seeds have finished."""
    try:
        runs = read_runs([directory])
    except RunError as error:
        leave(str(error))
    if bad := [run for run in runs if not run.finished]:
        leave(f"{bad[0].directory}, seed {bad[0].seed}: {bad[0].reason}")
    if found := [seed for seed in range(seeds) if sum(run.seed == seed for run in runs) != 1]:
        leave(f"{directory} holds not one run of seed {found[0]}")
    return sorted((run for run in runs if run.seed in range(seeds)), key=lambda run: str(run.seed).zfill(9))


def make_record(row: Row, runs: Sequence[Run], revision: str, data_dir: str | None) -> dict[str, Any]:
    """The record of the finished runs of one row; exits with one line where they are not of one kind."""
    first = runs[0].summary
    for key in SAME:
        if differing := [run for run in runs if run.summary.get(key) != first.get(key)]:
            leave(f"{differing[0].directory}: {key} is {differing[0].summary.get(key)}, not {first.get(key)}")
    content: dict[str, Any] = {key: first.get(key) for key in SAME}
    content["versions"] = first["versions"] | {name: importlib.metadata.version(name) for name in ("numpy", "scipy")}
    content |= {
        "command": " ".join(["lstmlab", *row.command(len(runs))]),
        "revision": revision,
        "cpu": bench_machine.cpu(),
        "cores": bench_machine.cores(),
        "minutes": sum(sum(run.summary["seconds"].values()) for run in runs) / 60,
        "baselines": first["baselines"],
        "seeds": [_of_seed(run) for run in runs],
    }
    content |= {split: intervals([seed[split] for seed in content["seeds"]]) for split in SPLITS}
    task = compose(row.words(data_dir or "")).task
    content["binomial"] = binomial(content["test"], test_examples(task, content["test"]))
    return content


def intervals(values: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """Mean over seeds and its 95 % t interval by metric; a metric that a seed does not have has none."""
    names = dict.fromkeys(name for seed in values for name in seed)
    found = {}
    for name in names:
        seeds = [seed.get(name, math.nan) for seed in values]
        mean, low, high = mean_interval(seeds) if all(map(math.isfinite, seeds)) else (None, None, None)
        found[name] = {"mean": mean, "low": low, "high": high}
    return found


def binomial(test: Mapping[str, Any], examples: Mapping[str, int]) -> dict[str, dict[str, float | int | None]]:
    """Wilson's interval of every mean share of right test examples."""
    return {
        name: {"examples": count, **binomial_interval(test[name]["mean"], count)._asdict()}
        for name, count in examples.items()
        if test[name]["mean"] is not None
    }


def test_examples(task: Task, metrics: Mapping[str, Any]) -> dict[str, int]:
    """Number of test examples by those metrics that are shares of independent ones, each right or wrong."""
    if isinstance(task, ClassificationTask):
        return {"accuracy": task.rows("test")}
    if isinstance(task, Generated):
        return {name: task.eval_examples for name in PER_SEQUENCE if name in metrics}
    return {}


def read_record(name: str) -> dict[str, Any]:
    """The record of a row; exits with one line where there is none."""
    path = RECORDS / f"{name}.json"
    if not path.exists():
        leave(f"{name} has no record yet: make reproduce ROW={name} RECORD=1")
    return json.loads(path.read_text(encoding="utf-8"))


def write_record(name: str, content: Mapping[str, Any]) -> Path:
    """Write the record of a row; returns its file."""
    path = RECORDS / f"{name}.json"
    text = json.dumps(to_plain(content), indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def _of_seed(run: Run) -> dict[str, Any]:
    summary = run.summary
    return {
        "seed": run.seed,
        **{split: summary[split] for split in SPLITS},
        "steps": summary["steps"],
        "best_step": summary["best_step"],
        "minutes": sum(summary["seconds"].values()) / 60,
    }
