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
    data_time: str | tuple[str, ...] | None = from_data_section("time")
    data_columns: tuple[str, ...] = from_data_section("columns", ())
    data_missing: str = from_data_section("missing", "error")
    data_gaps: str = from_data_section("gaps", "error")
    data_time_format: str | None = from_data_section("time_format")
    data_timezone: str | None = from_data_section("timezone")
    data_ambiguous_time: str = from_data_section("ambiguous_time", "error")
    data_na: tuple[str, ...] = from_data_section("na", ())
    data_decimal: str = from_data_section("decimal", ".")

    @property
    def table_options(self) -> TableOptions:
        """The same keys as one value."""
        return TableOptions(
            self.data_file, self.data_target, self.data_time, self.data_columns, self.data_missing, self.data_gaps,
            self.data_time_format, self.data_timezone, self.data_ambiguous_time, self.data_na,
            self.data_decimal,
        )  # fmt: skip
