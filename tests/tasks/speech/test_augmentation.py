"""Warping and masking of recordings."""

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.tasks.speech.augmentation import frequency_mask, frequency_warp, interpolate, time_mask, time_warp


def test_positions_between_frames_are_interpolated():
    frames = jnp.asarray([[[0.0], [2.0], [6.0]]])
    read = interpolate(frames, jnp.asarray([[0.0, 0.5, 1.25, 2.0]]), 1)
    np.testing.assert_allclose(read[0, :, 0], [0, 1, 3, 6])


def test_a_recording_at_another_speed_is_the_same_one_longer_or_shorter():
    ramp = jnp.broadcast_to(jnp.arange(40.0)[:, None], (200, 40, 3))
    warped, lengths = time_warp(ramp, jnp.full(200, 21), 0.25, jax.random.key(0))
    lengths = np.asarray(lengths)
    assert lengths.min() in (17, 18)
    assert lengths.max() in (26, 27)
    for frames, length in zip(np.asarray(warped), lengths, strict=True):
        speed = frames[1, 0]
        np.testing.assert_allclose(frames[:length, 0], speed * np.arange(length), rtol=1e-4)
        assert 20 - speed < frames[length - 1, 0] <= 20
    assert time_warp(ramp, jnp.full(200, 21), 0.0, jax.random.key(0))[0] is ramp
    assert frequency_warp(ramp, 0.0, jax.random.key(1)) is ramp


def test_a_time_mask_covers_consecutive_frames_and_no_more_than_asked():
    ones = jnp.ones((300, 12, 7))
    np.testing.assert_array_equal(time_mask(ones, 0, jax.random.key(0)), ones)
    hidden = np.asarray(time_mask(ones, 4, jax.random.key(0))) == 0
    assert (hidden.all(axis=2) == hidden.any(axis=2)).all()
    counts = hidden[:, :, 0].sum(axis=1)
    assert set(counts) == {0, 1, 2, 3, 4}
    places = [np.flatnonzero(row) for row in hidden[:, :, 0] if row.any()]
    assert all((np.diff(p) == 1).all() for p in places)
    assert {p[0] for p in places} == set(range(12))


def test_a_frequency_mask_covers_adjacent_features():
    hidden = np.asarray(frequency_mask(jnp.ones((300, 12, 7)), 3, jax.random.key(0))) == 0
    assert (hidden.all(axis=1) == hidden.any(axis=1)).all()
    assert set(hidden[:, 0].sum(axis=1)) == {0, 1, 2, 3}
    assert all((np.diff(np.flatnonzero(row)) == 1).all() for row in hidden[:, 0])


def test_a_scaled_frequency_axis_reads_a_ramp_at_another_slope():
    ramp = jnp.broadcast_to(jnp.arange(24.0), (200, 5, 24))
    warped = np.asarray(frequency_warp(ramp, 0.2, jax.random.key(0)))
    scale = warped[:, :1, 1:2]
    assert scale.min() > 0.8 - 1e-6
    assert scale.max() < 1.2 + 1e-6
    expected = np.broadcast_to(np.minimum(np.arange(24) * scale, 23), warped.shape)
    np.testing.assert_allclose(warped, expected, rtol=1e-4, atol=1e-5)
