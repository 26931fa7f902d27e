r"""The variants of the Odyssey: the vanilla LSTM with one thing changed.

Greff, Srivastava, Koutník, Steunebrink & Schmidhuber 2017, "LSTM: a search space odyssey", arXiv:1503.04069. Their
vanilla LSTM (V) is ``peephole_lstm``,

.. math::
    z_t &= g(W_z x_t + R_z y_{t-1} + b_z), \qquad g = \tanh \\
    i_t &= \sigma(W_i x_t + R_i y_{t-1} + p_i \odot c_{t-1} + b_i) \\
    f_t &= \sigma(W_f x_t + R_f y_{t-1} + p_f \odot c_{t-1} + b_f) \\
    c_t &= z_t \odot i_t + c_{t-1} \odot f_t \\
    o_t &= \sigma(W_o x_t + R_o y_{t-1} + p_o \odot c_t + b_o) \\
    y_t &= h(c_t) \odot o_t, \qquad h = \tanh

their variant without peepholes (NP) is ``lstm``, and the one with full gate recurrence (FGR) is ``fgr_lstm``. The other
six are here. Here ``candidate`` is the paper's block input z and ``h`` its block output y; a gate that a variant leaves
out has no kernels, bias or peephole.
"""

from typing import ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import activation, sigmoid
from lstmlab.cells.base import Cell, Gates, HCState
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell

PAPER = "Greff et al. 2017, arXiv:1503.04069"


class Variant(Cell):
    """The vanilla LSTM of this module's equations, where a gate that ``gates`` does not name is always open."""

    gates = ("input", "forget", "candidate", "output")
    memory_gates = {"forget": 1, "input": -1}  # noqa: RUF012 (declared ClassVar in the base)
    state_type = HCState
    activation: ClassVar[str] = "tanh"
    output_activation: ClassVar[str] = "tanh"

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Peepholes start at zero; one weight per memory element and gate."""
        for name in self.gates:
            if name != "candidate":
                setattr(self, f"{name}_peephole", nnx.Param(jnp.zeros(self.state_shape)))

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The equations above with the variant's change."""
        sums = dict(zip(self.gates, self.split(z + r), strict=True))
        gates = {"candidate": self.propose(sums["candidate"])}

        def opened(name: str, memory: Array) -> Array | float:
            if name not in sums:
                return 1.0
            gates[name] = sigmoid(sums[name] + getattr(self, f"{name}_peephole") * memory)
            return gates[name]

        f = opened("forget", state.c)
        i = self.admitted(opened("input", state.c), f)
        c = f * state.c + i * gates["candidate"]
        o = opened("output", c)
        return HCState(h=o * activation(self.output_activation)(c), c=c), gates

    def admitted(self, i: Array | float, f: Array | float) -> Array | float:
        """The share of the candidate that enters the memory: the input gate, unless it is coupled to the other."""
        del f
        return i


@register_cell("nig_lstm", title="LSTM without input gate (Odyssey NIG)", paper=PAPER)
class NIG(Variant):
    r"""The vanilla LSTM without input gate, :math:`i_t = 1`:

    .. math:: c_t = f_t \odot c_{t-1} + z_t
    """

    gates = ("forget", "candidate", "output")
    memory_gates = {"forget": 1}  # noqa: RUF012 (declared ClassVar in the base)


@register_cell("nfg_lstm", title="LSTM without forget gate (Odyssey NFG)", paper=PAPER)
class NFG(Variant):
    r"""The vanilla LSTM without forget gate, :math:`f_t = 1`: what has entered the memory stays.

    .. math:: c_t = c_{t-1} + i_t \odot z_t
    """

    gates = ("input", "candidate", "output")
    memory_gates = {"input": -1}  # noqa: RUF012 (declared ClassVar in the base)


@register_cell("nog_lstm", title="LSTM without output gate (Odyssey NOG)", paper=PAPER)
class NOG(Variant):
    r"""The vanilla LSTM without output gate, :math:`o_t = 1`:

    .. math:: y_t = \tanh c_t
    """

    gates = ("input", "forget", "candidate")


@register_cell("niaf_lstm", title="LSTM without input activation function (Odyssey NIAF)", paper=PAPER)
class NIAF(Variant):
    r"""The vanilla LSTM without input activation function, :math:`g(x) = x`:

    .. math:: z_t = W_z x_t + R_z y_{t-1} + b_z
    """

    activation = "identity"
    unbounded = ("candidate",)


@register_cell("noaf_lstm", title="LSTM without output activation function (Odyssey NOAF)", paper=PAPER)
class NOAF(Variant):
    r"""The vanilla LSTM without output activation function, :math:`h(x) = x`: outputs grow as the memory does.

    .. math:: y_t = c_t \odot o_t
    """

    output_activation = "identity"


@register_cell("cifg_lstm", title="LSTM with coupled input and forget gate (Odyssey CIFG)", paper=PAPER)
class CIFG(Variant):
    r"""The vanilla LSTM with coupled input and forget gate, :math:`i_t = 1 - f_t`:

    .. math:: c_t = f_t \odot c_{t-1} + (1 - f_t) \odot z_t

    The paper couples them as :math:`f_t = 1 - i_t`, with the input gate's parameters. The forget gate's are kept here,
    so that forget bias, chrono and uniform biases mean what they mean elsewhere: as
    :math:`1 - \sigma(a) = \sigma(-a)`, it is the same cell with the signs of the gate's parameters reversed.
    """

    gates = ("forget", "candidate", "output")
    memory_gates = {"forget": 1}  # noqa: RUF012 (declared ClassVar in the base)

    def admitted(self, i: Array | float, f: Array | float) -> Array | float:
        """What is forgotten makes room."""
        del i
        return 1 - f
