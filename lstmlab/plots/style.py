"""What all figures share: colours, fonts, sizes and how a file is written.

Figures are made without pyplot: no window opens and no global state changes. Colours are those of Okabe and Ito
(2008), which colour-blind readers can tell apart. Matplotlib is imported when something is drawn: that
takes most of a second, which no run should wait for before its first step.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195")
INK, FAINT, GRID = "#333333", "#8A8A8A", "#E6E6E6"
DASHED, DOTTED = (0, (4, 3)), (0, (1, 2))
WIDTH = 7.2
"""of most figures, in inches"""
COLUMN = 3.35
"""of such a figure in a paper of two columns"""
TITLE = "title"
"""the ``gid`` of a text that is the title of its figure, other than that of the axes"""
_SHORTER, _SMALLER = 0.6, 0.75  # heights, and sizes of text, there

Dash = str | tuple[float, tuple[float, ...]]
_DASHES: tuple[Dash, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.5, 1.5)), (0, (9, 2)))
_MARKERS = ("o", "s", "D", "^", "P")
_DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, ready to be saved."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def figure_with_axes(title: str, x_label: str, y_label: str, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure with one pair of axes."""
    figure = new_figure(WIDTH, height)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    axes.set_xlabel(x_label, fontsize=10, color=INK)
    axes.set_ylabel(y_label, fontsize=10, color=INK)
    decorate(axes)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#BBBBBB")
    return figure, axes


def decorate(axes: Axes, *, label_size: int = 9, grid: str = GRID, grid_width: float = 0.7) -> None:
    """Small tick labels, a faint grid behind the data, and no frame on top and right."""
    axes.tick_params(labelsize=label_size, color=FAINT, labelcolor=INK)
    axes.grid(True, color=grid, linewidth=grid_width)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def dash(repeat: int) -> Dash:
    """The dashes of the line before which ``repeat`` lines have the same colour."""
    return _DASHES[repeat % len(_DASHES)]


def marker(repeat: int) -> str:
    """The marker of the dot before which ``repeat`` dots have the same colour."""
    return _MARKERS[repeat % len(_MARKERS)]


FORMATS = ("png", "svg", "pdf")
"""kinds of files that :func:`save` can write"""


def save(figure: Figure, path: Path | str) -> None:
    """Write a figure in the format of its suffix: PNG, or SVG and PDF for a column of a paper, with their fonts.

    In a paper the caption says what a title would, so these have none.
    """
    path = Path(path)
    kind = path.suffix.removeprefix(".") or "png"
    if kind not in ("svg", "pdf"):
        figure.savefig(path, dpi=_DPI, format="png")
        return
    from matplotlib import rc_context

    _fit_column(figure)
    # Type 42 is TrueType, which publishers take; in an SVG letters are outlines.
    with rc_context({"pdf.fonttype": 42, "svg.fonttype": "path"}):
        figure.savefig(path, format=kind)


def _fit_column(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    width, height = figure.get_size_inches()
    figure.set_size_inches(width * COLUMN / WIDTH, height * _SHORTER)
    for axes in figure.axes:
        axes.set_title("", loc="left")
    for text in figure.findobj(lambda artist: artist.get_gid() == TITLE):
        text.remove()
    for text in figure.findobj(Text):
        text.set_fontsize(float(text.get_fontsize()) * _SMALLER)
    for line in figure.findobj(Line2D):
        line.set_linewidth(line.get_linewidth() * _SMALLER)
