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
from lstmlab.tracking.wandb_settings import wandb_settings
from lstmlab.tracking.wandb_sync import sync_command


class ComparisonTable(Callback):
    """Prints the comparison table of a finished sweep, writes it to the sweep's directory and logs it to W&B."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Compare all runs in the sweep's directory; called by Hydra."""
        directory = Path(config.hydra.sweep.dir)
        try:
            comparison, written = show_comparison([directory], directory)
        except RunError as error:
            print(escaped(f"no comparison: {error}"))
        else:
            name = directory.resolve().name
            settings = wandb_settings(config.wandb, name=f"comparison {name}", group=name, job_type="comparison")
            publish_comparison(comparison, written, directory, settings)
        if command := sync_command([directory]):
            print(escaped(f"to upload these runs to W&B: {command}"))
