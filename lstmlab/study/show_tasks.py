"""The catalogue of tasks on the terminal: all of them in a table, or one in full."""

from __future__ import annotations

from lstmlab.config.describe import allowed
from lstmlab.tasks import task_entry, task_names
from lstmlab.tracking.plain import plain_docstring
from lstmlab.tracking.tables import print_table


def show_tasks() -> None:
    """Print one row per registered task."""
    rows = []
    for name in sorted(task_names()):
        entry = task_entry(name)
        task = entry.cls()
        baseline, value = next(iter(task.baselines().items()))
        solved = "–" if task.solved is None else f"{task.solved:.4g}"
        rows.append([name, entry.title, task.metric, f"{value:.4g} ({baseline})", solved, entry.data, entry.paper])
    print_table("Tasks", ("task", "what is learned", "metric", "baseline", "solved at", "data", "paper"), rows)
    print("One of them in full, with what is published for it: lstmlab tasks NAME")


def show_task(name: str) -> None:
    """Print one task in full. Raises ``ValueError`` for an unknown one, with the known ones."""
    entry = task_entry(name)
    task = entry.cls()
    print(f"{name}: {entry.title}\n{entry.paper}\n")
    print(plain_docstring(entry.cls.__doc__ or ""), end="\n\n")
    best = "lower" if task.goal == "min" else "higher"
    print(f"Data:        {entry.data}")
    print(f"Metric:      {task.metric} ({best} is better)")
    if task.solved is not None:
        print(f"Solved at:   {task.solved:.4g}")
    print(f"Published:   {entry.published or 'nothing that this protocol could be compared with'}")
    baselines = {task.metric: task.baselines(), **task.other_baselines()}
    rows = [[metric, rule, value] for metric, values in baselines.items() for rule, value in values.items()]
    print_table("Baselines on the test split", ("metric", "baseline", "value"), rows)
    options = task.options()
    rows = [
        [f"task.{o.name}", o.default, allowed(o.metadata.get("choices"), o.metadata.get("minimum"), None),
         o.metadata.get("help", "")]
        for o in options
    ]  # fmt: skip
    if rows:
        print_table("Options", ("key", "default", "allowed", "meaning"), rows)
