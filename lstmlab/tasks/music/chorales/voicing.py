"""Chords drawn from the logits of piano keys."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


@dataclasses.dataclass(frozen=True)
class Voicing:
    r"""How a chord is drawn from logits ℓ of independent keys.

    With ``voices = 0`` each key sounds with probability :math:`\sigma(\ell / T)`; temperature T = 0 takes the keys
    with ℓ > 0. With n voices exactly n keys sound, drawn one after the other without putting back, with probabilities
    in proportion to the odds :math:`e^{\ell / T}` (the Plackett-Luce model, drawn by the n greatest of
    :math:`\ell / T` + Gumbel noise); T = 0 takes the n greatest logits.
    """

    temperature: float = 1.0
    voices: int = 0

    def __call__(self, logits: Float[Array, "batch keys"], key: PRNGKeyArray) -> Float[Array, "batch keys"]:
        """1 for each key that sounds."""
        warm = self.temperature > 0
        scaled = logits / self.temperature if warm else logits
        if not self.voices:
            noise = jax.random.logistic(key, logits.shape) if warm else 0.0
            return (scaled + noise > 0).astype(logits.dtype)
        noise = jax.random.gumbel(key, logits.shape) if warm else 0.0
        _, chosen = jax.lax.top_k(scaled + noise, self.voices)
        return jnp.sum(jax.nn.one_hot(chosen, logits.shape[-1], dtype=logits.dtype), axis=-2)
