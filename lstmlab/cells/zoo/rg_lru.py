"""Real-gated linear recurrent unit of Griffin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.activations import sigmoid
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.linear import LinearCell
from lstmlab.cells.maps import LinearMap, make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting

SHARPNESS = 8.0
"""The paper's constant ``c``."""
BLOCKS = 16
"""Blocks of the gates' maps in the paper."""


class StartedState(NamedTuple):
    """Output, and 1 once a step has been made: zeros before the first one, ``[batch, *spatial, 1]``."""

    h: Array
    past: Array


@register_cell(
    "rg_lru",
    title="Real-gated linear recurrent unit",
    paper="De et al. 2024, arXiv:2402.19427",
    family="parallel in time",
)
class RGLRU(LinearCell):
    r"""Linear recurrent unit whose decay an input-dependent gate weakens.

    .. math::
        u_t &= W x_t + b \\
        r_t &= \sigma(W_r u_t + b_r), \qquad i_t = \sigma(W_i u_t + b_i) \\
        \log a_t &= -8\, \mathrm{softplus}(\Lambda) \odot r_t \\
        h_t &= a_t \odot h_{t-1} + \sqrt{1 - a_t^2} \odot i_t \odot u_t, \qquad h_1 = i_1 \odot u_1

    De et al. 2024, "Griffin: mixing gated linear recurrences with local attention". As in the authors' code, gates have
    block-diagonal maps, the first step's input is not scaled, and :math:`\Lambda` starts so that
    :math:`\exp(-2\, \mathrm{softplus}(\Lambda))` is uniform between 0.9² and 0.999² (``decay_start=paper``: :math:`a`
    itself between 0.9 and 0.999, with the gate open). It sets the time scales, and gate biases that set them for other
    cells leave this one alone. :math:`W` is the linear layer that stands before the recurrence there; the short
    convolution after it is left out, the 16 blocks become the largest number up to 16 that divides both, and the
    gradient of the root is not clipped at 1000. ``gate_inputs=x``: gates read :math:`x_t` through dense maps.
    """

    gates = ("recurrence", "input", "candidate")
    default_init = Init("lecun_normal", "lecun_normal", gate_bias="constant")
    default_block = "up_projection"
    memory_fields = ("h",)  # the mark is read, but has no gradient
    zoneout_fields = ("h",)
    activation = "identity"
    heads: int = setting(0, "blocks of the gates' maps; 0: 16, or what divides it and the hidden size", minimum=0)
    gate_inputs: str = setting(
        "candidate", "what the gates read: the candidate, or x", choices=("candidate", "x"), earlier="x"
    )
    unscaled_start: bool = setting(True, "leave the root out at the first step of a sequence", earlier=False)
    decay_start: str = setting("code", "first decays, see above", choices=("code", "paper"), earlier="paper")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """``Λ`` from the first decays, and the gates' map. Raises ``ValueError`` where its blocks do not fit."""
        u = jax.random.uniform(keys(), (self.hidden_size,))
        if self.decay_start == "paper":
            rate = -jnp.log(0.9 + (0.999 - 0.9) * u) / SHARPNESS
        else:
            rate = -0.5 * jnp.log(0.9**2 + (0.999**2 - 0.9**2) * u)
        self.rate = nnx.Param(jnp.log(jnp.expm1(rate)))
        blocks = self.heads or math.gcd(BLOCKS, self.hidden_size)
        sizes = (self.hidden_size,) * 2
        how = {"key": keys(), "init": init.recurrent, "scale": init.scale, "heads": blocks, "dtype": dtype}
        reads_candidate = self.gate_inputs == "candidate"
        self.gate_map: LinearMap | None = (
            make_map("block_diagonal", self.hidden_size, sizes, **how) if reads_candidate else None
        )

    @property
    def state_type(self) -> type:
        """The state knows whether it is the first, where that one is special."""
        return StartedState if self.unscaled_start else HState

    def initial_state(self, *batch: int) -> Any:
        """Zeros."""
        zeros = self.zeros(*batch, *self.state_shape)
        return StartedState(zeros, self.zeros(*batch, *self.spatial, 1)) if self.unscaled_start else HState(zeros)

    def memory(self, state: Any) -> Array:
        """The output is the memory."""
        return state.h

    def new_state(self, h: Array, memory: Array, past: Array | None) -> Any:
        """With the mark that there was a step."""
        return HState(h) if past is None else StartedState(h, past)

    def input_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """A map to the candidate alone, where gates read that."""
        return super().input_map(gates if self.gate_inputs == "x" else gates[2:], key, init, dtype)

    def project(self, x: Array) -> Array:
        """Pre-activations of both gates, and the candidate."""
        if self.gate_map is None:
            return super().project(x)
        b = jnp.zeros(()) if self.input.bias is None else jnp.asarray(self.input.bias)
        b_gates, b = jnp.split(b, [2 * self.hidden_size]) if b.ndim else (b, b)
        candidate = self.input.product(x) + b
        return jnp.concatenate([self.gate_map(candidate) + b_gates, candidate], axis=-1)

    def delayed(self, z: Array) -> Array | None:
        """One, which the next step sees: it is not the first."""
        return jnp.ones_like(z[..., :1]) if self.unscaled_start else None

    def activate(self, z: Array, past: Array | None) -> Gates:
        """Gates and candidate of the equations above."""
        del past
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

    def recurrence(self, z: Array, past: Array | None) -> tuple[Gates, Array, Array]:
        """Gates and coefficients; the input of the first step is not scaled."""
        gates, a, b = super().recurrence(z, past)
        if past is not None:
            b = jnp.where(past > 0, b, gates["input"] * gates["candidate"])
        return gates, a, b
