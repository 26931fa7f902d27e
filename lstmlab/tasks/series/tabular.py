"""Tasks that can read a table of your own: ``data.file=my.csv data.target=load``."""

from __future__ import annotations

import dataclasses

from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.series.table_options import TableOptions
from lstmlab.tasks.task import from_data_section


@dataclasses.dataclass(frozen=True)
class TabularTask(RowsTask):
    """Base of the tasks that use the keys of the section ``data`` about a CSV file."""

    data_file: str | None = from_data_section("file")
    data_target: str | None = from_data_section("target")
    data_time: str | None = from_data_section("time")
    data_columns: tuple[str, ...] = from_data_section("columns", ())
    data_missing: str = from_data_section("missing", "error")
    data_gaps: str = from_data_section("gaps", "error")

    @property
    def table_options(self) -> TableOptions:
        """The same keys as one value."""
        return TableOptions(
            self.data_file, self.data_target, self.data_time, self.data_columns, self.data_missing, self.data_gaps
        )
