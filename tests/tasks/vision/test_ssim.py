"""Structural similarity against scikit-image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from lstmlab.tasks.vision.ssim import ssim


@pytest.mark.parametrize("shape", [(7, 7), (16, 16), (64, 64), (9, 21)])
@pytest.mark.parametrize("noise", [0.0, 0.05, 1.0])
def test_it_is_that_of_scikit_image(shape, noise):
    draw = np.random.default_rng(0)
    truth = (draw.random((3, *shape)) > 0.8).astype(np.float32)  # strokes on black, as digits are
    shown = np.clip(truth + noise * draw.normal(size=truth.shape), 0, 1).astype(np.float32)
    pairs = zip(shown.astype(float), truth.astype(float), strict=True)
    expected = [structural_similarity(a, b, data_range=1.0) for a, b in pairs]
    found = np.asarray(jax.jit(ssim)(jnp.asarray(shown), jnp.asarray(truth)))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_smooth_pictures_too():
    x = np.linspace(0, 1, 32)
    a = np.sin(3 * x)[:, None] * np.cos(2 * x)
    b = a**2
    expected = structural_similarity(a, b, data_range=1.0)
    assert float(ssim(jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32))) == pytest.approx(expected, abs=1e-6)


def test_small_pictures_are_refused():
    with pytest.raises(ValueError, match="smaller than SSIM's window of 7×7"):
        ssim(jnp.zeros((6, 9)), jnp.zeros((6, 9)))
