"""MIDI files, read back by a reader written from the standard alone and by mido."""

import struct

import mido
import numpy as np
import pytest

from lstmlab.tasks.music.midi import TICKS_PER_STEP, write_midi

ROLL = np.array([
    [1, 0, 0, 1],
    [1, 1, 0, 0],
    [1, 1, 0, 0],
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
])  # fmt: skip


def number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length quantity and where it ends."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def read(path):
    """Notes ``(start, end, key)`` in ticks, ticks per quarter, microseconds per quarter, program, length."""
    data = path.read_bytes()
    magic, size, kind, tracks, division = struct.unpack(">4sIHHH", data[:14])
    assert (magic, size, kind, tracks) == (b"MThd", 6, 0, 1)
    name, length = struct.unpack(">4sI", data[14:22])
    assert name == b"MTrk"
    assert len(data) == 22 + length
    at, now, status, sounding, notes, tempo, program = 22, 0, 0, {}, [], None, None
    while at < len(data):
        delta, at = number(data, at)
        now += delta
        if data[at] >= 0x80:
            status, at = data[at], at + 1
        if status == 0xFF:
            meta = data[at]
            size, at = number(data, at + 1)
            if meta == 0x51:
                tempo = int.from_bytes(data[at : at + size], "big")
            if meta == 0x2F:
                break
            at += size
        elif status >> 4 == 0xC:
            program, at = data[at], at + 1
        else:
            key, velocity = data[at], data[at + 1]
            at += 2
            if status >> 4 == 9 and velocity:
                assert key not in sounding
                sounding[key] = now
            elif status >> 4 in (8, 9):
                notes.append((sounding.pop(key), now, key))
    assert not sounding
    return sorted(notes), division, tempo, program, now


def test_held_keys_are_one_long_note(tmp_path):
    write_midi(tmp_path / "a.mid", ROLL, lowest=60, tempo=120, program=19)
    notes, division, tempo, program, length = read(tmp_path / "a.mid")
    step = TICKS_PER_STEP
    assert notes == [(0, step, 63), (0, 3 * step, 60), (step, 3 * step, 61), (4 * step, 5 * step, 60)]
    assert (division, tempo, program) == (step, 500_000, 19)
    assert length == len(ROLL) * step  # the rest at the end counts


def test_restruck_keys_are_notes_of_one_step(tmp_path):
    write_midi(tmp_path / "a.mid", ROLL, lowest=60, restrike=True)
    notes = read(tmp_path / "a.mid")[0]
    assert len(notes) == ROLL.sum()
    assert {end - start for start, end, _ in notes} == {TICKS_PER_STEP}


@pytest.mark.parametrize("restrike", [False, True])
def test_the_roll_comes_back(tmp_path, restrike):
    roll = np.random.default_rng(0).random((30, 88)) < 0.1
    write_midi(tmp_path / "a.mid", roll, lowest=21, restrike=restrike)
    found = np.zeros_like(roll)
    for start, end, key in read(tmp_path / "a.mid")[0]:
        found[start // TICKS_PER_STEP : end // TICKS_PER_STEP, key - 21] = True
    np.testing.assert_array_equal(found, roll)


def test_it_lasts_as_long_as_the_tempo_says(tmp_path):
    write_midi(tmp_path / "a.mid", np.zeros((12, 5)), lowest=0, tempo=90)
    assert mido.MidiFile(tmp_path / "a.mid").length == pytest.approx(12 * 60 / 90, rel=1e-5)


@pytest.mark.parametrize(
    ("roll", "settings", "message"),
    [
        (np.zeros(3), {}, "a piano roll is"),
        (ROLL, {"lowest": 126}, "not all between 0 and 127"),
        (ROLL, {"tempo": 0}, "a tempo of 0"),
        (ROLL, {"program": 128}, "MIDI program 128"),
    ],
)
def test_what_no_midi_file_can_hold_is_refused(roll, settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_midi(tmp_path / "a.mid", roll, **{"lowest": 60} | settings)
