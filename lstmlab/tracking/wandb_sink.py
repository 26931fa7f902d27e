"""Weights & Biases as a sink: the one file that imports ``wandb``, and only when a run uses it."""

from __future__ import annotations

import functools
import html
import io
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lstmlab.plots.images import gif_bytes, image_from
from lstmlab.tracking.plain import one_line, to_plain
from lstmlab.tracking.sinks import BestEffort, Picture

_log = logging.getLogger("lstmlab.tracking")

MODES = ("offline", "online", "disabled")
ID_FILE = "wandb_id.txt"


@dataclass
class WandbSettings:
    """How a run appears in W&B.

    ``offline`` needs no account and no network: files in ``<run directory>/wandb``, uploaded later
    by ``wandb sync``. ``online`` falls back to offline, with one warning, when nobody is logged in
    or the server cannot be reached. ``disabled`` does not even import ``wandb``.
    Timeouts are in seconds; what was not uploaded by then is still on disk.
    Raises ``ValueError`` for an unknown mode.
    """

    mode: str = "offline"
    project: str = "lstmlab"
    entity: str | None = None
    group: str | None = None
    job_type: str | None = None
    name: str | None = None
    id: str | None = None
    tags: list[str] = field(default_factory=list)
    init_timeout: float = 20.0
    finish_timeout: float = 60.0

    def __post_init__(self) -> None:
        """Check the mode."""
        if self.mode not in MODES:
            raise ValueError(f"unknown W&B mode '{self.mode}' (known: {', '.join(MODES)})")


def wandb_sinks(
    directory: Path | str,
    settings: WandbSettings,
    config: Mapping[str, Any] | None = None,
    *,
    resume: bool = False,
) -> list[BestEffort]:
    """The W&B sink of the run in ``directory``, or none when disabled. Never raises.

    ``config`` is the run's configuration, nested as it is. With ``resume`` the run continues under
    the identifier that its directory keeps; otherwise it gets a new one, unless settings name one.
    """
    if settings.mode == "disabled":
        return []
    return [BestEffort("W&B", lambda: WandbSink(directory, settings, config or {}, resume=resume))]


