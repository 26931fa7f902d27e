"""What ``lstmlab explain`` found about a run, from its ``explain.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstmlab.report.figures import Curve, learning_curves, styles_of

FILE = "explain.json"
_LARGEST = 32 << 20


def findings(run: Path) -> tuple[list[tuple[str, go.Figure, list[str]]], str]:
    """Figures of the newest checkpoint with their titles and notes; and what is wrong with the file, if anything is.

    Empty where there is no such file.
    """
    path = run / FILE
    try:
        if path.stat().st_size > _LARGEST:
            return [], f"{FILE} has more than {_LARGEST} bytes"
        content = json.loads(path.read_bytes())
        every = list(content["findings"])
        newest = max((each["step"] for each in every), default=0)
        return [_drawn(each) for each in every if each["step"] == newest], ""
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"{FILE} cannot be read: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [], f"{FILE} is not what lstmlab explain writes"


def _drawn(finding: dict[str, Any]) -> tuple[str, go.Figure, list[str]]:
    axis, series = finding["axis"], finding["series"]
    numbers = all(isinstance(value, (int, float)) for value in axis["values"])
    xs = axis["values"] if numbers else range(len(axis["values"]))
    curves = {
        str(name): Curve(np.array(xs, float), np.array([np.nan if y is None else y for y in ys], float))
        for name, ys in series.items()
    }
    figure = learning_curves(
        curves, styles_of(curves), x_label=_with_unit(axis["name"], axis["unit"]), y_label=str(finding["unit"]),
        log_y=finding["scale"] == "log",
    )  # fmt: skip
    if numbers:
        figure.update_xaxes(type="log" if axis["scale"] == "log" else "linear")
    else:
        figure.update_xaxes(tickvals=list(xs), ticktext=[str(value) for value in axis["values"]])
    title = f"{finding['title']} (layer {finding['layer']}, step {finding['step']})"
    return title, figure, [str(note) for note in finding["notes"]]


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else str(name)
