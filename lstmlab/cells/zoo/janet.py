"""JANET: the LSTM that keeps its forget gate alone."""

from typing import ClassVar

from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.base import Cell
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting


@register_cell(
    "janet",
    title="Just another network: forget gate alone",
    paper="van der Westhuizen & Lasenby 2018, arXiv:1804.04849",
    family="LSTM",
)
class JANET(Cell):
    r"""LSTM with a forget gate and nothing else.

    .. math::
        s_t &= U_f h_{t-1} + W_f x_t + b_f \\
        \tilde c_t &= \tanh(U_c h_{t-1} + W_c x_t + b_c) \\
        c_t &= \sigma(s_t) \odot c_{t-1} + (1 - \sigma(s_t - \beta)) \odot \tilde c_t \\
        h_t &= c_t

    van der Westhuizen & Lasenby 2018, "The unreasonable effectiveness of the forget gate", with chrono initialisation
    of :math:`b_f`: set ``init.chrono_horizon`` to the longest dependency. With :math:`\beta > 0` more enters the memory
    than makes room for, so that its units may grow to :math:`e^\beta`.
    """

    gates = ("forget", "candidate")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}
    additive = True
    beta: float = setting(1.0, "how far the candidate's gate opens beyond what is forgotten")

    def update(self, state: HState, z: Array, r: Array) -> tuple[HState, Gates]:
        """Memory and output are one array."""
        s, candidate = self.split(z + r)
        f, candidate = sigmoid(s), self.candidate_activation(candidate)
        h = f * state.h + (1 - sigmoid(s - self.beta)) * candidate
        return HState(h), {"forget": f, "candidate": candidate}
