"""The plain recurrent network of Elman."""

from jaxtyping import Array

from lstmlab.cells.base import Cell
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting


@register_cell("rnn", title="Vanilla recurrent network", paper="Elman 1990", family="vanilla")
class RNN(Cell):
    r"""Elman network.

    .. math:: h_t = \tanh(W x_t + U h_{t-1} + b)

    Elman 1990, "Finding structure in time".
    """

    gates = ("candidate",)
    additive = True
    activation: str = setting("tanh", "nonlinearity of the state", choices=("tanh", "relu"))

    def update(self, state: HState, z: Array, r: Array) -> tuple[HState, Gates]:
        """``h = act(z + r)``."""
        h = self.candidate_activation(z + r)
        return HState(h), {"candidate": h}
