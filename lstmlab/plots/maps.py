"""Maps of fields on a grid of latitudes and longitudes: as a figure, and as frames of a video."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFont

from lstmlab.plots import style
from lstmlab.plots.style import INK

COLOUR_MAP = "RdBu_r"
"""red for warmer, blue for colder, which colour-blind readers can tell apart"""
_LAND = "#BDBDBD"


def colour_limit(fields: Iterable[np.ndarray]) -> float:
    """The limit of a colour scale that is symmetric around zero and holds 99.5 % of the finite values."""
    values = np.concatenate([np.abs(field[np.isfinite(field)]).ravel() for field in fields])
    return max(float(np.quantile(values, 0.995)), 1e-6)


def maps(
    path: Path | str,
    fields: Sequence[tuple[str, np.ndarray]],
    *,
    latitude: ArrayLike,
    longitude: ArrayLike,
    label: str = "",
    title: str = "",
) -> None:
    """Write a PNG of named fields ``[latitudes, longitudes]``, one below the other, on one colour scale around zero.

    Values that are not finite (land) are grey. Latitudes and longitudes ascend, in degrees. Raises ``ValueError``
    without fields, or for a field of another shape.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    if not fields:
        raise ValueError("a figure of maps needs at least one field")
    north, east = np.asarray(latitude), np.asarray(longitude)
    for name, field in fields:
        if field.shape != (len(north), len(east)):
            raise ValueError(f"field '{name}' has shape {field.shape}, the grid {(len(north), len(east))}")
    limit = colour_limit(field for _, field in fields)
    figure = style.new_figure(9.0, 0.75 + 0.72 * len(fields))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    colours = colormaps[COLOUR_MAP].with_extremes(bad=_LAND)
    extent = (*_edges(east), *_edges(north))
    panels = figure.subplots(len(fields), 1, sharex=True, squeeze=False)[:, 0]
    norm = Normalize(-limit, limit)
    for axes, (name, field) in zip(panels, fields, strict=True):
        axes.imshow(field, origin="lower", extent=extent, aspect="auto", cmap=colours, norm=norm)
        axes.set_title(name, loc="left", fontsize=8, color=INK, pad=2)
        axes.tick_params(labelsize=7, labelcolor=INK)
    panels[-1].set_xlabel("longitude, °E (latitude, °N, upwards)", fontsize=8, color=INK)
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=list(panels), extend="both", fraction=0.03, pad=0.01)
    bar.set_label(label, fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7, labelcolor=INK)
    style.save(figure, path)


def _edges(places: np.ndarray) -> tuple[float, float]:
    half = (places[1] - places[0]) / 2
    return float(places[0] - half), float(places[-1] + half)


def film(rows: Mapping[str, np.ndarray], times: Sequence[str], *, zoom: int = 2) -> np.ndarray:
    """Named fields ``[time, latitudes, longitudes]`` as uint8 frames ``[time, height, width, 3]``, for a video.

    Each frame shows the fields one below the other, with the time and the limit of the colour scale. Latitudes ascend;
    a grid cell is ``zoom`` pixels wide and 2·``zoom`` high; land is grey, the colours are those of :func:`maps`.
    """
    from matplotlib import colormaps

    limit = colour_limit(rows.values())
    colours = colormaps[COLOUR_MAP].with_extremes(bad=_LAND)
    font = ImageFont.load_default(size=13)
    frames = []
    for index, time in enumerate(times):
        strips = []
        for name, fields in rows.items():
            scaled = np.ma.masked_invalid(0.5 + fields[index, ::-1] / (2 * limit))
            pixels = np.asarray(colours(scaled)[..., :3] * 255, np.uint8).repeat(2 * zoom, axis=0).repeat(zoom, axis=1)
            header = Image.new("RGB", (pixels.shape[1], 20), (255, 255, 255))
            text = f"{time}  {name}  (±{limit:.1f} °C)"
            ImageDraw.Draw(header).text((4, 10), text, (60, 60, 60), font, anchor="lm")
            strips += [np.asarray(header), pixels]
        frames.append(np.concatenate(strips))
    return np.stack(frames)
