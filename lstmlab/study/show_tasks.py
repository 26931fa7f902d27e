"""The catalogue of tasks on the terminal: all of them in a table, or one in full."""

from __future__ import annotations

from lstmlab.tasks import task_entry, task_names
from lstmlab.tracking.plain import plain_docstring
from lstmlab.tracking.tables import print_table


def show_tasks(*, baselines: bool = False) -> None:
    """Print one row per registered task; the best baselines are fitted to the tasks' data, which takes its time."""
    rows = []
    for name in sorted(task_names()):
        entry = task_entry(name)
        task = entry.cls()
        solved = "–" if task.solved is None else f"{task.solved:.4g}"
        best = [f"{value:.4g} ({rule})" for rule, value in task.baselines().items()][:1] if baselines else []
        rows.append([name, entry.title, task.metric, *best, solved, entry.data, entry.paper])
    columns = ("task", "what is learned", "metric", *(["baseline"] if baselines else []), "solved at", "data", "paper")
    print_table("Tasks", columns, rows)
    print("One of them in full, with its baselines and what is published for it: lstmlab tasks NAME")
    if not baselines:
        print("The best baseline of each, which takes a while to compute: lstmlab tasks --baselines")


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
    rows = [[f"task.{key}", s.default, s.allowed, s.help] for key, s in task.settings().items()]
    if rows:
        print_table("Options", ("key", "default", "allowed", "meaning"), rows)
