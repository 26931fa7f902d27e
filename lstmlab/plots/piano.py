"""Piano rolls: which keys sound at each step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from lstmlab.plots import style
from lstmlab.plots.style import FAINT

OCTAVE = 12


def piano_rolls(
    path: Path | str,
    rolls: Mapping[str, Float[np.ndarray, "steps keys"]],
    *,
    lowest: int,
    title: str = "",
    given: int = 0,
) -> None:
    """Write a PNG of several rolls, one above the other, each with its name; dark where a key sounds, or is likely to.

    Keys that sound in any roll are shown, with a few around them.

    Args:
        lowest: MIDI number of the first key.
        given: the first steps, which the model was given and did not generate; they have a coloured background.
    """
    sounding = np.flatnonzero(np.max([roll.max(axis=0) for roll in rolls.values()], axis=0) > 0.5)
    low, high = (sounding.min(), sounding.max()) if len(sounding) else (0, OCTAVE)
    figure = style.new_figure(8, 0.8 + 2.6 * len(rolls))
    axes = None
    for place, (name, roll) in enumerate(rolls.items(), 1):
        axes = figure.add_subplot(len(rolls), 1, place)
        edges = (0, len(roll), lowest - 0.5, lowest + roll.shape[1] - 0.5)
        ink = np.zeros((*roll.T.shape, 4))
        ink[..., 3] = roll.T
        axes.imshow(ink, origin="lower", aspect="auto", interpolation="nearest", extent=edges)
        axes.set_ylim(lowest + low - 2.5, lowest + high + 2.5)
        octaves = [note for note in range(0, 128, OCTAVE) if lowest + low - 2 <= note <= lowest + high + 2]
        axes.set_yticks(octaves, [f"C{note // OCTAVE - 1}" for note in octaves])
        axes.grid(axis="y", color=FAINT, linewidth=0.4, alpha=0.5)
        axes.set_ylabel(name)
        if given:
            axes.axvspan(0, given, color="#f2c14e", alpha=0.35, zorder=0)
            axes.annotate("given", (0.2, lowest + high + 1.2), color=FAINT, fontsize=8)
    if axes is not None:
        axes.set_xlabel("step (quarter note)")
    figure.suptitle(title, x=0.02, horizontalalignment="left", fontsize=12)
    style.save(figure, path)
