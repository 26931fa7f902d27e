"""The table of results, estimates with their intervals, and what several tasks say together."""

from __future__ import annotations

from typing import Any

from lstmlab.plots.comparison import better
from lstmlab.report.blocks import Figure, Folded, Lines, Section, Table
from lstmlab.report.collected import Collected
from lstmlab.report.figures.intervals import Row, intervals
from lstmlab.report.figures.ranks import ranks
from lstmlab.study.curves import metric_of, metric_with_split
from lstmlab.study.draw import best_baseline_of
from lstmlab.study.groups import with_values
from lstmlab.study.table import table, table_over_tasks
from lstmlab.study.tuning import Chosen

_MOST_DIRECTORIES = 50


def results(collected: Collected) -> Section:
    """One row per task and cell, and the interval of each."""
    comparison = collected.comparison
    columns, rows = table(comparison)
    colours = [collected.styles[chosen.entry.label].colour for chosen in comparison.chosen]
    caption = (
        "A click on a heading sorts. hidden/state: features of a layer, and numbers that all states hold together. "
        "learned: runs that are better than the best baseline. solved: runs that have reached what counts as solved in "
        "this task, and after how many steps and seconds (median). Settings are chosen on validation."
    )
    blocks: list[Any] = [Table(columns, rows, caption, colours)]
    blocks += [_intervals(task, of_task, collected) for task, of_task in collected.tasks.items()]
    return Section("results", "Results", blocks)


def over_tasks(collected: Collected) -> Section:
    """Scores and ranks over tasks; empty below two tasks."""
    across = collected.comparison.across
    blocks: list[Any] = []
    if across.rows:
        labels = [with_values(row["cell"], row["by"]) for row in across.rows]
        columns, rows = table_over_tasks(collected.comparison)
        caption = "Score 0 is the best baseline, 1 the reference or perfect value, −1 a failed run."
        blocks.append(Table(columns, rows, caption, [collected.styles[label].colour for label in labels]))
        scored = {
            label: Row(row["score"], row["low"], row["high"])
            for label, row in zip(labels, across.rows, strict=True) if row["score"] is not None
        }  # fmt: skip
        if scored:
            alt = "; ".join(f"{name} {row.value:.3f}" for name, row in scored.items())
            figure = intervals(scored, collected.styles, x_label="mean score over tasks")
            blocks.append(Figure(figure, "Mean score over tasks, 95 % t interval", f"Scores: {alt}"))
    if across.ranks:
        figure = ranks(across.ranks.average, across.ranks.critical_difference, collected.styles)
        alt = "; ".join(f"{name} {rank:.2f}" for name, rank in sorted(across.ranks.average.items(), key=lambda i: i[1]))
        title = (
            f"Average ranks over {across.ranks.tasks} tasks: cells whose bars overlap are not told apart (Nemenyi, 5 %)"
        )
        blocks.append(Figure(figure, title, f"Average ranks: {alt}"))
    return Section("tasks", "Over all tasks", blocks)


def baselines(collected: Collected) -> Section:
    """Every baseline of every task."""
    blocks = []
    for task, of_task in collected.tasks.items():
        first = of_task[0].setting.finished[0]
        found = first.summary.get("baselines") or {}
        if found:
            best_first = sorted(found.items(), key=lambda item: item[1], reverse=first.goal == "max")
            rows = [[name, f"{value:.4g}"] for name, value in best_first]
            title = f"{task}: test {metric_of(of_task)} of what is not a recurrent network, the best first"
            blocks.append(Table(["baseline", metric_of(of_task)], rows, title))
    return Section("baselines", "Baselines", blocks)


def left_out(collected: Collected) -> Section:
    """Runs without a result, by reason."""
    found = collected.comparison.left_out
    blocks: list[Any] = []
    if found:
        rows = [[entry["status"], str(entry["count"]), entry["reason"]] for entry in found]
        blocks.append(Table(["status", "runs", "reason"], rows))
        for entry in found:
            shown = entry["directories"][:_MOST_DIRECTORIES]
            more = entry["count"] - len(shown)
            lines = [*shown, *([f"and {more} more"] if more else [])]
            blocks.append(Folded(f"{entry['status']}: {entry['reason']} ({entry['count']})", [Lines(lines)]))
    return Section("failed", "Runs without a result", blocks)


def _intervals(task: str, of_task: list[Chosen], collected: Collected) -> Figure:
    metric, goal = metric_with_split(of_task), of_task[0].setting.finished[0].goal
    rows = {}
    for chosen in of_task:
        row = collected.rows[task, chosen.entry.label]
        rows[chosen.entry.label] = Row(row["value"], row["low"], row["high"], [v["value"] for v in row["values"]])
    statistic = collected.rows[task, of_task[0].entry.label]["statistic"]
    shown = ", 95 % t interval" if any(row.low is not None for row in rows.values()) else ""
    figure = intervals(rows, collected.styles, x_label=metric, baselines=best_baseline_of(of_task))
    title = f"{task}: {metric}, {statistic}{shown}; strokes are runs ({better(goal)})"
    said = "; ".join(f"{name} {_said(row)}" for name, row in rows.items())
    return Figure(figure, title, f"{title}: {said}")


def _said(row: Row) -> str:
    if row.value is None:
        return "no value"
    return f"{row.value:.4g}" + ("" if row.low is None else f", from {row.low:.4g} to {row.high:.4g}")
