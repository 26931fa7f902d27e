"""lstmlab detect: which rows of a file are anomalous."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from lstmlab.commands.arguments import run_parser
from lstmlab.commands.new_rows import add_file_arguments, read_new_rows
from lstmlab.config import ConfigError
from lstmlab.data.table import Table
from lstmlab.plots.anomaly import anomaly_plot
from lstmlab.tasks.series.anomaly.metrics import runs
from lstmlab.tasks.series.anomaly.scoring import Scorer
from lstmlab.tasks.series.anomaly.task import Anomaly
from lstmlab.training import Trained, load


def main(arguments: list[str]) -> None:
    """Write the score of every row as a table and as a picture, and print the periods that are flagged."""
    parser = run_parser("detect", "Score every row of a CSV file with a trained detector, and flag the anomalous ones.")
    add_file_arguments(parser, "detect")
    chosen = parser.parse_args(arguments)
    trained = load(chosen.run)
    task = trained.task
    if not isinstance(task, Anomaly) or task.scorer is None:
        raise ConfigError(f"{chosen.run} holds a run of task {task.name}, not one of task anomaly")
    needed = task.context + task.horizon
    why = (
        f"a score needs {needed}: task.context={task.context} to look back on and task.horizon={task.horizon} that are "
        "forecast"
    )
    table = read_new_rows(task, task.info, chosen.file, chosen.missing, needed, why)
    scores = score(trained, task, task.scorer, table)
    flags = np.nan_to_num(scores, nan=-np.inf) > task.scorer.threshold
    output = chosen.output or chosen.run / "detect"
    output.mkdir(parents=True, exist_ok=True)
    write(output / "scores.csv", table, scores, flags)
    anomaly_plot(
        output / "scores.png", table.values, scores, task.scorer.threshold, names=table.names, times=table.times,
        title=chosen.file.name,
    )  # fmt: skip
    for line in report(table, scores, flags):
        print(line)
    print(output / "scores.csv")
    print(output / "scores.png")


def score(trained: Trained, task: Anomaly, scorer: Scorer, table: Table) -> np.ndarray:
    """The score of every row; NaN for the first, which have not been forecast."""
    return scorer.scores(task.model_errors(trained, task.info.scaler.scale(table.values)))


def write(path: Path, table: Table, scores: np.ndarray, flags: np.ndarray) -> None:
    """One line per row: its time or number, its values, its score (empty where there is none), 1 if flagged, else 0."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row" if table.times is None else "time", *table.names, "score", "flagged"])
        for row, values in enumerate(table.values):
            shown = f"{scores[row]:.8g}" if np.isfinite(scores[row]) else ""
            writer.writerow([_when(table, row), *(f"{value:.10g}" for value in values), shown, int(flags[row])])


def report(table: Table, scores: np.ndarray, flags: np.ndarray) -> list[str]:
    """A line per flagged period, or one that says that there is none."""
    periods = runs(flags)
    scored = int(np.isfinite(scores).sum())
    if not periods:
        return [f"nothing flagged in {scored} rows"]
    lines = [f"{len(periods)} period{'s' * (len(periods) > 1)} flagged, {int(flags.sum())} of {scored} rows scored"]
    for first, end in periods:
        span = _when(table, first) if end - first == 1 else f"{_when(table, first)} to {_when(table, end - 1)}"
        rows = "1 row" if end - first == 1 else f"{end - first} rows"
        lines.append(f"  {span} ({rows}, highest score {scores[first:end].max():.4g})")
    return lines


def _when(table: Table, row: int) -> str:
    """The time of a row, or its number counted from 0."""
    return f"{row}" if table.times is None else str(table.times[row]).replace("T", " ")
