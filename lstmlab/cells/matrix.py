r"""Cells whose memory is a matrix: a sum of outer products under a scalar decay.

.. math::
    C_t = f_t C_{t-1} + i_t\, k_t v_t^\top, \qquad n_t = f_t n_{t-1} + i_t\, k_t, \qquad
    \text{read: } q_t^\top C_t \text{ and } q_t^\top n_t

All of :math:`f, i, q, k, v` depend on :math:`x_t` alone, so a stretch of steps can be computed at once, as attention
under a mask of decays. Decay and weight are given by their logarithms, and what is stored is divided by
:math:`\exp m_t` with :math:`m_t = \max(\log f_t + m_{t-1}, \log i_t)`, so that nothing overflows.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.arrays import Projected
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form, Terms
from lstmlab.cells.state import Gates
from lstmlab.settings import setting


class MatrixState(NamedTuple):
    """Output, and per head memory, normaliser and stabiliser; the former two as multiples of ``exp(m)``."""

    h: Float[Array, "*batch hidden"]
    C: Float[Array, "*batch heads keys values"]
    n: Float[Array, "*batch heads keys"]
    m: Float[Array, "*batch heads"]


class MatrixCell(Cell):
    """Base of cells with a matrix memory. Such a cell writes ``activate``, ``terms`` and ``output_from``."""

    state_type = MatrixState
    memory_fields = ("C", "n", "m")
    zoneout_fields = ("h",)  # C, n and m mean something only together
    recurrent_maps = ()
    map: str = setting("dense", "kind of linear map of the inputs: there is none of the state", choices=("dense",))
    heads: int = setting(1, "memories side by side, each of (hidden / heads) x (hidden / heads) numbers", minimum=1)

    def activate(self, z: Array) -> Gates:
        """Everything that depends on the input, by name."""
        raise NotImplementedError(f"{type(self).__name__} defines no activate")

    def terms(self, gates: Gates) -> Terms:
        """Query, key, value, and the logarithms of decay and weight."""
        raise NotImplementedError(f"{type(self).__name__} defines no terms")

    def output_from(self, read: Array, mass: Array, m: Array, gates: Gates) -> Array:
        """The output ``h`` from ``q C`` and ``q n`` as stored, and their stabiliser ``m``."""
        raise NotImplementedError(f"{type(self).__name__} defines no output_from")

    def output_keep(self, z: Projected) -> Array | None:
        """The share of the previous output that stays in the output: none; zoneout has one."""
        del z
        return None

    @property
    def form(self) -> Form:
        """A sum of outer products."""
        return "matrix"

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """None: no product with the output inside the loop."""
        return ()

    @property
    def head_size(self) -> int:
        """Features of one head's keys and values."""
        return self.hidden_size // self.heads

    def initial_state(self, *batch: int) -> MatrixState:
        """Empty memories."""
        heads, size = self.heads, self.head_size
        shapes = (self.state_shape, (heads, size, size), (heads, size), (heads,))
        return MatrixState(*(self.zeros(*batch, *shape) for shape in shapes))

    def step(self, state: MatrixState, z: Array) -> tuple[MatrixState, Gates]:
        """One step of the stabilised recurrence."""
        gates = self.activate(z)
        q, k, v, log_decay, log_weight = self.terms(gates)
        past = log_decay + state.m
        m = jnp.maximum(past, log_weight)
        decay, weight = jnp.exp(past - m), jnp.exp(log_weight - m)
        weighted = weight[..., None] * k
        C = decay[..., None, None] * state.C + weighted[..., :, None] * v[..., None, :]
        n = decay[..., None] * state.n + weighted
        read, mass = jnp.einsum("...k,...kv->...v", q, C), jnp.einsum("...k,...k->...", q, n)
        h = self.output_from(read, mass, m, gates)
        return MatrixState(h, C, n, m), gates | {"input": weight, "forget": decay}
