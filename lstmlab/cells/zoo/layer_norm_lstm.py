"""LSTM with layer normalisation."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState

EPSILON = 1e-5
"""Added to the variance, as in the authors' code: the products with a zero state have none."""


def layer_norm(a: Array, gain: Array, shift: Array | float) -> Array:
    """``gain ⊙ (a - mean) / deviation + shift`` over the last axis."""
    centred = a - a.mean(axis=-1, keepdims=True)
    variance = jnp.square(centred).mean(axis=-1, keepdims=True)
    return gain * centred * jax.lax.rsqrt(variance + EPSILON) + shift


@register_cell(
    "layer_norm_lstm", title="LSTM with layer normalisation", paper="Ba et al. 2016, arXiv:1607.06450", family="LSTM"
)
class LayerNormLSTM(Cell):
    r"""LSTM with layer normalisation of both products, and of the memory on its way to the output.

    .. math::
        (i_t, f_t, \tilde c_t, o_t) &= \text{LN}(W_h h_{t-1}; \alpha_1, \beta_1)
            + \text{LN}(W_x x_t; \alpha_2, \beta_2) + b \\
        c_t &= \sigma(f_t) \odot c_{t-1} + \sigma(i_t) \odot \tanh(\tilde c_t) \\
        h_t &= \sigma(o_t) \odot \tanh(\text{LN}(c_t; \alpha_3, \beta_3)) \\
        \text{LN}(a; \alpha, \beta) &= \alpha \odot (a - \mu) / \sqrt{\sigma^2 + 10^{-5}} + \beta

    Ba, Kiros & Hinton 2016, "Layer normalization", supplement; the small number is that of the authors' code. The
    statistics of the two products run over all four gates at once, as there, and over the channels at each place of a
    convolution.
    ``bias=False`` leaves out :math:`b`, :math:`\beta_1` and :math:`\beta_2`, which all three are biases of the gates.
    The output of a cell with one unit is zero, as its normalised memory is. Where input and state are exactly zero
    (the black pixels with which an image begins), both normalisations divide by :math:`\sqrt{10^{-5}}` alone, and
    gradients overflow within a few such steps: a little noise, ``dropout.input_noise=0.01``, prevents it.
    """

    gates = ("input", "forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1, "input": -1}
    state_type = HCState

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Gains start at one, shifts at zero."""
        stacked, bias = sum(self.sizes(self.gates)), self.bias
        self.recurrent_gain = nnx.Param(jnp.ones(stacked))
        self.recurrent_shift = nnx.Param(jnp.zeros(stacked)) if bias else None
        self.input_gain = nnx.Param(jnp.ones(stacked))
        self.input_shift = nnx.Param(jnp.zeros(stacked)) if bias else None
        self.memory_gain = nnx.Param(jnp.ones(self.hidden_size))
        self.memory_shift = nnx.Param(jnp.zeros(self.hidden_size))

    def project(self, x: Array) -> Array:
        """Everything that depends on the input alone, its normalisation included, for a whole sequence at once."""
        z = _normalised(self.input.product(x), self.input_gain, self.input_shift)
        return z if self.input.bias is None else z + self.input.bias

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The new state, and the gates ``[batch, *spatial, hidden]``; ``z`` is normalised already."""
        i, f, candidate, o = self.split(z + _normalised(r, self.recurrent_gain, self.recurrent_shift))
        i, f, candidate, o = sigmoid(i), sigmoid(f), self.candidate_activation(candidate), sigmoid(o)
        c = f * state.c + i * candidate
        gates = {"input": i, "forget": f, "candidate": candidate, "output": o}
        normalised = layer_norm(c, jnp.asarray(self.memory_gain), jnp.asarray(self.memory_shift))
        return HCState(h=o * jnp.tanh(normalised), c=c), gates


def _normalised(a: Array, gain: nnx.Param, shift: nnx.Param | None) -> Array:
    return layer_norm(a, jnp.asarray(gain), 0.0 if shift is None else jnp.asarray(shift))
