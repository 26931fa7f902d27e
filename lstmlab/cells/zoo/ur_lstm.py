"""LSTM with a refine gate that moves saturated forget gates."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState


@register_cell(
    "ur_lstm",
    title="LSTM with uniform gate initialisation and refine gate",
    paper="Gu et al. 2020, arXiv:1910.09890",
    family="LSTM",
)
class URLSTM(Cell):
    r"""LSTM whose forget gate is refined, and starts uniformly in (0, 1).

    .. math::
        f_t &= \sigma(W_f x_t + U_f h_{t-1} + b) \\
        r_t &= \sigma(W_r x_t + U_r h_{t-1} - b) \\
        g_t &= r_t \odot (1 - (1 - f_t)^2) + (1 - r_t) \odot f_t^2 \\
        u_t &= \tanh(W_u x_t + U_u h_{t-1} + b_u) \\
        c_t &= g_t \odot c_{t-1} + (1 - g_t) \odot u_t \\
        o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o) \\
        h_t &= o_t \odot \tanh c_t

    Gu, Gulcehre, Paine, Hoffman & Pascanu 2020, "Improving the gating mechanism of recurrent neural networks".
    :math:`\sigma(b)` is drawn uniformly in :math:`(1/n, 1 - 1/n)` for :math:`n` units; both gates share the draw and
    learn their biases apart. ``init.gate_bias=constant`` gives the refine gate without the uniform start. Chrono biases
    act on :math:`f_t`; at first :math:`g_t` then forgets about twice as fast.
    """

    gates = ("forget", "refine", "candidate", "output")
    # An open refine gate keeps more, not less: its sign is that of its first bias, the opposite of the forget gate's.
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1, "refine": -1}
    state_type = HCState
    additive = True
    default_init = Init("glorot_uniform", "orthogonal", gate_bias="uniform")

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The new state, and all four gates ``[batch, hidden]``."""
        forget, refine, candidate, o = self.split(z + r)
        f, refine, candidate, o = sigmoid(forget), sigmoid(refine), self.candidate_activation(candidate), sigmoid(o)
        keep = refine * (1 - (1 - f) ** 2) + (1 - refine) * f**2
        c = keep * state.c + (1 - keep) * candidate
        gates = {"forget": f, "refine": refine, "candidate": candidate, "output": o}
        return HCState(h=o * jnp.tanh(c), c=c), gates
