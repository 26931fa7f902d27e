"""How a CSV file of your own is read: the keys of the section ``data`` that tasks on tables share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lstmlab.data.clock import clock_of
from lstmlab.data.table import Table, read_table
from lstmlab.data.time_columns import TimeRules
from lstmlab.data.time_formats import parser_of


class TableOptions(NamedTuple):
    """The keys ``data.file``, ``data.target`` and so on, without their prefix."""

    file: str | None = None
    target: str | None = None
    time: str | tuple[str, ...] | None = None
    columns: tuple[str, ...] = ()
    missing: str = "error"
    gaps: str = "error"
    time_format: str | None = None
    timezone: str | None = None
    ambiguous_time: str = "error"
    na: tuple[str, ...] = ()
    decimal: str = "."

    @property
    def shown_file(self) -> str | None:
        """``file`` as users write it who work in the current directory."""
        if self.file is None or not Path(self.file).is_relative_to(Path.cwd()):
            return self.file
        return str(Path(self.file).relative_to(Path.cwd()))

    def check(self) -> None:
        """Raise ``ValueError`` for keys about a file when there is none, for a target that is not read, and for formats
        and zones that there are not."""
        defaults = self._field_defaults
        keys = [key for key in self._fields if key not in ("file", "target")]
        idle = [key for key in keys if getattr(self, key) != defaults[key]]
        if idle and not self.file:
            raise ValueError(f"data.{idle[0]} is set, but data.file is not: it says how to read a file of your own")
        if self.target and self.columns and self.target not in self.columns:
            raise ValueError(f"data.target={self.target} is not among data.columns, which names what is read")
        if self.time_format is not None:
            parser_of(self.time_format)
        if self.timezone is not None:
            clock_of(self.timezone)
        if self.ambiguous_time != "error" and self.timezone is None:
            raise ValueError(
                f"data.ambiguous_time={self.ambiguous_time} is set, but data.timezone is not: it says when clocks are "
                "put back"
            )

    def read(
        self,
        path: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        missing: str | None = None,
        gaps: str | None = None,
        ambiguous_time: str | None = None,
        keep: Sequence[str] = (),
    ) -> Table:
        """The table of ``file``, or of another ``path``; arguments that are given replace the options, and ``keep`` are
        columns that are read even if they are no measurements.

        Raises ``DataError`` when it cannot be read.
        """
        path = path or self.file
        assert path is not None
        return read_table(
            path,
            columns=self.columns if columns is None else columns,
            time=self.time,
            rules=TimeRules(self.time_format, self.timezone, ambiguous_time or self.ambiguous_time),
            missing=self.missing if missing is None else missing,
            gaps=self.gaps if gaps is None else gaps,
            na=self.na,
            decimal=self.decimal,
            keep=[*keep, *([self.target] if self.target else [])],
        )
