"""Where results go: into the files of a run directory, and from the same stream to W&B and the terminal.

It takes plain numbers, texts, arrays and paths, and knows nothing of tasks, cells or training. Importing it loads
neither ``wandb`` nor ``matplotlib``, which take seconds.
"""

from lstmlab.tracking.files import RunError, RunFiles, read_metrics, read_summary, series
from lstmlab.tracking.progress import Progress
from lstmlab.tracking.sinks import BestEffort, Frames, Image, Sink
from lstmlab.tracking.tables import markdown_table, print_table, write_csv
from lstmlab.tracking.tracker import Tracker, open_tracker
from lstmlab.tracking.wandb_settings import WandbSettings
from lstmlab.tracking.wandb_sink import WandbSink, wandb_sinks

__all__ = [
    "BestEffort",
    "Frames",
    "Image",
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
