r"""The variants of "LSTM: a search space odyssey": the vanilla LSTM with one thing changed.

Greff, Srivastava, Koutník, Steunebrink & Schmidhuber 2017, arXiv:1503.04069. Their vanilla LSTM is ``peephole_lstm``,

.. math::
    i_t &= \sigma(W_i x_t + R_i h_{t-1} + p_i \odot c_{t-1} + b_i) \\
    f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
    z_t &= g(W_z x_t + R_z h_{t-1} + b_z), \qquad g = \tanh \\
    c_t &= z_t \odot i_t + c_{t-1} \odot f_t \\
    o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o) \\
    h_t &= h(c_t) \odot o_t, \qquad h = \tanh

and their variant without peepholes (NP) is ``lstm``; the one with full gate recurrence (FGR) is ``fgr_lstm``. What a
variant leaves out has no parameters.
"""

from typing import ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState

PAPER = "Greff et al. 2017, arXiv:1503.04069"


class Variant(Cell):
    """What the variants share: gates with peepholes, which each variant's ``gates`` and ``update`` name."""

    gates = ("input", "forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1, "input": -1}
    state_type = HCState
    additive = True
    input_peephole: nnx.Param
    forget_peephole: nnx.Param
    output_peephole: nnx.Param

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Peepholes start at zero; one weight per memory element and gate."""
        for gate in self.gates:
            if gate != "candidate":
                setattr(self, f"{gate}_peephole", nnx.Param(jnp.zeros(self.state_shape)))


@register_cell("nig_lstm", title="LSTM without input gate (Odyssey NIG)", paper=PAPER, family="Odyssey")
class NIG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without input gate, :math:`i_t = 1`.

    .. math::
        f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
        z_t &= \tanh(W_z x_t + R_z h_{t-1} + b_z) \\
        c_t &= f_t \odot c_{t-1} + z_t \\
        o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o) \\
        h_t &= o_t \odot \tanh c_t
    """

    gates = ("forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The whole candidate enters the memory."""
        f, candidate, o = self.split(z + r)
        candidate = self.candidate_activation(candidate)
        f = sigmoid(f + self.forget_peephole * state.c)
        c = f * state.c + candidate
        o = sigmoid(o + self.output_peephole * c)
        return HCState(h=o * jnp.tanh(c), c=c), {"forget": f, "candidate": candidate, "output": o}


@register_cell("nfg_lstm", title="LSTM without forget gate (Odyssey NFG)", paper=PAPER, family="Odyssey")
class NFG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without forget gate, :math:`f_t = 1`.

    .. math::
        i_t &= \sigma(W_i x_t + R_i h_{t-1} + p_i \odot c_{t-1} + b_i) \\
        z_t &= \tanh(W_z x_t + R_z h_{t-1} + b_z) \\
        c_t &= c_{t-1} + i_t \odot z_t \\
        o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o) \\
        h_t &= o_t \odot \tanh c_t

    As in Hochreiter & Schmidhuber 1997: what has entered the memory stays.
    """

    gates = ("input", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"input": -1}

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The memory only adds."""
        i, candidate, o = self.split(z + r)
        candidate = self.candidate_activation(candidate)
        i = sigmoid(i + self.input_peephole * state.c)
        c = state.c + i * candidate
        o = sigmoid(o + self.output_peephole * c)
        return HCState(h=o * jnp.tanh(c), c=c), {"input": i, "candidate": candidate, "output": o}


@register_cell("nog_lstm", title="LSTM without output gate (Odyssey NOG)", paper=PAPER, family="Odyssey")
class NOG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without output gate, :math:`o_t = 1`.

    .. math::
        i_t &= \sigma(W_i x_t + R_i h_{t-1} + p_i \odot c_{t-1} + b_i) \\
        f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
        z_t &= \tanh(W_z x_t + R_z h_{t-1} + b_z) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot z_t \\
        h_t &= \tanh c_t
    """

    gates = ("input", "forget", "candidate")

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """All of the squashed memory is the output."""
        i, f, candidate = self.split(z + r)
        candidate = self.candidate_activation(candidate)
        f = sigmoid(f + self.forget_peephole * state.c)
        kept = f * state.c
        i = sigmoid(i + self.input_peephole * state.c)
        c = kept + i * candidate
        return HCState(h=jnp.tanh(c), c=c), {"input": i, "forget": f, "candidate": candidate}


@register_cell(
    "niaf_lstm", title="LSTM without input activation function (Odyssey NIAF)", paper=PAPER, family="Odyssey"
)
class NIAF(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without input activation function, :math:`g(x) = x`.

    .. math::
        i_t &= \sigma(W_i x_t + R_i h_{t-1} + p_i \odot c_{t-1} + b_i) \\
        f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
        z_t &= W_z x_t + R_z h_{t-1} + b_z \\
        c_t &= f_t \odot c_{t-1} + i_t \odot z_t \\
        o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o) \\
        h_t &= o_t \odot \tanh c_t
    """

    activation = "identity"

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The candidate is linear."""
        i, f, candidate, o = self.split(z + r)
        candidate = self.candidate_activation(candidate)
        f = sigmoid(f + self.forget_peephole * state.c)
        kept = f * state.c
        i = sigmoid(i + self.input_peephole * state.c)
        c = kept + i * candidate
        o = sigmoid(o + self.output_peephole * c)
        return HCState(h=o * jnp.tanh(c), c=c), {"input": i, "forget": f, "candidate": candidate, "output": o}


@register_cell(
    "noaf_lstm", title="LSTM without output activation function (Odyssey NOAF)", paper=PAPER, family="Odyssey"
)
class NOAF(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without output activation function: outputs grow as the memory does.

    .. math::
        i_t &= \sigma(W_i x_t + R_i h_{t-1} + p_i \odot c_{t-1} + b_i) \\
        f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
        z_t &= \tanh(W_z x_t + R_z h_{t-1} + b_z) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot z_t \\
        o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o) \\
        h_t &= o_t \odot c_t
    """

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The gated memory is the output."""
        i, f, candidate, o = self.split(z + r)
        candidate = self.candidate_activation(candidate)
        f = sigmoid(f + self.forget_peephole * state.c)
        kept = f * state.c
        i = sigmoid(i + self.input_peephole * state.c)
        c = kept + i * candidate
        o = sigmoid(o + self.output_peephole * c)
        return HCState(h=o * c, c=c), {"input": i, "forget": f, "candidate": candidate, "output": o}


@register_cell(
    "cifg_lstm", title="LSTM with coupled input and forget gate (Odyssey CIFG)", paper=PAPER, family="Odyssey"
)
class CIFG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) with coupled input and forget gate, :math:`i_t = 1 - f_t`.

    .. math::
        f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
        z_t &= \tanh(W_z x_t + R_z h_{t-1} + b_z) \\
        c_t &= f_t \odot c_{t-1} + (1 - f_t) \odot z_t \\
        o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o) \\
        h_t &= o_t \odot \tanh c_t

    The paper keeps the input gate and writes :math:`f_t = 1 - i_t`, which is the same family as
    :math:`\sigma(-a) = 1 - \sigma(a)`; with the forget gate as the one that is learned, forget bias and chrono
    initialisation mean what they mean elsewhere.
    """

    gates = ("forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """As much of the candidate enters the memory as is forgotten."""
        f, candidate, o = self.split(z + r)
        candidate = self.candidate_activation(candidate)
        f = sigmoid(f + self.forget_peephole * state.c)
        c = f * state.c + (1 - f) * candidate
        o = sigmoid(o + self.output_peephole * c)
        return HCState(h=o * jnp.tanh(c), c=c), {"forget": f, "candidate": candidate, "output": o}
