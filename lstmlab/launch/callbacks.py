"""What happens when a sweep ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from lstmlab.printable import escaped
from lstmlab.study.publish import publish_comparison
from lstmlab.study.show import show_comparison
from lstmlab.tracking.files import RunError
from lstmlab.tracking.wandb_sink import WandbSettings


class ComparisonTable(Callback):
    """Prints the comparison table of a finished sweep, writes it to the sweep's directory and logs it to W&B."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Compare all runs in the sweep's directory; called by Hydra."""
        directory = Path(config.hydra.sweep.dir)
        try:
            comparison, written = show_comparison([directory], directory)
        except RunError as error:
            print(escaped(f"no comparison: {error}"))
            return
        wandb, name = config.wandb, directory.resolve().name
        settings = WandbSettings(
            mode=wandb.mode, project=wandb.project, entity=wandb.entity, name=f"comparison {name}",
            group=wandb.group or name, tags=list(wandb.tags), job_type="comparison",
        )  # fmt: skip
        publish_comparison(comparison, written, directory, settings)
