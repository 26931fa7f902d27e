"""Findings as panels of W&B, in a run of their own beside the run that they are about.

A run of its own, because what a W&B run has logged can only be added to: the curves of a second explanation would be
mixed with those of the first, and with the rows of training.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lstmlab.config import Config, read_config, to_tree
from lstmlab.explain.draw import charted, draw_run
from lstmlab.explain.findings import Placed, RunFindings
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.wandb_settings import AUTO, WandbSettings, remembered, variable, wandb_settings
from lstmlab.tracking.wandb_sink import wandb_sinks
from lstmlab.training.recorder import run_name

AXIS = "explain/axis/"
"""prefix of the metrics that are on the x axes of curves"""
_JOB_TYPE = "explain"


def publish_findings(
    found: RunFindings, directory: Path, folder: Path, figures: Sequence[Path], mode: str | None
) -> bool:
    """Send what was found about the run in ``directory`` to W&B if the run is there too, or ``mode`` says so; whether
    it was sent.

    Every call makes a new W&B run, whose files are in ``folder``. ``figures`` are the drawn ones; where they are no
    PNG files, which W&B needs, they are drawn once more. A failing W&B is a warning.

    Raises ``ConfigError`` or ``RunError`` where the files of the run do not say how it appears in W&B.
    """
    config = read_config(directory / CONFIG_FILE)
    earlier = remembered(directory)
    settings = _settings(config, earlier, mode)
    if settings.mode == "disabled":
        return False
    values, curves = list(scalars(found)), list(curve_rows(found))
    settings.axes = {name: axis for axis, _, row in curves for name in row}
    content = to_tree(config) | {"explained": {**found.settings, "wandb_id": earlier.id if earlier else None}}
    last = max(checkpoint["step"] for checkpoint in found.checkpoints)
    for sink in wandb_sinks(folder, settings, content):
        for step, row in values:
            sink.log(step, row)
        for axis, at, row in curves:
            sink.log(last, {axis: at, **row})
        with tempfile.TemporaryDirectory() as temporary:
            drawn = figures if _all_png(figures) else draw_run(found, Path(temporary), "png")
            for path in drawn:
                sink.image(last, _figure(path, found), path)
        if found.refusals:
            lines = [f"{refusal['diagnostic']}: {refusal['reason']}" for refusal in found.refusals]
            sink.text(last, "explain/refusals", "\n".join(lines))
        sink.finish(found.run)
    return True


def scalars(found: RunFindings) -> Iterator[tuple[int, dict[str, float]]]:
    """Values along names, such as the mean of each gate: a row for the step of each checkpoint."""
    for checkpoint in found.checkpoints:
        row: dict[str, float] = {}
        for placed in found.findings:
            if placed.checkpoint != checkpoint["name"]:
                continue
            for series in placed.finding.series:
                for at, value in _finite_points(placed, series):
                    if isinstance(at, str):
                        row[f"{_name(placed, series)}/{at}{_layer(placed.layer, found)}"] = value
        if row:
            yield checkpoint["step"], row


def curve_rows(found: RunFindings) -> Iterator[tuple[str, float, dict[str, float]]]:
    """Values along numbers, those that charts show: a row for each place on each axis, as (axis, place, values)."""
    rows: dict[tuple[str, float], dict[str, float]] = {}
    for placed in found.findings:
        axis = AXIS + _plain(placed.finding.axis.name)
        for series in charted(placed, found.run["metric"]):
            name = f"{_name(placed, series)}/{_plain(placed.checkpoint)}{_layer(placed.layer, found)}"
            for at, value in _finite_points(placed, series):
                if not isinstance(at, str):
                    rows.setdefault((axis, float(at)), {})[name] = value
    for axis, at in sorted(rows):
        yield axis, at, rows[axis, at]


def _settings(config: Config, earlier: WandbSettings | None, mode: str | None) -> WandbSettings:
    """As the run appears in W&B, but for name and job type; what was decided when it began counts."""
    if mode is None:
        mode = config.wandb.mode if config.wandb.mode != AUTO else earlier.mode if earlier else "disabled"
    name = f"explain {run_name(config)}"
    if earlier is None:
        wanted = dataclasses.replace(config.wandb, mode=mode)
        return wandb_settings(wanted, name=name, job_type=_JOB_TYPE)
    return dataclasses.replace(earlier, mode=mode, name=name, job_type=_JOB_TYPE, id=None, dir=variable("WANDB_DIR"))


def _name(placed: Placed, series: str) -> str:
    return f"explain/{placed.diagnostic}/{placed.finding.name}/{_plain(series)}"


def _figure(path: Path, found: RunFindings) -> str:
    """The name of a figure whose file is called as ``gates.png``, or ``gates_layer0.png`` where there are several."""
    diagnostic, _, layer = path.stem.partition("_layer")
    return f"explain/figures/{diagnostic}{_layer(int(layer), found) if layer else ''}"


def _layer(layer: int, found: RunFindings) -> str:
    """Nothing for the highest layer, so that runs of one layer and of several share names."""
    highest = max(each.layer for each in found.findings)
    return "" if layer == highest else f"/layer{layer}"


def _plain(name: str) -> str:
    return name.replace(" ", "_")


def _finite_points(placed: Placed, series: str) -> Iterator[tuple[Any, float]]:
    """Places on the axis of a finding, and the values there that are finite numbers."""
    for at, value in zip(placed.finding.axis.values, placed.finding.series[series], strict=True):
        if value is not None and math.isfinite(value):
            yield at, float(value)


def _all_png(figures: Sequence[Path]) -> bool:
    return all(path.suffix == ".png" for path in figures)
