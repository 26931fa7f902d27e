"""Real-gated linear recurrent unit of Griffin."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.linear import LinearCell
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates

SHARPNESS = 8.0
"""The paper's constant ``c``."""


@register_cell(
    "rg_lru",
    title="Real-gated linear recurrent unit",
    paper="De et al. 2024, arXiv:2402.19427",
    family="parallel in time",
)
class RGLRU(LinearCell):
    r"""Linear recurrent unit whose decay an input-dependent gate weakens.

    .. math::
        r_t &= \sigma(W_r x_t + b_r), \qquad i_t = \sigma(W_i x_t + b_i) \\
        \log a_t &= -8\, \mathrm{softplus}(\Lambda) \odot r_t \\
        h_t &= a_t \odot h_{t-1} + \sqrt{1 - a_t^2} \odot i_t \odot (W x_t + b)

    De et al. 2024, "Griffin: mixing gated linear recurrences with local attention". There a linear layer and a short
    convolution stand before the recurrence; here :math:`W` is that layer, and the gates read :math:`x` itself.
    :math:`\Lambda` starts so that :math:`a`, with the gate open, is uniform in [0.9, 0.999]: it sets the time scales,
    and gate biases that set them for other cells leave this one alone.
    """

    gates = ("recurrence", "input", "candidate")
    default_init = Init("lecun_normal", "orthogonal", gate_bias="constant")
    activation = "identity"

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """``Λ`` from the decay with the gate open."""
        decay = jax.random.uniform(keys(), (self.hidden_size,), minval=0.9, maxval=0.999)
        self.rate = nnx.Param(jnp.log(jnp.expm1(-jnp.log(decay) / SHARPNESS)))

    def activate(self, z: Array, past: Array | None) -> Gates:
        """Gates and candidate of the equations above."""
        recurrence, admit, candidate = self.split(z)
        # Exact where it is tiny, unlike the sigmoid from tanh: the root below magnifies what is lost there.
        recurrence = jax.nn.sigmoid(recurrence)
        return {"recurrence": recurrence, "input": sigmoid(admit), "candidate": self.candidate_activation(candidate)}

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``a``, and the gated input scaled to keep the variance of the state."""
        log_a = -SHARPNESS * jax.nn.softplus(jnp.asarray(self.rate)) * gates["recurrence"]
        room = -jnp.expm1(2 * log_a)
        # The root has no slope at zero, which a closed gate underflows to: it then follows the gate's own, zero.
        scale = jnp.where(room > 0, jnp.sqrt(jnp.where(room > 0, room, 1.0)), 0.0)
        return jnp.exp(log_a), scale * gates["input"] * gates["candidate"]
