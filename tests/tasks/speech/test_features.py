"""Deltas against lines fitted by NumPy."""

import jax.numpy as jnp
import numpy as np

from lstmlab.tasks.speech.features import deltas


def test_deltas_are_slopes_of_lines_through_five_frames():
    frames = np.random.default_rng(0).normal(size=(2, 9, 3))
    found = np.asarray(deltas(jnp.asarray(frames, "float32")))
    for t in range(2, 7):
        expected = np.stack([np.polyfit(np.arange(5), one[t - 2 : t + 3], 1)[0] for one in frames])
        np.testing.assert_allclose(found[:, t], expected, rtol=1e-4, atol=1e-5)
