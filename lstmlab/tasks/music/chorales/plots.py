"""Piano rolls of a predicted and of a composed piece, and the latter as a MIDI file."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Float

from lstmlab.plots.piano import piano_rolls
from lstmlab.tasks.music.chorales.dataset import LOWEST
from lstmlab.tasks.music.midi import write_midi
from lstmlab.tasks.specs import Plot


def predicted_plot(piece: Float[np.ndarray, "steps 88"], probabilities: Float[np.ndarray, "steps 88"]) -> Plot:
    """A piece above the probability that the model gave each key at each step."""
    rolls = {"the piece": piece, "expected": probabilities}
    title = "chorales: the first test piece, and the probability of each key given all before"
    return Plot("piano_roll", draw=partial(piano_rolls, rolls=rolls, lowest=LOWEST, title=title))


def composed_plots(opening: Float[np.ndarray, "given 88"], continuation: Float[np.ndarray, "steps 88"]) -> list[Plot]:
    """An opening and how the model continues it, as a piano roll and as a MIDI file."""
    roll = np.concatenate([opening, continuation])
    title = "chorales: a test piece's opening, and how the model goes on"
    draw = partial(piano_rolls, rolls={"keys": roll}, lowest=LOWEST, given=len(opening), title=title)
    write = partial(write_midi, roll=roll, lowest=LOWEST)
    return [Plot("composed", draw=draw), Plot("composed", write=write, suffix=".mid")]
