"""Recordings of different lengths as one array."""

import numpy as np

from lstmlab.tasks.speech.recordings import pad_frames


def test_recordings_are_padded_and_cut():
    short, long = np.ones((2, 3), np.uint8), np.full((5, 3), 2, np.uint8)
    frames, lengths = pad_frames([short, long])
    assert (frames.shape, lengths.tolist()) == ((2, 5, 3), [2, 5])
    assert not frames[0, 2:].any()
    frames, lengths = pad_frames([short, long], 4)
    assert (frames.shape, lengths.tolist()) == ((2, 4, 3), [2, 4])
