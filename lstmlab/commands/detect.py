"""``lstmlab detect``: which rows of a file are anomalous."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from lstmlab.commands._input_file import add_file_arguments, read_input_file
from lstmlab.commands._parser import run_parser_for
from lstmlab.config import ConfigError
from lstmlab.data.table import Table
from lstmlab.plots.anomaly import anomaly_plot
from lstmlab.tasks.series.anomaly.metrics import runs
from lstmlab.tasks.series.anomaly.task import Anomaly
from lstmlab.tasks.series.anomaly_scores import Scorer
from lstmlab.training import Trained, load


def main(arguments: list[str]) -> None:
    """Score every row of a CSV file with a trained detector, and flag the anomalous ones."""
    parser = run_parser_for(main)
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
    table = read_input_file(task, task.info, chosen, needed, why)
    scores = score(trained, task, task.scorer, table)
    flags = np.nan_to_num(scores, nan=-np.inf) > task.scorer.threshold
    output = chosen.output or chosen.run / "detect"
    output.mkdir(parents=True, exist_ok=True)
    write(output / "scores.csv", table, scores, flags)
    anomaly_plot(
        output / "scores.png", table.values, scores, task.scorer.threshold, names=table.names,
        times=table.local_times, title=chosen.file.name,
    )  # fmt: skip
    for line in report(table, scores, flags):
        print(line)
    print(output / "scores.csv")
    print(output / "scores.png")


def score(trained: Trained, task: Anomaly, scorer: Scorer, table: Table) -> np.ndarray:
    """The score of every row, ``[rows]``; NaN for the first, for which there is no forecast."""
    return scorer.scores(task.model_errors(trained, task.info.scaler.scale(table.values)))


def write(path: Path, table: Table, scores: np.ndarray, flags: np.ndarray) -> None:
    """One line per row: its time or number, its values, its score (empty where there is none), 1 if flagged, else 0."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row" if table.times is None else "time", *table.names, "score", "flagged"])
        times = table.written_times()
        for row, values in enumerate(table.values):
            score_text = f"{scores[row]:.8g}" if np.isfinite(scores[row]) else ""
            writer.writerow([times[row], *(f"{value:.10g}" for value in values), score_text, int(flags[row])])


def report(table: Table, scores: np.ndarray, flags: np.ndarray) -> list[str]:
    """One line per flagged period, after one with their number."""
    periods = runs(flags)
    scored = int(np.isfinite(scores).sum())
    if not periods:
        return [f"nothing flagged in {scored} rows"]
    lines = [f"{len(periods)} period{'s' * (len(periods) > 1)} flagged, {int(flags.sum())} of {scored} rows scored"]
    times = table.written_times()
    for first, end in periods:
        span = times[first] if end - first == 1 else f"{times[first]} to {times[end - 1]}"
        rows = "1 row" if end - first == 1 else f"{end - first} rows"
        lines.append(f"  {span} ({rows}, highest score {scores[first:end].max():.4g})")
    return lines
