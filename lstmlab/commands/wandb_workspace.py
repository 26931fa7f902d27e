"""``lstmlab wandb-workspace``: panels of a W&B project, set up."""

from __future__ import annotations

from pathlib import Path

from lstmlab.commands._parser import parser_for
from lstmlab.tracking.wandb_settings import PROJECT, variable


def main(arguments: list[str]) -> None:
    """Save a view of a W&B project with sections for learning curves (one band per cell), the comparison, the
    optimisation and the diagnostics of lstmlab explain. Every call saves a new view; earlier ones stay."""
    parser = parser_for(main)
    parser.add_argument("--project", help="W&B project (default: $WANDB_PROJECT, else lstmlab)")
    parser.add_argument("--entity", help="W&B user or team (default: $WANDB_ENTITY, else that of your account)")
    parser.add_argument("--name", default="lstmlab", help="name of the view (default: lstmlab)")
    parser.add_argument("--task", help="show runs of this task only, with a panel for its metric (default: all runs)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the view to a file instead; needs --entity, but no network"
    )
    chosen = parser.parse_args(arguments)
    project, entity = chosen.project or variable("WANDB_PROJECT") or PROJECT, chosen.entity or variable("WANDB_ENTITY")
    if chosen.json and not entity:
        parser.error("--json asks no server who you are: add --entity, or set WANDB_ENTITY")
    from lstmlab.printable import escaped
    from lstmlab.tracking.wandb_sink import reached_entity
    from lstmlab.tracking.wandb_view import as_json, check_installed, make_view, save_view

    metrics = [_metric(chosen.task)] if chosen.task else []
    check_installed()
    if not chosen.json:
        entity = reached_entity(entity)
    view = make_view(project, str(entity), chosen.name, chosen.task, metrics)
    if chosen.json:
        chosen.json.write_text(as_json(view), encoding="utf-8")
        print(escaped(f"written to {chosen.json}"))
    else:
        print(escaped(save_view(view)))


def _metric(task: str) -> str:
    from lstmlab.config import ConfigError
    from lstmlab.tasks import task_entry

    try:
        return task_entry(task).cls().metric
    except ValueError as error:
        raise ConfigError(f"--task: {error}") from None
