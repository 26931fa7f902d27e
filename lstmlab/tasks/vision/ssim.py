"""Structural similarity of images."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

WINDOW = 7


def ssim(a: Float[Array, "*lead h w"], b: Float[Array, "*lead h w"], *, window: int = WINDOW) -> Float[Array, "*lead"]:
    r"""Structural similarity of images with intensities in [0, 1]; 1 for equal images.

    .. math::
        \text{SSIM} = \left\langle \frac{(2 \mu_a \mu_b + C_1)(2 \sigma_{ab} + C_2)}
        {(\mu_a^2 + \mu_b^2 + C_1)(\sigma_a^2 + \sigma_b^2 + C_2)} \right\rangle,
        \qquad C_1 = 0.01^2,\ C_2 = 0.03^2

    averaged over all ``window × window`` squares inside the image, with equal weights and sample covariances (over
    n − 1), as scikit-image's ``structural_similarity(…, data_range=1)`` computes it. Wang, Bovik, Sheikh & Simoncelli
    2004 use Gaussian weights instead. Much of the video-prediction literature leaves ``data_range`` out, for which
    older scikit-image takes 2 with such images: the constants are then four times as large, and the values higher.

    Raises ``ValueError`` for images that are smaller than the window.
    """
    height, width = a.shape[-2:]
    if min(height, width) < window:
        raise ValueError(f"pictures of {height}×{width} are smaller than SSIM's window of {window}×{window}")

    def local_mean(x: Array) -> Array:
        flat = x.reshape(-1, height, width)
        for axis in (1, 2):  # a square's mean is the mean over rows of means over columns
            moved = [jax.lax.slice_in_dim(flat, i, flat.shape[axis] - window + 1 + i, axis=axis) for i in range(window)]
            flat = sum(moved[1:], moved[0]) / window
        return flat.reshape(*x.shape[:-2], *flat.shape[1:])

    # E[x²] − E[x]² loses digits; it loses fewer when the values are centred.
    offset = 0.5
    a, b = a - offset, b - offset
    mean_a, mean_b = local_mean(a), local_mean(b)
    unbiased = window**2 / (window**2 - 1)
    var_a = unbiased * (local_mean(a * a) - mean_a**2)
    var_b = unbiased * (local_mean(b * b) - mean_b**2)
    covariance = unbiased * (local_mean(a * b) - mean_a * mean_b)
    mean_a, mean_b = mean_a + offset, mean_b + offset
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return jnp.mean(similarity, axis=(-2, -1))
