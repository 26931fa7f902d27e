"""What keeps W&B quiet and cheap, without importing ``wandb``."""

from __future__ import annotations

import functools
import logging
import sys
from typing import Any

from lstmlab.tracking.plain import one_line

_log = logging.getLogger("lstmlab.tracking")

QUIET: dict[str, Any] = {
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
}
"""W&B settings for a run that prints nothing and costs little.

They switch off the capture of console output, git diff, source code and list of packages, which the run directory
makes unnecessary, and the sampling of CPU and GPU use, which takes time from training.
"""


@functools.cache
def errors_at_exit_in_one_line() -> None:
    """What wandb cannot end when Python exits, because its helper process is gone, is told without a traceback."""
    before = sys.unraisablehook

    def hook(report: Any) -> None:
        if str(getattr(report.object, "__module__", "")).startswith("wandb"):
            _log.warning("W&B did not end properly (%s)", one_line(report.exc_value))
        else:
            before(report)

    sys.unraisablehook = hook
