"""Long short-term memory, without and with peepholes."""

from typing import ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import activation, activation_setting
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import CudnnWeights
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import Dense
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState


@register_cell(
    "lstm",
    title="Long short-term memory with forget gate",
    paper="Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000",
    family="LSTM",
)
class LSTM(Cell):
    r"""Long short-term memory.

    .. math::
        i_t &= \sigma(W_i [h_{t-1}, x_t] + b_i) \\
        f_t &= \sigma(W_f [h_{t-1}, x_t] + b_f) \\
        \tilde C_t &= \tanh(W_C [h_{t-1}, x_t] + b_C) \\
        C_t &= f_t \odot C_{t-1} + i_t \odot \tilde C_t \\
        o_t &= \sigma(W_o [h_{t-1}, x_t] + b_o) \\
        h_t &= o_t \odot \tanh C_t

    Hochreiter & Schmidhuber 1997, "Long short-term memory"; the forget gate is from Gers, Schmidhuber & Cummins
    2000, "Learning to forget".
    """

    gates = ("input", "forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1, "input": -1}
    state_type = HCState
    additive = True
    activation: str = activation_setting("tanh", "nonlinearity of the candidate and of the output")
    gate_activation: str = activation_setting("sigmoid", "nonlinearity of the gates")

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The new state, and all four gates ``[batch, *spatial, hidden]``."""
        act, gate = activation(self.activation), activation(self.gate_activation)
        i, f, candidate, o = self.split(z + r)
        i, f, candidate, o = gate(i), gate(f), self.candidate_activation(candidate), gate(o)
        c = f * state.c + i * candidate
        gates = {"input": i, "forget": f, "candidate": candidate, "output": o}
        return HCState(h=o * act(c), c=c), gates

    def cudnn_weights(self) -> CudnnWeights | None:
        """With dense maps, tanh and sigmoid, and products in float32. Variants with an ``update`` of their own have
        none."""
        maps = (self.input, self.recurrent)
        plain = type(self).update is LSTM.update and (self.activation, self.gate_activation) == ("tanh", "sigmoid")
        if not plain or any(type(m) is not Dense or m.dtype not in (None, "float32") for m in maps):
            return None
        w, u = (jnp.asarray(m.kernel).T for m in maps)
        biases = [jnp.asarray(m.bias) for m in maps if m.bias is not None]
        return CudnnWeights(w, u, sum(biases, start=jnp.zeros(w.shape[0], w.dtype)))


@register_cell(
    "peephole_lstm",
    title="LSTM whose gates see the memory",
    paper="Gers & Schmidhuber 2000",
    family="LSTM",
)
class PeepholeLSTM(LSTM):
    r"""LSTM with diagonal peepholes; the output gate sees the new memory.

    .. math::
        i_t &= \sigma(W_i [h_{t-1}, x_t] + p_i \odot C_{t-1} + b_i) \\
        f_t &= \sigma(W_f [h_{t-1}, x_t] + p_f \odot C_{t-1} + b_f) \\
        C_t &= f_t \odot C_{t-1} + i_t \odot \tanh(W_C [h_{t-1}, x_t] + b_C) \\
        o_t &= \sigma(W_o [h_{t-1}, x_t] + p_o \odot C_t + b_o) \\
        h_t &= o_t \odot \tanh C_t

    Gers & Schmidhuber 2000, "Recurrent nets that time and count".
    """

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Peepholes start at zero, where the cell equals the LSTM; one weight per memory element."""
        self.input_peephole = nnx.Param(jnp.zeros(self.state_shape))
        self.forget_peephole = nnx.Param(jnp.zeros(self.state_shape))
        self.output_peephole = nnx.Param(jnp.zeros(self.state_shape))

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The new state, and all four gates ``[batch, *spatial, hidden]``."""
        act, gate = activation(self.activation), activation(self.gate_activation)
        i, f, candidate, o = self.split(z + r)
        i = gate(i + self.input_peephole * state.c)
        f = gate(f + self.forget_peephole * state.c)
        candidate = self.candidate_activation(candidate)
        c = f * state.c + i * candidate
        o = gate(o + self.output_peephole * c)
        gates = {"input": i, "forget": f, "candidate": candidate, "output": o}
        return HCState(h=o * act(c), c=c), gates
