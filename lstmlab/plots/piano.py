"""Piano rolls: which keys sound at each step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from lstmlab.plots.curves import _FAINT, _figure, _save

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

    ``lowest`` is the MIDI number of the first key; of the keys those are shown that sound anywhere, and a few around.
    The first ``given`` steps have a coloured ground: they were not the model's.
    """
    sounding = np.flatnonzero(np.max([roll.max(axis=0) for roll in rolls.values()], axis=0) > 0.5)
    low, high = (sounding.min(), sounding.max()) if len(sounding) else (0, OCTAVE)
    figure, axes = _figure(title, "step (quarter note)", "")
    axes.remove()
    figure.set_size_inches(8, 0.8 + 2.6 * len(rolls))
    for place, (name, roll) in enumerate(rolls.items(), 1):
        part = figure.add_subplot(len(rolls), 1, place)
        edges = (0, len(roll), lowest - 0.5, lowest + roll.shape[1] - 0.5)
        ink = np.zeros((*roll.T.shape, 4))
        ink[..., 3] = roll.T
        part.imshow(ink, origin="lower", aspect="auto", interpolation="nearest", extent=edges)
        part.set_ylim(lowest + low - 2.5, lowest + high + 2.5)
        octaves = [note for note in range(0, 128, OCTAVE) if lowest + low - 2 <= note <= lowest + high + 2]
        part.set_yticks(octaves, [f"C{note // OCTAVE - 1}" for note in octaves])
        part.grid(axis="y", color=_FAINT, linewidth=0.4, alpha=0.5)
        part.set_ylabel(name)
        if given:
            part.axvspan(0, given, color="#f2c14e", alpha=0.35, zorder=0)
            part.annotate("given", (0.2, lowest + high + 1.2), color=_FAINT, fontsize=8)
    part.set_xlabel("step (quarter note)")
    figure.suptitle(title, x=0.02, horizontalalignment="left", fontsize=12)
    _save(figure, path)
