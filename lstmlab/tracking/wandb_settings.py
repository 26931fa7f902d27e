"""How runs appear in Weights & Biases; without importing ``wandb``."""

from __future__ import annotations

from dataclasses import dataclass, field

MODES = ("offline", "online", "disabled")


@dataclass
class WandbSettings:
    """How a run appears in W&B.

    Mode ``offline`` needs no account and no network: it writes to ``<run directory>/wandb``, and ``wandb sync``
    uploads that later. ``online`` falls back to offline, with one warning, when nobody is logged in or the server
    cannot be reached. ``disabled`` does not import ``wandb``. Timeouts are in seconds; what has not been uploaded by
    then is still on disk. Raises ``ValueError`` for an unknown mode.
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
