"""A saved view of a W&B project: sections of panels with one band per cell. Only this file imports
``wandb_workspaces``, and only when a view is made.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lstmlab.tracking.files import RunError
from lstmlab.tracking.plain import one_line

if TYPE_CHECKING:
    import wandb_workspaces.workspaces as ws  # pyright: ignore[reportMissingImports] - an extra

CELL, CELL_KEY, TASK_KEY = "cell.name", "cell.value.name", "task.value.name"
"""a key of the configuration, and keys as the server has them: filters and columns are sent as they stand"""
LAG, EXPONENT = "explain/axis/lag", "explain/axis/exponent"
MOST_RUNS = 1000
"""that a panel takes into account; W&B's default of 10 would leave cells out without saying so"""
_FIGURES = ("gradients", "gates", "memory", "dynamics", "generalisation")


def check_installed() -> None:
    """Raise ``RunError`` where the package is missing."""
    if importlib.util.find_spec("wandb_workspaces") is None:
        raise RunError("lstmlab wandb-workspace needs wandb-workspaces: pip install 'lstmlab[wandb]'")


def make_view(
    project: str, entity: str, name: str, task: str | None = None, metrics: Sequence[str] = ()
) -> ws.Workspace:
    """The view, not sent yet.

    Args:
        project, entity: where it is to be saved.
        name: of the view.
        task: whose runs are shown; ``None`` for all runs.
        metrics: of the validation split, each with a panel of its own; without any, all are in one panel.
    """
    import wandb_workspaces.workspaces as ws  # pyright: ignore[reportMissingImports]
    from wandb_workspaces import expr  # pyright: ignore[reportMissingImports]

    configured = [f"config:{key}" for key in (CELL_KEY, TASK_KEY)]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=[
            _section("Learning curves", _learning_curves(metrics), is_open=True),
            _section("Comparison", _comparison(), is_open=True),
            _section("Optimisation", _optimisation()),
            _section("Diagnostics", _diagnostics()),
        ],
        settings=ws.WorkspaceSettings(x_axis="step", max_runs=MOST_RUNS),
        runset_settings=ws.RunsetSettings(
            groupby=[expr.Config(CELL)],
            filters=[] if task is None else [expr.Config(TASK_KEY) == task],
            pinned_columns=["run:displayName", *configured, "summary:metric", "summary:value"],
        ),
    )


def as_json(view: ws.Workspace) -> str:
    """What W&B's server would be sent: where the view goes, its name, and its ``spec``."""
    model = view._to_model()
    spec = json.loads(model.spec.model_dump_json(by_alias=True, exclude_none=True))
    content = {"entity": model.entity, "project": model.project, "displayName": model.display_name, "spec": spec}
    return json.dumps(content, indent=1) + "\n"


def save_view(view: ws.Workspace) -> str:
    """Save it on the server as a new view; returns its address. Raises ``RunError`` where that fails."""
    try:
        return str(view.save().url)
    except Exception as error:  # of any kind: the package raises those of its transport
        where = f"{view.entity}/{view.project}"
        raise RunError(f"the view of {where} could not be saved on W&B ({one_line(error)})") from None


def _section(name: str, panels: list[Any], *, is_open: bool = False) -> ws.Section:
    import wandb_workspaces.workspaces as ws  # pyright: ignore[reportMissingImports]

    layout = ws.SectionLayoutSettings(columns=3, rows=max(1, -(-len(panels) // 3)))
    return ws.Section(name=name, panels=panels, is_open=is_open, layout_settings=layout)


def _learning_curves(metrics: Sequence[str]) -> list[Any]:
    validation = [_curve(f"validation {name}", f"validation/{name}") for name in metrics]
    every = _curve("validation metrics", pattern="^validation/")
    return [_curve("training loss", "train/loss", log_y=True), *(validation or [every])]


def _comparison() -> list[Any]:
    import wandb_workspaces.reports.v2 as wr  # pyright: ignore[reportMissingImports]

    return [
        wr.BarPlot(title="test value by cell", metrics=["value"], **_by_cell()),
        wr.ScatterPlot(
            title="test value against parameters", x=wr.SummaryMetric("parameters"), y=wr.SummaryMetric("value")
        ),
        wr.WeavePanelSummaryTable(table_name="comparison"),
        wr.BarPlot(title="steps per second by cell", metrics=["steps_per_second"], **_by_cell()),
        wr.RunComparer(diff_only=True),
    ]


def _optimisation() -> list[Any]:
    return [
        _curve("gradient norm", "train/gradient_norm", log_y=True),
        _curve("learning rate", "train/learning_rate"),
        _curve("steps per second", "time/steps_per_second"),
        _curve("share of clipped gradients", "optimisation/clip_rate"),
        _curve("gradient noise scale", "optimisation/noise_scale", log_y=True),
        _curve("update over weights", pattern="^optimisation/update_ratio/", log_y=True),
    ]


def _diagnostics() -> list[Any]:
    """Panels of what ``lstmlab explain`` sends: of the best models, in their highest layers."""
    import wandb_workspaces.reports.v2 as wr  # pyright: ignore[reportMissingImports]

    return [
        _curve("gradient of the loss", "explain/gradients/loss_gradient/median/best", x=LAG, log_y=True),
        _curve("gradient between states", "explain/gradients/state_jacobian/typical/best", x=LAG, log_y=True),
        _curve("linear probe of inputs", "explain/memory/probe/probe/best", x=LAG),
        _curve("effect of a reset", "explain/memory/reset_effect/output/best", x=LAG, log_y=True),
        _curve("Lyapunov exponents", "explain/dynamics/lyapunov_exponents/mean/best", x=EXPONENT),
        _curve("means of gates over training", pattern="^explain/gates/gate_summary/mean/[^/]+$"),
        *(wr.MediaBrowser(title=name, media_keys=[f"explain/figures/{name}"], num_columns=1) for name in _FIGURES),
    ]


def _curve(title: str, name: str | None = None, *, pattern: str | None = None, x: str = "step", log_y: bool = False):
    """Mean of the runs of each cell, with their range as a band."""
    import wandb_workspaces.reports.v2 as wr  # pyright: ignore[reportMissingImports]

    return wr.LinePlot(
        title=title, x=x, y=[name] if name else [], metric_regex=pattern, log_y=log_y or None, title_x=x.split("/")[-1],
        max_runs_to_show=MOST_RUNS, **_by_cell(),
    )  # fmt: skip


def _by_cell() -> dict[str, Any]:
    """One line or bar per cell: the mean over its runs, and their range."""
    import wandb_workspaces.reports.v2 as wr  # pyright: ignore[reportMissingImports]

    return {"groupby": wr.Config(CELL), "groupby_aggfunc": "mean", "groupby_rangefunc": "minmax"}
