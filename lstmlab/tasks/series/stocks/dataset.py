"""Daily prices of the S&P 500 index."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmlab.data.resources import embedded_path


@dataclass(frozen=True)
class Prices:
    """Prices by trading day, rising in time; weekends and holidays are absent, not filled.

    Attributes:
        dates: datetime64[D] [days].
        open: first price of the day, float64 [days], in index points; so are the next three.
        high: highest price of the day.
        low: lowest price of the day.
        close: last price of the day.
        volume: shares traded, float64 [days].
    """

    dates: NDArray[np.datetime64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


def load_sp500() -> Prices:
    """Return the S&P 500 index, 5031 days from 1999-01-04 to 2018-12-31. Embedded.

    Source: the Python package `arch` 8.0.0 (NCSA licence).

    Raises:
        DataError: the installation lacks the file.
    """
    text = gzip.decompress(embedded_path("sp500.csv.gz").read_bytes()).decode("ascii")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    dates = np.array([row[0] for row in rows], dtype="datetime64[D]")
    return Prices(dates, *np.array([row[1:] for row in rows], dtype=np.float64).T.copy())
