"""Long expressive memory."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.activations import sigmoid
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.settings import setting


@register_cell("lem", title="Long expressive memory", paper="Rusch et al. 2022, arXiv:2110.04744", family="structured")
class LEM(Cell):
    r"""A two-scale differential equation, with time steps that every unit learns.

    .. math::
        s_t &= \sigma(W_1 x_t + U_1 h_{t-1} + b_1) && \text{step of the memory, in units of } \Delta t \\
        \bar s_t &= \sigma(W_2 x_t + U_2 h_{t-1} + b_2) && \text{step of the output} \\
        c_t &= (1 - \Delta t \, s_t) \odot c_{t-1} + \Delta t \, s_t \odot \tanh(W_c x_t + U_c h_{t-1} + b_c) \\
        h_t &= (1 - \Delta t \, \bar s_t) \odot h_{t-1} + \Delta t \, \bar s_t \odot \tanh(W_h x_t + U_h c_t + b_h)

    Rusch, Mishra, Erichson & Mahoney 2022, "Long expressive memory for sequence modeling", where :math:`c, h` are
    :math:`z, y`. The output sees the new memory: reference backend. As in the authors' code, all weights and biases
    start uniform within :math:`\pm 1 / \sqrt n` for :math:`n` units. There every gate has two biases, one with each
    product; here it has their sum, which starts as the sum of two draws.
    """

    gates = ("memory_step", "output_step", "candidate", "output_candidate")
    memory_gates: ClassVar[dict[str, int]] = {"memory_step": -1, "output_step": -1}
    state_type = HCState
    recurrent_maps = ("recurrent", "memory_recurrent")
    default_init = Init("hidden_uniform", "hidden_uniform", gate_bias="constant")
    dt: float = setting(1.0, "longest time step of a unit", minimum=0.0)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The output's map of the new memory."""
        self.memory_recurrent = self.recurrent_map(("output_candidate",), keys(), init, dtype)

    def first_bias(self, gate: str, size: int, key: Key) -> Array:
        """The sum of two biases, uniform each."""
        bound = self.hidden_size**-0.5
        return jax.random.uniform(key, (2, size), minval=-bound, maxval=bound).sum(0)

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """The output's candidate sees the memory instead of ``h``."""
        return self.gates[:3]

    @property
    def form(self) -> Form:
        """Two products, one after the other."""
        return "step"

    def step(self, state: HCState, z: Array) -> tuple[HCState, Gates]:
        """First the memory, then the output, which sees it."""
        *z_first, z_output = self.split(z)
        r_first = self.split(self.recurrent(state.h), self.recurrent_gates)
        memory_step, output_step, candidate = (a + b for a, b in zip(z_first, r_first, strict=True))
        memory_step, output_step, candidate = (
            sigmoid(memory_step),
            sigmoid(output_step),
            self.candidate_activation(candidate),
        )
        c = state.c + self.dt * memory_step * (candidate - state.c)
        output = jnp.tanh(z_output + self.memory_recurrent(c))
        h = state.h + self.dt * output_step * (output - state.h)
        values = (memory_step, output_step, candidate, output)
        return HCState(h, c), dict(zip(self.gates, values, strict=True))
