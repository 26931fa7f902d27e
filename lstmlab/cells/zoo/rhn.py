"""Recurrent highway network: several gated layers within each step."""

from collections.abc import Callable
from typing import ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.activations import activation, activation_setting
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream, gate_biases
from lstmlab.cells.maps import LinearMap
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting


@register_cell(
    "rhn", title="Recurrent highway network", paper="Zilly et al. 2017, arXiv:1607.03474", family="structured"
)
class RHN(Cell):
    r"""A highway network of ``depth`` layers from each state to the next, with the carry gate ``1 - t``.

    .. math::
        s^0_t &= h_{t-1} \\
        n^l_t &= \tanh(W_n x_t \, [l = 1] + U^l_n s^{l-1}_t + b^l_n) \\
        t^l_t &= \sigma(W_t x_t \, [l = 1] + U^l_t s^{l-1}_t + b^l_t) \\
        s^l_t &= t^l_t \odot n^l_t + (1 - t^l_t) \odot s^{l-1}_t \qquad l = 1 \dots L \\
        h_t &= s^L_t

    Zilly, Srivastava, Koutník & Schmidhuber 2017, "Recurrent highway networks". Transform biases start below zero, so
    that most of the state is carried: the paper takes -2 to -4. The gates reported are those of the first layer.
    """

    gates = ("candidate", "transform")
    memory_gates: ClassVar[dict[str, int]] = {"transform": -1}
    additive = True
    depth: int = setting(3, "layers within each step", minimum=1)
    transform_bias: float = setting(
        -2.0, "first bias of the transform gates; init.forget_bias, chrono and uniform gates replace it"
    )
    activation: str = activation_setting("tanh", "nonlinearity of the candidate")
    gate_activation: str = activation_setting("sigmoid", "nonlinearity of the transform gate")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The layers above the first, and the biases of all."""
        deeper = self.depth - 1
        self.deeper = nnx.List(self.recurrent_map(self.gates, keys(), init, dtype) for _ in range(deeper))
        sizes = dict(zip(self.gates, self.sizes(self.gates), strict=True))
        biases = [gate_biases(keys(), sizes, self.memory_gates, init, self.first_bias) for _ in range(deeper)]
        self.deeper_bias = nnx.Param(jnp.stack(biases)) if self.bias and biases else None

    def first_bias(self, gate: str, size: int, key: Key) -> Array:
        """The transform gate has a start of its own."""
        return jnp.full(size, self.transform_bias if gate == "transform" else 0.0)

    @property
    def form(self) -> Form:
        """One layer is one product and a pointwise function; more are products in sequence."""
        return "pointwise" if self.depth == 1 else "step"

    def map_recurrent(self, transform: Callable[[LinearMap], LinearMap]) -> "RHN":
        """Every layer maps the state."""
        cell = super().map_recurrent(transform)
        cell.deeper = nnx.List(transform(linear) for linear in cell.deeper)
        return cell

    def update(self, state: HState, z: Array, r: Array) -> tuple[HState, Gates]:
        """One layer, from its stacked pre-activations ``z + r``."""
        candidate, transform = self.split(z + r)
        candidate, transform = self.candidate_activation(candidate), activation(self.gate_activation)(transform)
        h = transform * candidate + (1 - transform) * state.h
        return HState(h), {"candidate": candidate, "transform": transform}

    def step(self, state: HState, z: Array) -> tuple[HState, Gates]:
        """All layers; the input enters the first."""
        state, gates = super().step(state, z)
        for layer, linear in enumerate(self.deeper):
            bias = jnp.zeros(()) if self.deeper_bias is None else self.deeper_bias[layer]
            state, _ = self.update(state, bias, linear(state.h))
        return state, gates
