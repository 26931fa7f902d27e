"""Figures of what ``lstmlab explain`` found about a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from lstmlab.report.explained import Finding, NotExplained, findings_of
from lstmlab.report.figures import Curve, add_marks, learning_curves, styles_of


def findings(run: Path) -> tuple[list[tuple[str, go.Figure, list[str]]], str]:
    """Figures of the best model with their titles and notes; and what is wrong with the file, if anything is.

    Empty where there is no such file.
    """
    try:
        return [_drawn(each) for each in findings_of(run)], ""
    except NotExplained as error:
        return [], str(error)


def _drawn(finding: Finding) -> tuple[str, go.Figure, list[str]]:
    numbers = all(isinstance(value, (int, float)) for value in finding.xs)
    xs = finding.xs if numbers else list(range(len(finding.xs)))
    curves = {name: Curve(np.array(xs, float), np.array(ys, float)) for name, ys in finding.series.items()}
    figure = learning_curves(curves, styles_of(curves), x_label=finding.axis, y_label=finding.unit, log_y=finding.log)
    add_marks(figure, finding.marks)
    if numbers:
        figure.update_xaxes(type="log" if finding.log_axis else "linear")
    else:
        names = [str(value) for value in finding.xs]
        figure.update_xaxes(tickvals=xs, ticktext=names, range=[-0.5, len(names) - 0.5])
        figure.update_traces(mode="markers")  # a line would say that there is something between two names
    return f"{finding.title} (layer {finding.layer})", figure, finding.notes
