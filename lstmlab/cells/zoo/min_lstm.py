"""Minimal LSTM that runs in parallel over time."""

from typing import ClassVar

import jax
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates
from lstmlab.cells.zoo.min_gru import MinGRU


@register_cell(
    "min_lstm",
    title="Minimal LSTM, parallel over time",
    paper="Feng et al. 2024, arXiv:2410.01201",
    family="parallel in time",
)
class MinLSTM(MinGRU):
    r"""LSTM whose gates do not see the state and sum to one.

    .. math::
        f_t &= \sigma(W_f x_t + b_f), \qquad i_t = \sigma(W_i x_t + b_i) \\
        f'_t &= \frac{f_t}{f_t + i_t}, \qquad i'_t = \frac{i_t}{f_t + i_t} \\
        n_t &= g(W_n x_t + b_n), \qquad g(a) = a + 1/2 \text{ for } a \ge 0 \text{, else } \sigma(a) \\
        h_t &= f'_t \odot h_{t-1} + i'_t \odot n_t

    Feng et al. 2024, "Were RNNs all we needed?". The candidate is :class:`MinGRU`'s. Where both gates close, the
    fractions are 0/0; they are computed from :math:`\log f_t - \log i_t`, of which they are sigmoids. The gates
    reported as ``forget`` and ``input`` are :math:`f'` and :math:`i'`.
    """

    gates = ("forget", "input", "candidate")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1, "input": -1}

    def activate(self, z: Array, past: Array | None) -> Gates:
        """Normalised gates and the candidate."""
        forget, admit, candidate = self.split(z)
        log_odds = jax.nn.softplus(-admit) - jax.nn.softplus(-forget)  # log f - log i
        return {
            "forget": sigmoid(log_odds),
            "input": sigmoid(-log_odds),
            "candidate": self.candidate_activation(candidate),
        }

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``f'`` and ``i' n``."""
        return gates["forget"], gates["input"] * gates["candidate"]
