"""Critical-difference diagrams: average ranks on an axis, with bars over names that are not told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lstmlab.plots import style
from lstmlab.plots.cell_styles import looks, of_labels
from lstmlab.plots.style import FAINT, INK


def rank_diagram(
    path: Path | str, ranks: Mapping[str, float], difference: float, groups: Sequence[tuple[int, int]], title: str
) -> None:
    """Write a PNG after Demšar 2006: the better half of the names on the left, the others on the right.

    Args:
        ranks: average ranks by label, in increasing order; a line has the colour of its cell.
        difference: the critical difference, drawn as a scale.
        groups: first and last index in ``ranks`` of names that are not told apart.
        title: of the figure.
    """
    count = len(ranks)
    half = (count + 1) // 2
    bars = 0.3 * len(groups)
    bottom = bars + 0.45 * half + 0.5
    figure = style.new_figure(style.WIDTH, 1.3 + 0.5 * bottom)
    axes = figure.add_subplot()
    margin = 0.35 * count + 0.4
    axes.set_xlim(1 - margin, count + margin)
    axes.set_ylim(bottom, -1.9)
    axes.axis("off")
    axes.text(
        1 - margin + 0.02 * count, -1.6, title, fontsize=12, color=INK, verticalalignment="center", gid=style.TITLE
    )
    axes.plot([1, count], [0, 0], color=INK, linewidth=1.2)
    for tick in range(1, count + 1):
        axes.plot([tick, tick], [0, -0.12], color=INK, linewidth=1.2)
        axes.text(tick, -0.2, str(tick), fontsize=9, color=INK, horizontalalignment="center")
    shown = min(difference, count - 1)
    axes.plot([1, 1 + shown], [-0.85, -0.85], color=FAINT, linewidth=2)
    wide = "" if shown == difference else ", wider than the axis"
    axes.text(
        1 + shown / 2, -0.95, f"critical difference {difference:.2f}{wide}", fontsize=9, color=FAINT,
        horizontalalignment="center",
    )  # fmt: skip
    styles = looks(of_labels(ranks))
    for index, (name, rank) in enumerate(ranks.items()):
        left = index < half
        y = bars + 0.45 * ((index if left else count - 1 - index) + 1)
        end = 0.9 if left else count + 0.1
        colour, dash = styles[name].colour, styles[name].dash
        axes.plot([rank, rank, end], [0, y, y], color=colour, linestyle=dash, linewidth=1.3)
        axes.text(
            end + (-0.04 if left else 0.04) * count, y, f"{name}  {rank:.2f}", fontsize=9, color=INK,
            horizontalalignment="right" if left else "left", verticalalignment="center",
        )  # fmt: skip
    values = list(ranks.values())
    for row, (first, last) in enumerate(groups):
        y = 0.3 * (row + 0.6)
        axes.plot([values[first] - 0.04, values[last] + 0.04], [y, y], color=INK, linewidth=4, solid_capstyle="round")
    style.save(figure, path)
