"""The settings of ``hydra/launcher=population``."""

from __future__ import annotations

from typing import Any, NamedTuple


class EngineSettings(NamedTuple):
    """Keys of ``hydra.launcher``; what they mean is in ``conf/hydra/launcher/population.yaml``."""

    strategy: str = "auto"
    workers: int | None = None
    max_members: int | None = None
    members_per_task: int | None = None
    engine: dict[str, Any] = {}  # noqa: RUF012 - read only
    """the keys of the chosen engine, such as those of ``hydra.launcher.submitit``"""

    @property
    def population(self) -> dict[str, Any]:
        """The arguments that :func:`lstmlab.train_population` takes."""
        return {"strategy": self.strategy, "workers": self.workers, "max_members": self.max_members}
