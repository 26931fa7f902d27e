"""Write piano rolls as Standard MIDI Files."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
from numpy.typing import ArrayLike

TICKS_PER_STEP = 480
VELOCITY = 80
"""how hard keys are struck, of 127"""


def write_midi(
    path: Path | str,
    roll: ArrayLike,
    *,
    lowest: int,
    tempo: float = 90.0,
    program: int = 0,
    restrike: bool = False,
) -> None:
    """Write a piano roll ``[steps, keys]`` of zeros and ones; one step is a quarter note.

    The file has one track (format 0). A key that sounds at successive steps is one long note, unless ``restrike``
    strikes it again at each: a roll does not distinguish the two.

    Args:
        path: the file, usually named ``*.mid``.
        roll: which keys sound at each step.
        lowest: MIDI number of the roll's first key (21 is a piano's lowest).
        tempo: quarter notes per minute.
        program: General MIDI instrument, from 0: 0 is a grand piano, 19 a church organ.
        restrike: whether no note is longer than one step.

    Raises:
        ValueError: a roll of another shape, or values outside of what MIDI allows.
    """
    keys = np.asarray(roll) > 0
    if keys.ndim != 2:
        raise ValueError(f"a piano roll is [steps, keys], not {keys.shape}")
    if not 0 <= lowest <= 128 - keys.shape[1]:
        raise ValueError(f"{keys.shape[1]} keys from MIDI number {lowest} on are not all between 0 and 127")
    if not 4 <= tempo <= 1000:
        raise ValueError(f"a tempo of {tempo} quarter notes per minute is not between 4 and 1000")
    if not 0 <= program <= 127:
        raise ValueError(f"MIDI program {program} is not between 0 and 127")
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_STEP)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    track.append(mido.Message("program_change", program=program))
    track.extend(_notes(keys, lowest, restrike))
    track.append(mido.MetaMessage("end_of_track", time=0))
    file.save(str(path))


def _notes(keys: np.ndarray, lowest: int, restrike: bool) -> list[mido.Message]:
    """Messages for the starts and ends of notes, each with the ticks since the message before it."""
    silence = np.zeros((1, keys.shape[1]), bool)
    before, after = np.concatenate([silence, keys]), np.concatenate([keys, silence])
    held = before & after & (not restrike)
    messages, last = [], 0
    for step in range(len(after)):
        # Ends come first: a key is released before it is struck again.
        changes = (("note_off", before[step] & ~held[step]), ("note_on", after[step] & ~held[step]))
        for kind, which in changes:
            for key in np.flatnonzero(which):
                ticks, last = (step - last) * TICKS_PER_STEP, step
                messages.append(mido.Message(kind, note=lowest + int(key), velocity=VELOCITY, time=ticks))
    if last < len(keys):  # rests at the end count too
        messages.append(mido.Message("control_change", control=123, time=(len(keys) - last) * TICKS_PER_STEP))
    return messages
