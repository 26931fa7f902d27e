"""How a CSV file of your own is read: the keys of the section ``data`` that tasks on tables share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lstmlab.data.table import Table, read_table


class TableOptions(NamedTuple):
    """The keys ``data.file``, ``data.target`` and so on, without their prefix."""

    file: str | None = None
    target: str | None = None
    time: str | None = None
    columns: tuple[str, ...] = ()
    missing: str = "error"
    gaps: str = "error"

    def check(self) -> None:
        """Raise ``ValueError`` for keys about a file when there is none, and for a target that is not read."""
        defaults = self._field_defaults
        idle = [key for key in ("time", "columns", "missing", "gaps") if getattr(self, key) != defaults[key]]
        if idle and not self.file:
            raise ValueError(f"data.{idle[0]} is set, but data.file is not: it says how to read a file of your own")
        if self.target and self.columns and self.target not in self.columns:
            raise ValueError(f"data.target={self.target} is not among data.columns, which names what is read")

    def read(
        self,
        path: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        missing: str | None = None,
        gaps: str | None = None,
    ) -> Table:
        """The table of ``file``, or of another ``path``; arguments that are given replace the options.

        Raises ``DataError`` when it cannot be read.
        """
        path = path or self.file
        assert path is not None
        return read_table(
            path,
            columns=self.columns if columns is None else columns,
            time=self.time,
            missing=self.missing if missing is None else missing,
            gaps=self.gaps if gaps is None else gaps,
        )
