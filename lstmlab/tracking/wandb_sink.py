"""Weights & Biases as a sink. Only this file imports ``wandb``, and only when a run uses it."""

from __future__ import annotations

import contextlib
import functools
import html
import io
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstmlab.plots.images import gif_bytes, image_from
from lstmlab.tracking.files import RunError
from lstmlab.tracking.plain import one_line, to_plain
from lstmlab.tracking.sinks import BestEffort, Frames, Image
from lstmlab.tracking.tables import Rows
from lstmlab.tracking.wandb_quiet import QUIET, errors_at_exit_in_one_line
from lstmlab.tracking.wandb_settings import WandbSettings, identifier, remember

if TYPE_CHECKING:
    import wandb

_log = logging.getLogger("lstmlab.tracking")


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

        _set_up()
        # Absolute, because wandb's helper process keeps the working directory in which it was started.
        directory = Path(directory).resolve()
        run_id = identifier(directory, settings, resume=resume)
        remember(directory, settings, run_id)
        self._run = _start(directory, settings, to_plain(config), run_id)
        if self._run.id != run_id:  # after a failed start, or by a `wandb agent`, which chooses the project too
            named = {"project": self._run.project or settings.project, "entity": self._run.entity or settings.entity}
            remember(directory, replace(settings, **named), self._run.id)
        self._define(settings)

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
        """Mark the run as finished, with the final numbers in its summary.

        Metrics of the test split, which no row has, are there by names like those of rows too: ``test/loss``.
        """
        test = summary.get("test") or {}
        self._run.summary.update(to_plain({**summary, **{f"test/{name}": value for name, value in test.items()}}))
        self._run.finish(exit_code=0)

    def fail(self, message: str) -> None:
        """Mark the run as failed."""
        self._run.summary.update({"error": message})
        self._run.finish(exit_code=1)

    def _define(self, settings: WandbSettings) -> None:
        """Say what is on the x axis of each metric, and which of its values the summary has."""
        self._run.define_metric("step", hidden=True)
        # Of two patterns that fit a name W&B takes any, so this is the only one; exact names win over it.
        self._run.define_metric("*", step_metric="step")
        for axis in dict.fromkeys(settings.axes.values()):
            self._run.define_metric(axis, hidden=True)
        for name in dict.fromkeys([*settings.axes, *settings.goals]):
            goal = settings.goals.get(name)
            summary = f"{goal},last" if goal else None
            self._run.define_metric(name, step_metric=settings.axes.get(name, "step"), summary=summary)


def reached_entity(named: str | None) -> str:
    """The named user or team, or the default one of the account, once the server has been reached.

    Raises ``RunError`` where nobody is logged in, or the server cannot be reached.
    """
    import wandb

    _set_up()
    obstacle, entity = _why_not_online(), named
    if obstacle is None and not named:
        try:
            entity = wandb.Api().default_entity
        except Exception as error:
            obstacle = one_line(error)
    if obstacle is not None:
        raise RunError(f"W&B cannot be reached ({obstacle})")
    if not entity:
        raise RunError("W&B knows no default team of your account: name one with --entity")
    return entity


def _set_up() -> None:
    """To be called before anything else of wandb, because its first use in a process decides whether it prints."""
    import wandb

    _without_analytics()
    errors_at_exit_in_one_line()
    wandb.setup(settings=wandb.Settings(silent=True))


def _without_analytics() -> None:
    """Wandb reports its own errors to its makers: when its helper process dies early, that report waits for ever for a
    lock which the caller of the helper holds (seen with 0.31). Where this function is missing, nothing changes.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from wandb.analytics.opentelemetry import opentelemetry_proxy

        opentelemetry_proxy.disable()


def _start(directory: Path, settings: WandbSettings, config: dict[str, Any], run_id: str) -> wandb.Run:
    import wandb

    place = Path(settings.dir or directory).expanduser().resolve()
    # Otherwise wandb would write to the system's temporary directory, and not say so.
    place.mkdir(parents=True, exist_ok=True)

    def init(mode: Literal["online", "offline"], run_id: str) -> wandb.Run:
        return wandb.init(
            mode=mode,
            id=run_id,
            dir=str(place),
            config=config,
            project=settings.project,
            entity=settings.entity,
            group=settings.group,
            job_type=settings.job_type,
            name=settings.name,
            tags=list(settings.tags),
            notes=settings.notes,
            resume="allow",
            reinit="create_new",
            settings=_settings(settings),
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
    _log.warning("W&B is offline, upload later with 'wandb sync' (%s)", obstacle)
    return init("offline", run_id)


@functools.cache
def _why_not_online() -> str | None:
    """Why this process cannot use the server, or None if it can.

    Tried once per process: an unreachable server costs 10 s, which a sweep should not pay for every member. Never
    prompts for a key, because nobody may be there to type one.
    """
    import wandb

    # Whoever comes here asked for it, so WANDB_MODE does not count; with it wandb would not even look for a key.
    shared = wandb.setup().settings
    mode, shared.mode = shared.mode, "online"
    try:
        if wandb.run is not None or wandb.login(verify=True, prompt=False):
            return None
    except Exception as error:
        return one_line(error)
    finally:
        shared.mode = mode
    return "no API key: run 'wandb login' once, or set WANDB_API_KEY"


def _settings(settings: WandbSettings) -> wandb.Settings:
    import wandb

    wanted = {**QUIET, "init_timeout": settings.init_timeout, "finish_timeout": settings.finish_timeout}
    # The names with x_ may change in any version of wandb; one that is missing must not disable the sink.
    return wandb.Settings(**{name: value for name, value in wanted.items() if name in wandb.Settings.model_fields})
