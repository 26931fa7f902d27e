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

from typing import Any, ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import activation, sigmoid
from lstmlab.cells.base import Cell, Gates, HCState
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell

PAPER = "Greff et al. 2017, arXiv:1503.04069"


class Variant(Cell):
    """The vanilla LSTM of the module's equations; a gate that is not in ``gates`` is always open."""

    gates = ("input", "forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1, "input": -1}
    state_type = HCState
    activation = "tanh"
    output_activation = "tanh"

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Peepholes start at zero; one weight per memory element and gate."""
        for gate in self.gates:
            if gate != "candidate":
                setattr(self, f"{gate}_peephole", nnx.Param(jnp.zeros(self.state_shape)))

    def update(self, state: Any, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The equations above with the variant's change."""
        sums = dict(zip(self.gates, self.split(z + r), strict=True))
        gates = {"candidate": self.candidate_activation(sums["candidate"])}
        one = jnp.ones_like(state.c)

        def see(name: str, memory: Array) -> Array:
            if name not in sums:
                return one
            gates[name] = sigmoid(sums[name] + getattr(self, f"{name}_peephole") * memory)
            return gates[name]

        forget = see("forget", state.c)
        c = forget * state.c + self.enter(see("input", state.c), forget) * gates["candidate"]
        h = see("output", c) * activation(self.output_activation)(c)
        return HCState(h, c), gates

    def enter(self, input: Array, forget: Array) -> Array:
        """How much of the candidate enters the memory."""
        del forget
        return input


@register_cell("nig_lstm", title="LSTM without input gate (Odyssey NIG)", paper=PAPER, family="Odyssey")
class NIG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without input gate, :math:`i_t = 1`.

    .. math:: c_t = f_t \odot c_{t-1} + z_t
    """

    gates = ("forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}


@register_cell("nfg_lstm", title="LSTM without forget gate (Odyssey NFG)", paper=PAPER, family="Odyssey")
class NFG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without forget gate, :math:`f_t = 1`.

    .. math:: c_t = c_{t-1} + i_t \odot z_t

    As in Hochreiter & Schmidhuber 1997: what has entered the memory stays.
    """

    gates = ("input", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"input": -1}


@register_cell("nog_lstm", title="LSTM without output gate (Odyssey NOG)", paper=PAPER, family="Odyssey")
class NOG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without output gate, :math:`o_t = 1`.

    .. math:: h_t = \tanh c_t
    """

    gates = ("input", "forget", "candidate")


@register_cell(
    "niaf_lstm", title="LSTM without input activation function (Odyssey NIAF)", paper=PAPER, family="Odyssey"
)
class NIAF(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without input activation function, :math:`g(x) = x`.

    .. math:: z_t = W_z x_t + R_z h_{t-1} + b_z
    """

    activation = "identity"
    unbounded = ("candidate",)


@register_cell(
    "noaf_lstm", title="LSTM without output activation function (Odyssey NOAF)", paper=PAPER, family="Odyssey"
)
class NOAF(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) without output activation function: outputs grow as the memory does.

    .. math:: h_t = o_t \odot c_t
    """

    output_activation = "identity"


@register_cell(
    "cifg_lstm", title="LSTM with coupled input and forget gate (Odyssey CIFG)", paper=PAPER, family="Odyssey"
)
class CIFG(Variant):
    r"""The vanilla LSTM (``peephole_lstm``) with coupled input and forget gate, :math:`i_t = 1 - f_t`.

    .. math:: c_t = f_t \odot c_{t-1} + (1 - f_t) \odot z_t

    The paper keeps the input gate and writes :math:`f_t = 1 - i_t`, which is the same family as
    :math:`\sigma(-a) = 1 - \sigma(a)`; with the forget gate as the one that is learned, forget bias and chrono
    initialisation mean what they mean elsewhere.
    """

    gates = ("forget", "candidate", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}

    def enter(self, input: Array, forget: Array) -> Array:
        """What is forgotten makes room."""
        return 1 - forget
