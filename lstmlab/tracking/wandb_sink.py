"""Weights & Biases as a sink. Only this file imports ``wandb``, and only when a run uses it."""

from __future__ import annotations

import contextlib
import functools
import html
import io
import logging
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstmlab.plots.images import gif_bytes, image_from
from lstmlab.tracking.plain import one_line, to_plain
from lstmlab.tracking.sinks import BestEffort, Frames, Image
from lstmlab.tracking.tables import Rows
from lstmlab.tracking.wandb_settings import WandbSettings

if TYPE_CHECKING:
    import wandb

_log = logging.getLogger("lstmlab.tracking")

ID_FILE = "wandb_id.txt"


def wandb_sinks(
    directory: Path | str,
    settings: WandbSettings,
    config: Mapping[str, Any] | None = None,
    *,
    resume: bool = False,
) -> list[BestEffort]:
    """The W&B sink of the run in ``directory``, or none when disabled. Never raises.

    ``config`` is the run's configuration, nested or not. With ``resume`` the run continues under the identifier in its
    directory; otherwise it gets a new one, unless the settings have one.
    """
    if settings.mode == "disabled":
        return []
    return [BestEffort("W&B", lambda: WandbSink(directory, settings, config or {}, resume=resume))]


class WandbSink:
    """One W&B run. Any call may fail; use it through :func:`wandb_sinks`.

    Every row has ``step`` as an ordinary value, which all charts use as their x axis. W&B's own step counter would
    drop rows that arrive late: an image of an earlier step, or the steps that a resumed run repeats.
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

        _without_analytics()
        _errors_at_exit_in_one_line()
        # First of all, because the first use of wandb in a process decides whether it prints.
        wandb.setup(settings=wandb.Settings(silent=True))
        # Absolute, because wandb's helper process keeps the working directory in which it was started.
        directory = Path(directory).resolve()
        self._run = _start(directory, settings, to_plain(config), _run_id(directory, settings, resume))
        self._run.define_metric("step", hidden=True)
        self._run.define_metric("*", step_metric="step")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log one row of metrics."""
        self._run.log({"step": step, **values})

    def text(self, step: int, name: str, text: str) -> None:
        """Log a text, with its line breaks and spaces as they are."""
        import wandb

        page = f'<pre style="white-space: pre-wrap">{html.escape(text)}</pre>'
        self._run.log({"step": step, name: wandb.Html(page, data_is_not_path=True)})

    def image(self, step: int, name: str, image: Image) -> None:
        """Log an image."""
        import wandb

        # Pixels as a Pillow image, because older versions of wandb stretch arrays that hold only 0 and 1.
        source = str(image) if isinstance(image, Path) else image_from(image)
        self._run.log({"step": step, name: wandb.Image(source)})

    def video(self, step: int, name: str, frames: Frames) -> None:
        """Log a video as an animated GIF, because wandb's own encoder needs moviepy."""
        import wandb

        self._run.log({"step": step, name: wandb.Video(io.BytesIO(gif_bytes(frames)), format="gif")})

    def table(self, step: int, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Log a table, which the W&B page can sort and filter."""
        import wandb

        # NumPy scalars become Python numbers. A column may hold both numbers and dashes.
        cells: list[Any] = [[cell.item() if hasattr(cell, "item") else cell for cell in row] for row in rows]
        table = wandb.Table(columns=list(columns), data=cells, allow_mixed_types=True)
        self._run.log({"step": step, name: table})

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Mark the run as finished, with the final numbers in its summary."""
        self._run.summary.update(to_plain(summary))
        self._run.finish(exit_code=0)

    def fail(self, message: str) -> None:
        """Mark the run as failed."""
        self._run.summary.update({"error": message})
        self._run.finish(exit_code=1)


def _without_analytics() -> None:
    """Wandb reports its own errors to its makers: when its helper process dies early, that report waits for ever for a
    lock which the caller of the helper holds (seen with 0.31). Where this function is missing, nothing changes.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from wandb.analytics.opentelemetry import opentelemetry_proxy

        opentelemetry_proxy.disable()


@functools.cache
def _errors_at_exit_in_one_line() -> None:
    """What wandb cannot end when Python exits, because its helper process is gone, is told without a traceback."""
    before = sys.unraisablehook

    def hook(report: Any) -> None:
        if str(getattr(report.object, "__module__", "")).startswith("wandb"):
            _log.warning("W&B did not end properly (%s)", one_line(report.exc_value))
        else:
            before(report)

    sys.unraisablehook = hook


def _start(directory: Path, settings: WandbSettings, config: dict[str, Any], run_id: str) -> wandb.Run:
    import wandb

    def init(mode: Literal["online", "offline"], run_id: str) -> wandb.Run:
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
            settings=wandb.Settings(**_quiet(settings)),
        )

    if settings.mode == "offline":
        return init("offline", run_id)
    obstacle = _why_not_online()
    if obstacle is None:
        try:
            return init("online", run_id)
        except Exception as error:
            obstacle = one_line(error)
            # A new identifier, because wandb's helper process keeps that of a failed start until it exits.
            run_id = secrets.token_hex(4)
            (directory / ID_FILE).write_text(run_id + "\n", encoding="utf-8")
    _log.warning("W&B is offline, upload later with 'wandb sync' (%s)", obstacle)
    return init("offline", run_id)


@functools.cache
def _why_not_online() -> str | None:
    """Why this process cannot use the server, or None if it can.

    Tried once per process: an unreachable server costs 10 s, which a sweep should not pay for every member. Never
    prompts for a key, because nobody may be there to type one.
    """
    import wandb

    mode = os.environ.get("WANDB_MODE", "online")
    if mode != "online":
        return f"WANDB_MODE={mode}"
    try:
        if wandb.run is not None or wandb.login(verify=True, prompt=False):
            return None
    except Exception as error:
        return one_line(error)
    return "no API key: run 'wandb login' once, or set WANDB_API_KEY"


def _quiet(settings: WandbSettings) -> dict[str, Any]:
    """W&B settings for a run that prints nothing and costs little.

    They switch off the capture of console output, git diff, source code and list of packages, which the run directory
    makes unnecessary, and the sampling of CPU and GPU use, which takes time from training.
    """
    import wandb

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
    # The names with x_ may change in any version of wandb; one that is missing must not disable the sink.
    return {name: value for name, value in wanted.items() if name in wandb.Settings.model_fields}


def _run_id(directory: Path, settings: WandbSettings, resume: bool) -> str:
    """The run's identifier, which is written into its directory."""
    file = directory / ID_FILE
    if settings.id is not None:
        run_id = settings.id
    elif resume and file.exists():
        run_id = file.read_text(encoding="utf-8").strip()
    else:
        run_id = secrets.token_hex(4)
    file.write_text(run_id + "\n", encoding="utf-8")
    return run_id
