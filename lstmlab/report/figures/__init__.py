"""Interactive figures as functions of plain data; each returns a Plotly figure without a theme.

Colours of text, grid and background come from :func:`lstmlab.report.figures.style.theme`, light or dark, which the
page sets. Names are escaped here: Plotly reads a few HTML tags in its texts.
"""

from lstmlab.report.figures.curves import Curve, add_marks, learning_curves
from lstmlab.report.figures.importance import importance
from lstmlab.report.figures.intervals import Row, intervals
from lstmlab.report.figures.parallel import parallel_coordinates
from lstmlab.report.figures.ranks import ranks
from lstmlab.report.figures.scatter import Point, time_against_quality
from lstmlab.report.figures.style import DASHES, Style, cell_styles, styles_of, theme

__all__ = [
    "DASHES", "Curve", "Point", "Row", "Style", "add_marks", "cell_styles", "importance", "intervals",
    "learning_curves", "parallel_coordinates", "ranks", "styles_of", "theme", "time_against_quality",
]  # fmt: skip
