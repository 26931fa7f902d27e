"""Sample chords from the logits of piano keys."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.arrays import Key


@dataclasses.dataclass(frozen=True)
class Voicing:
    r"""Samples a chord from logits ℓ of independent keys.

    With ``voices = 0`` each key sounds with probability :math:`\sigma(\ell / T)`; temperature T = 0 takes the keys
    with ℓ > 0. With n voices exactly n keys sound, drawn one after the other without replacement, with probabilities
    proportional to :math:`e^{\ell / T}` (the Plackett-Luce model, sampled as the n greatest values of
    :math:`\ell / T` + Gumbel noise); T = 0 takes the n greatest logits.
    """

    temperature: float = 1.0
    voices: int = 0

    def __call__(self, logits: Float[Array, "batch keys"], key: Key) -> Float[Array, "batch keys"]:
        """1 for each key that sounds."""
        random = self.temperature > 0
        scaled = logits / self.temperature if random else logits
        if not self.voices:
            noise = jax.random.logistic(key, logits.shape) if random else 0.0
            return (scaled + noise > 0).astype(logits.dtype)
        noise = jax.random.gumbel(key, logits.shape) if random else 0.0
        _, chosen = jax.lax.top_k(scaled + noise, self.voices)
        return jnp.sum(jax.nn.one_hot(chosen, logits.shape[-1], dtype=logits.dtype), axis=-2)
