"""The small data files inside the package (see `embedded/PROVENANCE.md`)."""

from __future__ import annotations

from pathlib import Path

from lstmlab.data.download import DataError

EMBEDDED = Path(__file__).resolve().parent / "embedded"


def embedded_path(name: str) -> Path:
    """Return the path of an embedded file.

    Raises:
        DataError: the installation lacks the file.
    """
    path = EMBEDDED / name
    if not path.is_file():
        raise DataError(f"the installed package lacks its data file {path}; install lstmlab again")
    return path
