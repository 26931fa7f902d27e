"""How runs appear in Weights & Biases: from the configuration, from W&B's own environment variables, and from the
files that an earlier run has left; without importing ``wandb``.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lstmlab.printable import shown
from lstmlab.tracking.files import RunError, write_atomically

MODES = ("offline", "online", "disabled")
AUTO = "auto"
"""the configured mode that leaves the choice to ``WANDB_MODE``"""
PROJECT = "lstmlab"
"""the project of runs for which neither configuration nor environment names one"""
_OTHER_NAMES = {"dryrun": "offline", "run": "online"}
"""older names of modes that W&B still takes"""

ID_FILE, RUN_FILE = "wandb_id.txt", "wandb_run.json"
_IN_RUN_FILE = ("mode", "project", "entity", "group", "job_type", "name", "id", "tags", "notes")


@dataclass
class WandbSettings:
    """How a run appears in W&B.

    Mode ``offline`` needs no account and no network: it writes to ``<run directory>/wandb``, and ``wandb sync``
    uploads that later. ``online`` falls back to offline, with one warning, when nobody is logged in or the server
    cannot be reached. ``disabled`` does not import ``wandb``. Timeouts are in seconds; what has not been uploaded by
    then is still on disk. Raises ``ValueError`` for an unknown mode.
    """

    mode: str = "offline"
    project: str = PROJECT
    entity: str | None = None
    group: str | None = None
    job_type: str | None = None
    name: str | None = None
    id: str | None = None
    tags: list[str] = field(default_factory=list)
    notes: str | None = None
    dir: str | None = None
    """where W&B's files go, if not to the run directory"""
    goals: dict[str, str] = field(default_factory=dict)
    """``min`` or ``max`` by the name of a metric: W&B's summary has that of all its values beside the last one"""
    axes: dict[str, str] = field(default_factory=dict)
    """the metric on the x axis by the name of a metric; of all others it is ``step``"""
    init_timeout: float = 20.0
    finish_timeout: float = 60.0

    def __post_init__(self) -> None:
        """Check the mode."""
        if self.mode not in MODES:
            raise ValueError(f"unknown W&B mode '{self.mode}' (known: {', '.join(MODES)})")


def wandb_settings(
    configured: Any, *, name: str, group: str | None = None, job_type: str | None = None
) -> WandbSettings:
    """The settings of a run: what the configuration says, then what W&B's environment variables say, then our own.

    Args:
        configured: the section ``wandb`` of a configuration.
        name: of the run.
        group: where neither configuration nor ``WANDB_RUN_GROUP`` names one.
        job_type: of a run that is no training, whatever the configuration says.

    Raises ``RunError`` where ``WANDB_MODE`` counts and is unknown.
    """
    tags = [tag.strip() for tag in (variable("WANDB_TAGS") or "").split(",")]
    return WandbSettings(
        mode=mode_of(configured.mode),
        project=configured.project or variable("WANDB_PROJECT") or PROJECT,
        entity=configured.entity or variable("WANDB_ENTITY"),
        group=configured.group or variable("WANDB_RUN_GROUP") or group,
        job_type=job_type or configured.job_type or variable("WANDB_JOB_TYPE") or "train",
        name=name,
        tags=list(configured.tags) or [tag for tag in tags if tag],
        notes=configured.notes or variable("WANDB_NOTES"),
        dir=variable("WANDB_DIR"),
    )


def mode_of(configured: str) -> str:
    """The mode for a configured one; for ``auto`` that of ``WANDB_MODE``, offline without it.

    Raises ``RunError`` for a ``WANDB_MODE`` that counts and is unknown, and for one over which W&B itself would fail.
    """
    if configured == "disabled":
        return configured
    named = os.environ.get("WANDB_MODE", "offline")
    mode = _OTHER_NAMES.get(named, named)
    if mode not in MODES and not (configured != AUTO and mode == "shared"):
        allowed = f"must be one of: {', '.join(MODES)}"
        raise RunError(f"WANDB_MODE is '{shown(named)}', but {allowed}; or unset it and set wandb.mode")
    return mode if configured == AUTO else configured


def variable(name: str) -> str | None:
    """The value of an environment variable; ``None`` where it is not set or empty."""
    return os.environ.get(name) or None


def identifier(directory: Path, settings: WandbSettings, *, resume: bool) -> str:
    """The W&B identifier of the run in ``directory``: a new one, unless the settings have one or the run resumes."""
    file = directory / ID_FILE
    if settings.id is not None:
        return settings.id
    if resume and file.exists():
        return file.read_text(encoding="utf-8").strip()
    return secrets.token_hex(4)


def remember(directory: Path, settings: WandbSettings, run_id: str) -> None:
    """Write into the directory under which identifier, project, group and so on its run is in W&B."""
    (directory / ID_FILE).write_text(run_id + "\n", encoding="utf-8")
    content = {name: value for name, value in asdict(settings).items() if name in _IN_RUN_FILE} | {"id": run_id}
    write_atomically(directory / RUN_FILE, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def remembered(directory: Path) -> WandbSettings | None:
    """What :func:`remember` has written; ``None`` without such a file. Raises ``RunError`` for a damaged one."""
    path = directory / RUN_FILE
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = {name: content[name] for name in _IN_RUN_FILE}
        wrong = [name for name, value in known.items() if not _fits(name, value)]
        if not wrong:
            return WandbSettings(**known)
        why = f"{wrong[0]} is {shown(repr(known[wrong[0]]))}"
    except (ValueError, KeyError, TypeError) as error:
        why = f"{type(error).__name__}: {shown(str(error))}"
    raise RunError(f"{path} does not say how the run appears in W&B ({why}): remove it, or add --wandb disabled")


def _fits(name: str, value: Any) -> bool:
    if name == "tags":
        return isinstance(value, list) and all(isinstance(tag, str) for tag in value)
    return isinstance(value, str) or (value is None and name not in ("mode", "project"))
