"""sLSTM: an LSTM with exponential gates and a normaliser."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.activations import activation_setting, sigmoid
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init
from lstmlab.cells.maps import MAPS
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates
from lstmlab.settings import setting


class NormalisedState(NamedTuple):
    """Output, memory, normaliser and stabiliser. Memory and normaliser are stored as multiples of ``exp(m)``."""

    h: Array
    c: Array
    n: Array
    m: Array


def log_forget(kind: str, a: Array) -> Array:
    """Logarithm of the forget gate from its pre-activation."""
    return jax.nn.log_sigmoid(a) if kind == "sigmoid" else a


@register_cell(
    "slstm",
    title="xLSTM's scalar memory: exponential gates",
    paper="Beck et al. 2024, arXiv:2405.04517",
    family="xLSTM",
)
class SLSTM(Cell):
    r"""LSTM with an exponential input gate, whose memory is divided by the sum of all that entered it.

    .. math::
        i_t &= \exp \tilde i_t, \qquad f_t = \sigma(\tilde f_t) \text{ or } \exp \tilde f_t, \qquad
        o_t = \sigma(\tilde o_t), \qquad \text{each } \tilde g_t = W_g x_t + R_g h_{t-1} + b_g \\
        c_t &= f_t \odot c_{t-1} + i_t \odot \tanh \tilde z_t \\
        n_t &= f_t \odot n_{t-1} + i_t \\
        h_t &= o_t \odot c_t / n_t

    So that no exponential overflows, memory and normaliser are stored divided by :math:`\exp m_t`:

    .. math::
        m_t &= \max(\log f_t + m_{t-1}, \tilde i_t), \qquad
        i'_t = \exp(\tilde i_t - m_t), \qquad f'_t = \exp(\log f_t + m_{t-1} - m_t)

    with :math:`i', f'` in the place of :math:`i, f`; these are the activations reported for ``input`` and ``forget``.
    Where nothing has entered yet (:math:`n = 0`), :math:`m_t = \tilde i_t`. Heads mix their own units alone: ``heads``
    blocks of a block-diagonal :math:`R`. With ``forget=exponential`` a forget bias above 0 favours the oldest inputs;
    it starts at 0.

    Beck et al. 2024, "xLSTM: Extended long short-term memory". It starts as in the authors' code: :math:`R = 0`,
    :math:`W` of variance :math:`2 / 5n` for :math:`n` inputs, and forget biases :math:`5 - 12 (j / (d - 1))^{0.3}` for
    unit :math:`j` of the :math:`d` units of a head (the exponent of the first block there; it grows to 1.6 at the
    last). Other than there, :math:`W` is dense (there block-diagonal, one block per head), and what the authors'
    blocks have around the cell (convolution, normalisation of each head, feed-forward layer) is no part of it.
    """

    gates = ("input", "forget", "candidate", "output")
    # A shift of all input gates cancels in c / n: the time scale is the forget gate's alone.
    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}
    state_type = NormalisedState
    default_init = Init("small_init", "zeros", gate_bias="constant")
    default_block = "residual"
    additive = True
    zoneout_fields = ("h",)  # c, n and m mean something only together
    map: str = setting("block_diagonal", "kind of linear map of the recurrence", choices=MAPS)
    forget: str = setting("sigmoid", "nonlinearity of the forget gate", choices=("sigmoid", "exponential"))
    activation: str = activation_setting("tanh", "nonlinearity of the candidate")

    def first_bias(self, gate: str, size: int, key: Key) -> Array:
        """Forget biases fall by a power law over the units of every head, from 5 to -7; the others are zero."""
        if gate != "forget" or self.forget != "sigmoid":
            return jnp.zeros(size)
        heads = self.heads if self.map == "block_diagonal" else 1
        return jnp.tile(5 - 12 * jnp.linspace(0.0, 1.0, size // heads) ** 0.3, heads)

    def update(self, state: NormalisedState, z: Array, r: Array) -> tuple[NormalisedState, Gates]:
        """The stabilised equations, from the stacked pre-activations ``z + r``."""
        i, f, candidate, o = self.split(z + r)
        candidate, o = self.candidate_activation(candidate), sigmoid(o)
        past = jnp.where(state.n == 0, -jnp.inf, log_forget(self.forget, f) + state.m)
        m = jnp.maximum(past, i)
        i, f = jnp.exp(i - m), jnp.exp(past - m)
        c = f * state.c + i * candidate
        n = f * state.n + i
        gates = {"input": i, "forget": f, "candidate": candidate, "output": o}
        return NormalisedState(h=o * c / n, c=c, n=n, m=m), gates
