"""Tasks that read a table of the user's own: ``data.file=my.csv data.target=load``."""

from __future__ import annotations

import dataclasses
from typing import Any

from lstmlab.data.table import Table, read_table
from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.task import from_data_section


@dataclasses.dataclass(frozen=True)
class TabularTask(RowsTask):
    """Base of the tasks that heed the keys of the section ``data`` about a CSV file."""

    data_file: str | None = from_data_section("file")
    data_target: str | None = from_data_section("target")
    data_time: str | None = from_data_section("time")
    data_columns: tuple[str, ...] = from_data_section("columns", ())
    data_missing: str = from_data_section("missing", "error")
    data_gaps: str = from_data_section("gaps", "error")

    def check_file_keys(self) -> None:
        """Refuse keys about a file where there is none, and a target that is not read; raises ``ValueError``."""
        usual = {"time": None, "columns": (), "missing": "error", "gaps": "error"}
        idle = [key for key, default in usual.items() if getattr(self, f"data_{key}") != default]
        if idle and not self.data_file:
            raise ValueError(f"data.{idle[0]} is set, but data.file is not: it says how to read a file of your own")
        if self.data_target and self.data_columns and self.data_target not in self.data_columns:
            raise ValueError(f"data.target={self.data_target} is not among data.columns, which names what is read")

    def read_file(self, path: str | None = None, **changed: Any) -> Table:
        """The table of ``data.file``, or another file read by the same rules; raises ``DataError``."""
        path = path or self.data_file
        assert path is not None
        rules: dict[str, Any] = {
            "columns": self.data_columns, "time": self.data_time, "missing": self.data_missing, "gaps": self.data_gaps,
        }  # fmt: skip
        return read_table(path, **rules | changed)
