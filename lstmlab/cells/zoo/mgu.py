"""The minimal gated unit."""

from typing import ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import activation, activation_setting
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import LinearMap
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting


@register_cell("mgu", title="Minimal gated unit", paper="Zhou et al. 2016, arXiv:1603.09420", family="GRU")
class MGU(Cell):
    r"""GRU with a single gate, which both resets and updates.

    .. math::
        f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f) \\
        n_t &= \tanh(W_n x_t + U_n (f_t \odot h_{t-1}) + b_n) && \text{reset="before", as published} \\
        n_t &= \tanh(W_n x_t + b_n + f_t \odot (U_n h_{t-1} + c_n)) && \text{reset="after", as cuDNN's GRU} \\
        h_t &= (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    Zhou, Wu, Zhang & Zhou 2016, "Minimal gated unit for recurrent neural networks". The paper calls :math:`f` a forget
    gate, but where it is open the new candidate replaces the state: here it is named ``update``, and starts at zero;
    ``init.forget_bias=1`` gives it a bias of -1. (Flax's ``MGUCell`` mixes the other way round,
    :math:`f h + (1 - f) n`: another cell.)
    """

    gates = ("update", "candidate")
    memory_gates: ClassVar[dict[str, int]] = {"update": -1}
    recurrent_maps = ("recurrent", "candidate_recurrent")
    reset: str = setting("before", "where the gate acts in the candidate: on h or on U h", choices=("before", "after"))
    activation: str = activation_setting("tanh", "nonlinearity of the candidate")
    gate_activation: str = activation_setting("sigmoid", "nonlinearity of the gate")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The candidate's own map of the gated state, or its recurrent bias inside the gate."""
        before = self.reset == "before"
        self.candidate_recurrent: LinearMap | None = (
            self.recurrent_map(("candidate",), keys(), init, dtype) if before else None
        )
        self.candidate_bias = nnx.Param(jnp.zeros(self.hidden_size)) if self.bias and not before else None

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """With the gate before the product, the candidate has a map of its own."""
        return self.gates if self.reset == "after" else ("update",)

    @property
    def form(self) -> Form:
        """Pointwise only when the gate acts after the product."""
        return "pointwise" if self.reset == "after" else "step"

    def update(self, state: HState, z: Array, r: Array) -> tuple[HState, Gates]:
        """Gate after the product: ``r`` holds ``U h`` for gate and candidate."""
        (z_update, z_candidate), (r_update, r_candidate) = self.split(z), self.split(r)
        if self.candidate_bias is not None:
            r_candidate = r_candidate + self.candidate_bias
        update = activation(self.gate_activation)(z_update + r_update)
        return self._mix(state, update, z_candidate + update * r_candidate)

    def step(self, state: HState, z: Array) -> tuple[HState, Gates]:
        """Gate before the product: it stands between two recurrent products."""
        if self.candidate_recurrent is None:
            return super().step(state, z)
        z_update, z_candidate = self.split(z)
        update = activation(self.gate_activation)(z_update + self.recurrent(state.h))
        return self._mix(state, update, z_candidate + self.candidate_recurrent(update * state.h))

    def _mix(self, state: HState, update: Array, candidate: Array) -> tuple[HState, Gates]:
        candidate = self.candidate_activation(candidate)
        h = (1 - update) * state.h + update * candidate
        return HState(h), {"update": update, "candidate": candidate}
