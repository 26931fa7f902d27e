"""Minimal gated units that run in parallel over time."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.linear import LinearCell
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates
from lstmlab.settings import setting


def positive(x: Array) -> Array:
    """``x + 1/2`` for positive numbers, else their sigmoid: continuous and above zero, so that it has a logarithm."""
    return jnp.where(x >= 0, x + 0.5, sigmoid(x))


@register_cell(
    "min_gru",
    title="Minimal GRU, parallel over time",
    paper="Feng et al. 2024, arXiv:2410.01201",
    family="parallel in time",
)
class MinGRU(LinearCell):
    r"""GRU whose gates do not see the state.

    .. math::
        u_t &= \sigma(W_u x_t + b_u) \\
        n_t &= g(W_n x_t + b_n), \qquad g(a) = a + 1/2 \text{ for } a \ge 0 \text{, else } \sigma(a) \\
        h_t &= (1 - u_t) \odot h_{t-1} + u_t \odot n_t

    Feng et al. 2024, "Were RNNs all we needed?". The paper computes in logarithms, which is why :math:`g` is positive;
    with :math:`0 \le 1 - u_t \le 1` the recurrence is as safe without them. ``candidate=identity`` is the paper's
    first form, :math:`n_t = W_n x_t + b_n`.
    """

    gates = ("update", "candidate")
    memory_gates: ClassVar[dict[str, int]] = {"update": -1}
    default_block = "residual"
    candidate: str = setting("positive", "nonlinearity of the candidate", choices=("positive", "identity"))

    def candidate_nonlinearity(self, a: Array) -> Array:
        """Positive as in the log-space form, or linear."""
        return positive(a) if self.candidate == "positive" else a

    def activate(self, z: Array, past: Array | None) -> Gates:
        """Gate and candidate of the equations above."""
        update, candidate = self.split(z)
        return {"update": sigmoid(update), "candidate": self.candidate_activation(candidate)}

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``1 - u`` and ``u n``."""
        return 1 - gates["update"], gates["update"] * gates["candidate"]
