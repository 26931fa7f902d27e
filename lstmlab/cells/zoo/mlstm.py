"""mLSTM: an LSTM with a matrix memory, parallel over time."""

from collections.abc import Sequence
from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.activations import sigmoid
from lstmlab.cells.forms import Terms
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import LinearMap, make_map
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

    with all but :math:`o` per head, :math:`d` = hidden / heads, and one number each for :math:`i, f`. As in the
    authors' code, their :math:`x_t` is the vector :math:`[q_t, k_t, v_t]` of all heads, before the division by
    :math:`\sqrt d`; ``gate_inputs=x`` gives the paper's equations. No gate sees the state. :math:`C` and :math:`n` are
    stored divided by :math:`\exp m_t`, see :class:`~lstmlab.cells.matrix.MatrixCell`, which turns the 1 into
    :math:`\exp(-m_t)`; the activations reported for ``input`` and ``forget`` are those of the stored memory. ``C`` has
    keys before values, the transpose of the paper's.
    With ``forget=exponential`` a forget bias above 0 favours the oldest inputs; it starts at 0.

    Beck et al. 2024, "xLSTM: Extended long short-term memory", with four heads. It starts as in the authors' code:
    :math:`w_i = w_f = 0`, forget biases from 3 to 6 over the heads, input biases of standard deviation 0.1, and maps
    to :math:`q, k, v` of variance :math:`2 / 5n` for :math:`n` inputs. Other than there, these maps are dense (there
    in blocks of four features) and have biases (``bias=false``: none, nor at the gates), :math:`o` is the paper's, and
    what the authors' blocks have around the cell (normalisation of each head, convolution, skip) is no part of it.
    """

    gates = ("query", "key", "value", "input", "forget", "output")
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}
    default_init = Init("small_init", "zeros", gate_bias="constant")
    default_block = "up_projection"
    gate_inputs: str = setting(
        "qkv", "what input and forget gate read: query, key and value, or x", choices=("qkv", "x"), earlier="x"
    )
    forget: str = setting("sigmoid", "nonlinearity of the forget gate", choices=("sigmoid", "exponential"))

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The map from query, key and value to the gates, first zero. Raises ``ValueError`` where heads do not fit."""
        if self.hidden_size % self.heads:
            raise ValueError(
                f"cell.heads is {self.heads}, but must divide the hidden size {self.hidden_size} without remainder"
            )
        sizes = self.sizes(("input", "forget"))
        self.gate_map: LinearMap | None = (
            make_map("dense", 3 * self.hidden_size, sizes, key=keys(), init="zeros", dtype=dtype)
            if self.gate_inputs == "qkv"
            else None
        )

    def input_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """A map to the gates that read ``x``; those of input and forget gate start at zero, if they are among them."""
        if self.gate_inputs == "qkv":
            return super().input_map([gate for gate in gates if gate not in ("input", "forget")], key, init, dtype)
        linear = super().input_map(gates, key, init, dtype)
        if init.input == self.default_init.input:
            parts = dict(zip(gates, self.split(jnp.asarray(linear.kernel), gates), strict=True))
            zero = [0 * part if gate in ("input", "forget") else part for gate, part in parts.items()]
            linear.kernel = nnx.Param(jnp.concatenate(zero, axis=-1))
        return linear

    def first_bias(self, gate: str, size: int, key: Key) -> Array:
        """Those of the authors' code, see the docstring."""
        if gate == "forget" and self.forget == "sigmoid":
            return jnp.linspace(3.0, 6.0, size)
        return 0.1 * jax.random.normal(key, (size,)) if gate == "input" else jnp.zeros(size)

    def project(self, x: Array) -> Array:
        """All gates; those of input and forget gate from query, key and value."""
        if self.gate_map is None:
            return super().project(x)
        qkv, o = jnp.split(self.input.product(x), [3 * self.hidden_size], axis=-1)
        if self.input.bias is None:
            return jnp.concatenate([qkv, self.gate_map(qkv), o], axis=-1)
        b_qkv, b_rest = jnp.split(jnp.asarray(self.input.bias), [3 * self.hidden_size])
        qkv = qkv + b_qkv
        return jnp.concatenate([qkv, jnp.concatenate([self.gate_map(qkv), o], axis=-1) + b_rest], axis=-1)

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
