"""``lstmlab tasks``: all tasks in a table, or one in full."""

from __future__ import annotations

from lstmlab.commands._parser import parser_for


def main(arguments: list[str]) -> None:
    """List the tasks, or show one in full. Choose a task for training with task=NAME."""
    parser = parser_for(main)
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this task in full: protocol, options, baselines")
    parser.add_argument(
        "--baselines", action="store_true",
        help="also the best baseline of every task, or with NAME all baselines, the slow ones too (takes a while)",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    if chosen.name is None:
        _print_all(baselines=chosen.baselines)
    else:
        _print_one(chosen.name, slow=chosen.baselines)


def _print_all(*, baselines: bool) -> None:
    """One row per task; ``baselines`` fits the baselines to every task's data."""
    from lstmlab.tasks import task_entry, task_names
    from lstmlab.tasks.task import all_baselines
    from lstmlab.tracking.tables import print_table

    rows = []
    for name in sorted(task_names()):
        entry = task_entry(name)
        task = entry.cls()
        solved = "–" if task.solved is None else f"{task.solved:.4g}"
        best = [f"{value:.4g} ({baseline})" for baseline, value in all_baselines(task).items()][:1] if baselines else []
        rows.append([name, entry.title, task.metric, *best, solved, entry.data, entry.paper])
    columns = ("task", "what is learned", "metric", *(["baseline"] if baselines else []), "solved at", "data", "paper")
    print_table("Tasks", columns, rows)
    print("One task in full, with its baselines and published results: lstmlab tasks NAME")
    if not baselines:
        print("With the best baseline of each, which takes a while to compute: lstmlab tasks --baselines")


def _print_one(name: str, *, slow: bool) -> None:
    """One task in full, perhaps with its slow baselines; raises ``ConfigError`` for an unknown one, with the known
    ones."""
    from lstmlab.config import ConfigError
    from lstmlab.settings import settings_of
    from lstmlab.tasks import task_entry
    from lstmlab.tasks.task import Task, all_baselines
    from lstmlab.tracking.plain import plain_docstring
    from lstmlab.tracking.tables import print_table

    try:
        entry = task_entry(name)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    task = entry.cls()
    print(f"{name}: {entry.title}\n{entry.paper}\n")
    print(plain_docstring(entry.cls.__doc__ or ""), end="\n\n")
    print(f"Data:        {entry.data}")
    print(f"Metric:      {task.metric} ({'lower' if task.goal == 'min' else 'higher'} is better)")
    if task.solved is not None:
        print(f"Solved at:   {task.solved:.4g}")
    if task.reference_value is not None:
        print(f"Scores 1 at: {task.reference_value:.4g} in comparisons over tasks")
    print(f"Published:   {entry.published or 'no result under a comparable protocol'}")
    if entry.cls.defaults:
        print(f"Defaults:    {' '.join(entry.cls.defaults)}")
    values = all_baselines(task) if slow else task.baselines()
    baselines = {task.metric: values, **task.other_baselines()}
    rows = [[metric, baseline, value] for metric, values in baselines.items() for baseline, value in values.items()]
    print_table("Baselines on the test split", ("metric", "baseline", "value"), rows)
    if not slow and entry.cls.slow_baselines is not Task.slow_baselines:
        print(f"More baselines, which may take minutes the first time: lstmlab tasks {name} --baselines\n")
    rows = [[f"task.{key}", s.default, s.allowed, s.help] for key, s in settings_of(entry.cls).items()]
    if rows:
        print_table("Options", ("key", "default", "allowed", "meaning"), rows)
