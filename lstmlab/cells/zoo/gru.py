"""Gated recurrent units."""

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


@register_cell("gru", title="Gated recurrent unit", paper="Cho et al. 2014, arXiv:1406.1078", family="GRU")
class GRU(Cell):
    r"""Gated recurrent unit.

    .. math::
        r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
        u_t &= \sigma(W_u x_t + U_u h_{t-1} + b_u) \\
        n_t &= \tanh(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + c_n)) && \text{reset="after", as cuDNN} \\
        n_t &= \tanh(W_n x_t + b_n + U_n (r_t \odot h_{t-1})) && \text{reset="before", as first published} \\
        h_t &= u_t \odot h_{t-1} + (1 - u_t) \odot n_t

    Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder". With the reset gate before the
    product the step holds two products in sequence, so only the reference backend runs it. All biases start at zero;
    ``init.forget_bias`` acts on the update gate, which keeps the state where it is open.
    """

    gates = ("reset", "update", "candidate")
    memory_gates: ClassVar[dict[str, int]] = {"update": 1}
    recurrent_maps = ("recurrent", "candidate_recurrent")
    reset: str = setting("after", "where the reset gate acts: on U h or on h", choices=("after", "before"))
    activation: str = activation_setting("tanh", "nonlinearity of the candidate")
    gate_activation: str = activation_setting("sigmoid", "nonlinearity of the gates")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The candidate's recurrent bias, inside the reset gate, or its own map of the gated state."""
        has_bias = self.bias and self.reset == "after"
        self.candidate_bias = nnx.Param(jnp.zeros(self.hidden_size)) if has_bias else None
        self.candidate_recurrent: LinearMap | None = (
            self.recurrent_map(("candidate",), keys(), init, dtype) if self.reset == "before" else None
        )

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """With the reset gate before the product, the candidate has a map of its own."""
        return self.gates if self.reset == "after" else ("reset", "update")

    @property
    def form(self) -> Form:
        """Pointwise only when the reset gate acts after the product."""
        return "pointwise" if self.reset == "after" else "step"

    def update(self, state: HState, z: Array, r: Array) -> tuple[HState, Gates]:
        """Reset after the product: ``r`` holds ``U h`` for all three gates."""
        gate = activation(self.gate_activation)
        z_reset, z_update, z_candidate = self.split(z)
        r_reset, r_update, r_candidate = self.split(r)
        if self.candidate_bias is not None:
            r_candidate = r_candidate + self.candidate_bias
        reset, keep = gate(z_reset + r_reset), gate(z_update + r_update)
        return self._mix(state, reset, keep, z_candidate + reset * r_candidate)

    def step(self, state: HState, z: Array) -> tuple[HState, Gates]:
        """Reset before the product needs the reset gate between its two recurrent products."""
        if self.candidate_recurrent is None:
            return super().step(state, z)
        gate = activation(self.gate_activation)
        z_gates, z_candidate = jnp.split(z, [2 * self.hidden_size], axis=-1)
        reset, keep = self.split(gate(z_gates + self.recurrent(state.h)), self.recurrent_gates)
        candidate = z_candidate + self.candidate_recurrent(reset * state.h)
        return self._mix(state, reset, keep, candidate)

    def _mix(self, state: HState, reset: Array, keep: Array, candidate: Array) -> tuple[HState, Gates]:
        candidate = self.candidate_activation(candidate)
        h = keep * state.h + (1 - keep) * candidate
        return HState(h), {"reset": reset, "update": keep, "candidate": candidate}
