"""Fill empty cells and absent rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstmlab.data.clock import Times, seconds_if_whole
from lstmlab.data.times import usual_step

if TYPE_CHECKING:
    import pandas as pd

FILLS = ("forward", "interpolate")


def fill_cells(frame: pd.DataFrame, how: str) -> pd.DataFrame:
    """Replace NaN in each column, whose first cell must be a number.

    ``forward`` takes the value above. ``interpolate`` draws a line between the values above and below; at the end of a
    column, with no value below, it does as ``forward``.
    """
    return frame.ffill() if how == "forward" else frame.interpolate()


def insert_rows(times: Times, frame: pd.DataFrame, how: str) -> tuple[Times, pd.DataFrame] | None:
    """Times one step apart, and the rows with the absent ones filled in.

    The step is the most frequent one. None if some times are not a whole number of steps after the first, or if more
    than half of the rows would be made up.
    """
    import pandas as pd  # not at the top: `lstmlab cells` imports this file, and pandas takes half a second
    from pandas.tseries.frequencies import to_offset

    step = usual_step(times)
    places, remainders = np.divmod(times - times[0], step)
    if remainders.any() or places[-1] + 1 > 2 * len(times):
        return None
    filled = fill_cells(
        frame.set_axis(pd.DatetimeIndex(times)).asfreq(to_offset(step.astype("timedelta64[us]").item())), how
    )
    return seconds_if_whole(filled.index.to_numpy()), filled
