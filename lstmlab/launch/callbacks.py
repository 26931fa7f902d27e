"""What happens when a sweep ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from lstmlab.study.show import show_comparison
from lstmlab.tracking.files import RunError


class ComparisonTable(Callback):
    """Print the table of a finished sweep, and write it beside the runs."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Compare all runs of the sweep's directory."""
        directory = Path(config.hydra.sweep.dir)
        try:
            show_comparison([directory], directory)
        except RunError as error:
            print(f"no comparison: {error}")
