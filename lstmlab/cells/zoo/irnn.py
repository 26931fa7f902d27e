"""Rectified linear units that start as the identity."""

from jaxtyping import Array

from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting


class RectifiedCell(Cell):
    """``h = relu(z + r)``."""

    gates = ("candidate",)
    additive = True
    activation = "relu"

    def update(self, state: HState, z: Array, r: Array) -> tuple[HState, Gates]:
        """``h = relu(z + r)``."""
        h = self.candidate_activation(z + r)
        return HState(h), {"candidate": h}


@register_cell(
    "irnn",
    title="Rectified RNN that starts as the identity",
    paper="Le et al. 2015, arXiv:1504.00941",
    family="structured",
)
class IRNN(RectifiedCell):
    r"""Rectified units whose recurrent matrix starts as the identity: at first, every unit keeps what it has.

    .. math:: h_t = \max(0, W x_t + U h_{t-1} + b), \qquad U = I, \quad b = 0, \quad W \sim N(0, 0.001^2)
        \text{ at the start}

    Le, Jaitly & Hinton 2015, "A simple way to initialize recurrent networks of rectified linear units". ``init.scale``
    gives the paper's scaled identity, and scales ``W`` as well. The same function of other weights is ``rnn`` with
    ``activation=relu``.
    """

    default_init = Init("small_normal", "identity", gate_bias="constant")
    map: str = setting("dense", "kind of linear map of the recurrence", choices=("dense", "conv"))
