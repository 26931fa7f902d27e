"""mLSTM: an LSTM with a matrix memory, parallel over time."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.forms import Terms
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.matrix import MatrixCell
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates
from lstmlab.cells.zoo.slstm import log_forget
from lstmlab.settings import setting

# Bounds of m in the divisor exp(-m). Above, the divisor would vanish where a query meets no key: the authors' code adds
# 1e-6 to it, here exp(-m) never falls below that. Below, exp(-m) would overflow; such a memory holds less than 1e-34.
M_MIN, M_MAX = -80.0, 13.8


@register_cell("mlstm", title="xLSTM's matrix memory", paper="Beck et al. 2024, arXiv:2405.04517", family="xLSTM")
class MLSTM(MatrixCell):
    r"""LSTM whose memory is a matrix per head, written by keys and values and read by queries.

    .. math::
        q_t &= W_q x_t + b_q, \qquad k_t = (W_k x_t + b_k) / \sqrt{d}, \qquad v_t = W_v x_t + b_v \\
        i_t &= \exp(w_i^\top x_t + b_i), \qquad
        f_t = \sigma(w_f^\top x_t + b_f) \text{ or } \exp(w_f^\top x_t + b_f) \\
        C_t &= f_t C_{t-1} + i_t\, k_t v_t^\top, \qquad n_t = f_t n_{t-1} + i_t\, k_t \\
        h_t &= \sigma(W_o x_t + b_o) \odot \frac{C_t^\top q_t}{\max(|n_t^\top q_t|, 1)}

    with all but :math:`o` per head, :math:`d` = hidden / heads, and one number each for :math:`i, f`. No gate sees the
    state. :math:`C` and :math:`n` are stored divided by :math:`\exp m_t`, see
    :class:`~lstmlab.cells.matrix.MatrixCell`, which turns the 1 into :math:`\exp(-m_t)`; the activations reported for
    ``input`` and ``forget`` are those of the stored memory. ``C`` has keys before values, the transpose of the paper's.
    With ``forget=exponential`` a forget bias above 0 favours the oldest inputs.

    Beck et al. 2024, "xLSTM: Extended long short-term memory", with four heads. What its blocks have around the cell
    (normalisation, convolution, projections) is no part of it.
    """

    gates = ("query", "key", "value", "input", "forget", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}
    forget: str = setting("sigmoid", "nonlinearity of the forget gate", choices=("sigmoid", "exponential"))

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Nothing to create, but heads must fit. Raises ``ValueError`` where they do not."""
        if self.hidden_size % self.heads:
            raise ValueError(
                f"cell.heads is {self.heads}, but must divide the hidden size {self.hidden_size} without remainder"
            )

    def gate_size(self, gate: str) -> int:
        """One input and forget gate per head."""
        return self.heads if gate in ("input", "forget") else self.hidden_size

    def activate(self, z: Array) -> Gates:
        """All gates; of input and forget gate the logarithms."""
        gates = dict(zip(self.gates, self.split(z), strict=True))
        return gates | {"forget": log_forget(self.forget, gates["forget"]), "output": sigmoid(gates["output"])}

    def terms(self, gates: Gates) -> Terms:
        """Query, key and value cut into heads, the key scaled."""
        q, k, v = (
            gates[g].reshape(*gates[g].shape[:-1], self.heads, self.head_size) for g in ("query", "key", "value")
        )
        return Terms(q, k / self.head_size**0.5, v, gates["forget"], gates["input"])

    def output_from(self, read: Array, mass: Array, m: Array, gates: Gates) -> Array:
        """``o C q / max(|n q|, 1)``."""
        divisor = jnp.maximum(jnp.abs(mass), jnp.exp(-jnp.clip(m, M_MIN, M_MAX)))
        return gates["output"] * (read / divisor[..., None]).reshape(*read.shape[:-2], self.hidden_size)
