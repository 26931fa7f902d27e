"""Maps of fields on a grid of latitudes and longitudes: as a figure, and as a film."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFont

COLOURS = "RdBu_r"
"""red where it is warmer, blue where colder: told apart by colour-blind readers too"""
_INK, _LAND = "#333333", "#BDBDBD"


def limit_of(fields: Iterable[np.ndarray]) -> float:
    """A symmetric colour range that 99.5 % of the finite values lie in."""
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
    """Write a PNG of fields ``[latitudes, longitudes]`` below each other, named, on one colour scale around zero.

    Places that are not finite (land) are grey. Latitudes and longitudes ascend, in degrees. Raises ``ValueError``
    without fields, or for a field of another shape.
    """
    if not fields:
        raise ValueError("a figure of maps needs at least one field")
    north, east = np.asarray(latitude), np.asarray(longitude)
    for name, field in fields:
        if field.shape != (len(north), len(east)):
            raise ValueError(f"field '{name}' has shape {field.shape}, the grid {(len(north), len(east))}")
    limit = limit_of(field for _, field in fields)
    figure = Figure(figsize=(9.0, 0.75 + 0.72 * len(fields)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=_INK)
    colours = matplotlib.colormaps[COLOURS].with_extremes(bad=_LAND)
    extent = (*_edges(east), *_edges(north))
    panels = figure.subplots(len(fields), 1, sharex=True, squeeze=False)[:, 0]
    norm = Normalize(-limit, limit)
    for axes, (name, field) in zip(panels, fields, strict=True):
        axes.imshow(field, origin="lower", extent=extent, aspect="auto", cmap=colours, norm=norm)
        axes.set_title(name, loc="left", fontsize=8, color=_INK, pad=2)
        axes.tick_params(labelsize=7, labelcolor=_INK)
    panels[-1].set_xlabel("longitude, °E (latitude, °N, upwards)", fontsize=8, color=_INK)
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=list(panels), extend="both", fraction=0.03, pad=0.01)
    bar.set_label(label, fontsize=8, color=_INK)
    bar.ax.tick_params(labelsize=7, labelcolor=_INK)
    figure.savefig(Path(path), dpi=150, format="png")


def _edges(places: np.ndarray) -> tuple[float, float]:
    half = (places[1] - places[0]) / 2
    return float(places[0] - half), float(places[-1] + half)


def film(rows: Mapping[str, np.ndarray], times: Sequence[str], *, zoom: int = 2) -> np.ndarray:
    """Fields ``[time, latitudes, longitudes]`` below each other as uint8 frames ``[time, height, width, 3]``.

    Latitudes ascend; each place is ``zoom`` × 2·``zoom`` pixels; land is grey, the colours are those of :func:`maps`.
    Every frame says its time and the value of the deepest red.
    """
    limit = limit_of(rows.values())
    colours = matplotlib.colormaps[COLOURS].with_extremes(bad=_LAND)
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
