"""Where results go: files first, and every other sink only shows them.

Fed plain numbers, arrays and pictures; knows no task, cell or training. Importing this package
loads neither ``wandb`` nor ``matplotlib`` (``lstmlab.plots.curves``), which cost seconds.
"""

from lstmlab.tracking.files import RunError, RunFiles, read_metrics, read_summary, series
from lstmlab.tracking.progress import Progress
from lstmlab.tracking.sinks import BestEffort, Picture, Sink
from lstmlab.tracking.tables import markdown_table, print_table, write_csv
from lstmlab.tracking.tracker import Tracker, open_tracker
from lstmlab.tracking.wandb_sink import WandbSettings, WandbSink, wandb_sinks

__all__ = [
    "BestEffort",
    "Picture",
    "Progress",
    "RunError",
    "RunFiles",
    "Sink",
    "Tracker",
    "WandbSettings",
    "WandbSink",
    "markdown_table",
    "open_tracker",
    "print_table",
    "read_metrics",
    "read_summary",
    "series",
    "wandb_sinks",
    "write_csv",
]
