"""LSTM whose units are ordered by how long they remember."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.cells.activations import activation
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import LSTM
from lstmlab.settings import setting


def cumax(a: Array) -> Array:
    """Running sum of the softmax over the last axis: rises from above 0 to 1."""
    return jnp.cumsum(jax.nn.softmax(a, axis=-1), axis=-1)


@register_cell("on_lstm", title="Ordered-neurons LSTM", paper="Shen et al. 2019, arXiv:1810.09536", family="LSTM")
class ONLSTM(LSTM):
    r"""LSTM with master gates that are monotone over the units: high ones keep what low ones have forgotten.

    .. math::
        \tilde f_t &= \text{cumax}(W_{\tilde f} x_t + U_{\tilde f} h_{t-1} + b_{\tilde f}) \\
        \tilde i_t &= 1 - \text{cumax}(W_{\tilde i} x_t + U_{\tilde i} h_{t-1} + b_{\tilde i}) \\
        \omega_t &= \tilde f_t \odot \tilde i_t \\
        \hat f_t &= f_t \odot \omega_t + (\tilde f_t - \omega_t) \\
        \hat i_t &= i_t \odot \omega_t + (\tilde i_t - \omega_t) \\
        c_t &= \hat f_t \odot c_{t-1} + \hat i_t \odot \hat c_t \\
        h_t &= o_t \odot \tanh c_t

    with :math:`f_t, i_t, o_t` and the candidate :math:`\hat c_t` of the LSTM. Shen, Tan, Sordoni & Courville 2019,
    "Ordered neurons". Master gates have ``hidden / chunk_size`` levels, each of which governs ``chunk_size`` units.
    """

    gates = ("input", "forget", "candidate", "output", "master_input", "master_forget")
    chunk_size: int = setting(1, "units per level of the master gates; must divide the hidden size", minimum=1)

    def gate_size(self, gate: str) -> int:
        """Master gates have one output per level."""
        if not gate.startswith("master"):
            return self.hidden_size
        if self.hidden_size % self.chunk_size:
            raise ValueError(
                f"cell.chunk_size is {self.chunk_size}, but must divide the hidden size {self.hidden_size} "
                "without remainder"
            )
        return self.hidden_size // self.chunk_size

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The new state, and all six gates; master gates have one number per level."""
        act, gate = activation(self.activation), activation(self.gate_activation)
        i, f, candidate, o, master_i, master_f = self.split(z + r)
        i, f, candidate, o = gate(i), gate(f), self.candidate_activation(candidate), gate(o)
        master_i, master_f = 1 - cumax(master_i), cumax(master_f)
        gates = {"input": i, "forget": f, "candidate": candidate, "output": o}
        gates |= {"master_input": master_i, "master_forget": master_f}
        master_i, master_f = (jnp.repeat(m, self.chunk_size, axis=-1) for m in (master_i, master_f))
        overlap = master_f * master_i
        keep = f * overlap + (master_f - overlap)
        write = i * overlap + (master_i - overlap)
        c = keep * state.c + write * candidate
        return HCState(h=o * act(c), c=c), gates