class WandbSink:
    """One W&B run. Any call may fail; use it through :func:`wandb_sinks`.

    Every row carries ``step`` as an ordinary value that all charts use as their x axis. W&B's own
    step counter would drop rows that come late (a picture of an earlier step, the steps that a
    resumed run does again).
    """

    def __init__(
        self,
        directory: Path | str,
        settings: WandbSettings,
        config: Mapping[str, Any],
        *,
        resume: bool = False,
    ) -> None:
        """Start the run; in mode ``online`` this takes at most ``init_timeout`` + 10 s."""
        import wandb

        self._wandb = wandb
        # Before anything else of wandb: its first use in a process decides whether it prints.
        wandb.setup(settings=wandb.Settings(silent=True))
        # Whole, because wandb's other process keeps the working directory in which it was started.
        directory = Path(directory).resolve()
        run_id = _run_id(directory, settings, resume)
        self._run = _start(wandb, directory, settings, to_plain(config), run_id)
        self._run.define_metric("step", hidden=True)
        self._run.define_metric("*", step_metric="step")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """One row of metrics."""
        self._run.log({"step": step, **values})

    def text(self, step: int, name: str, text: str) -> None:
        """A text, with its line breaks and spaces as they are."""
        page = f'<pre style="white-space: pre-wrap">{html.escape(text)}</pre>'
        self._run.log({"step": step, name: self._wandb.Html(page, data_is_not_path=True)})

    def image(self, step: int, name: str, picture: Picture) -> None:
        """A picture. Pixels go through Pillow: older wandb stretches arrays of only 0 and 1."""
        source = str(picture) if isinstance(picture, Path) else image_from(picture)
        self._run.log({"step": step, name: self._wandb.Image(source)})

    def video(self, step: int, name: str, frames: np.ndarray) -> None:
        """An animated GIF: wandb's own encoder would need moviepy."""
        video = self._wandb.Video(io.BytesIO(gif_bytes(frames)), format="gif")
        self._run.log({"step": step, name: video})

    def table(self, step: int, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table that the W&B page can sort and filter."""
        # NumPy scalars become numbers; a column may hold numbers here and a dash there.
        cells = [[cell.item() if hasattr(cell, "item") else cell for cell in row] for row in rows]
        table = self._wandb.Table(columns=list(columns), data=cells, allow_mixed_types=True)
        self._run.log({"step": step, name: table})

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Mark the run finished, with the final numbers in its summary."""
        self._run.summary.update(to_plain(summary))
        self._run.finish(exit_code=0)

    def fail(self, message: str) -> None:
        """Mark the run failed."""
        self._run.summary.update({"error": message})
        self._run.finish(exit_code=1)


def _start(wandb: Any, directory: Path, settings: WandbSettings, config: dict[str, Any], run_id: str) -> Any:
    def init(mode: str, run_id: str) -> Any:
        return wandb.init(
            mode=mode,
            id=run_id,
            dir=str(directory),
            config=config,
            project=settings.project,
            entity=settings.entity,
            group=settings.group,
            job_type=settings.job_type,
            name=settings.name,
            tags=list(settings.tags),
            resume="allow",
            reinit="create_new",
            settings=wandb.Settings(**_quiet(wandb, settings)),
        )

    if settings.mode == "offline":
        return init("offline", run_id)
    obstacle = _why_not_online(wandb)
    if obstacle is None:
        try:
            return init("online", run_id)
        except Exception as error:
            obstacle = one_line(error)
            # wandb's helper process keeps the identifier of a failed start until it exits.
            run_id = secrets.token_hex(4)
            (directory / ID_FILE).write_text(run_id + "\n", encoding="utf-8")
    _log.warning("W&B is offline, upload later with 'wandb sync' (%s)", obstacle)
    return init("offline", run_id)


@functools.cache
def _why_not_online(wandb: Any) -> str | None:
    """What keeps this process from the server, or None.

    Asked once per process: an unreachable server costs 10 s, which a sweep should not pay for
    every member. Never prompts for a key: nobody may be there to type one.
    """
    mode = os.environ.get("WANDB_MODE", "online")
    if mode != "online":
        return f"WANDB_MODE={mode}"
    try:
        if wandb.run is not None or wandb.login(verify=True, prompt=False):
            return None
    except Exception as error:
        return one_line(error)
    return "no API key: run 'wandb login' once, or set WANDB_API_KEY"


def _quiet(wandb: Any, settings: WandbSettings) -> dict[str, Any]:
    """Settings for a run that prints nothing and costs little.

    No console capture, git diff, source code, list of packages, nor samples of CPU and GPU use:
    the run directory has what is worth keeping, and a laptop's two cores have other work.
    """
    wanted = {
        "silent": True,
        "console": "off",
        "disable_git": True,
        "disable_code": True,
        "save_code": False,
        "label_disable": True,
        "use_dot_wandb": False,
        "x_disable_stats": True,
        "x_disable_meta": True,
        "x_disable_machine_info": True,
        "x_save_requirements": False,
        "init_timeout": settings.init_timeout,
        "finish_timeout": settings.finish_timeout,
    }
    # wandb promises nothing about the x_ names; a version without one must not lose the sink.
    return {name: value for name, value in wanted.items() if name in wandb.Settings.model_fields}


def _run_id(directory: Path, settings: WandbSettings, resume: bool) -> str:
    """The run's identifier, kept in its directory from the first start on."""
    file = directory / ID_FILE
    if settings.id is not None:
        run_id = settings.id
    elif resume and file.exists():
        run_id = file.read_text(encoding="utf-8").strip()
    else:
        run_id = secrets.token_hex(4)
    file.write_text(run_id + "\n", encoding="utf-8")
    return run_id
