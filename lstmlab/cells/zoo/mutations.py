"""The three mutated architectures that a search over ten thousand recurrent cells found best."""

from collections.abc import Sequence
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.activations import sigmoid
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import LinearMap
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState

PAPER = "Jozefowicz, Zaremba & Sutskever 2015"


class Mutation(Cell):
    r"""What the three share: a candidate that sees the gated state, :math:`h_t = u n + (1 - u) h_{t-1}`."""

    gates = ("reset", "update", "candidate")
    memory_gates: ClassVar[dict[str, int]] = {"update": -1}
    recurrent_maps = ("recurrent", "candidate_recurrent")
    direct: ClassVar[str | None] = None
    """The gate that sees ``x`` itself where input and state have one size, and a projection of it where not."""

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The candidate's map of the gated state."""
        self.candidate_recurrent = self.recurrent_map(("candidate",), keys(), init, dtype)

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """The gates that see the state as it is."""
        return ("reset", "update")

    @property
    def form(self) -> Form:
        """Two products, one after the other."""
        return "step"

    @property
    def projected(self) -> tuple[str, ...]:
        """The gates that see the input through a map."""
        direct = self.direct if self.input_size == self.hidden_size else None
        return tuple(gate for gate in self.gates if gate != direct)

    def input_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """A map to the gates that need one."""
        return super().input_map([gate for gate in gates if gate in self.projected], key, init, dtype)

    def project(self, x: Array) -> Array:
        """``W x + b``, or ``x + b`` for a gate that sees the input as it is."""
        blocks = dict(zip(self.projected, self.split(self.input.product(x), self.projected), strict=True))
        z = jnp.concatenate([self.seen(gate, blocks.get(gate, x)) for gate in self.gates], axis=-1)
        return z if self.input.bias is None else z + self.input.bias

    def seen(self, gate: str, x: Array) -> Array:
        """What a gate sees of its projected input."""
        del gate
        return x

    def products(self, h: Array) -> Sequence[Array | float]:
        """Recurrent products of the reset and the update gate."""
        return self.split(self.recurrent(h), self.recurrent_gates)

    def step(self, state: HState, z: Array) -> tuple[HState, Gates]:
        """Gates, then the candidate, then the mixture."""
        z_reset, z_update, z_candidate = self.split(z)
        r_reset, r_update = self.products(state.h)
        reset, update = sigmoid(z_reset + r_reset), sigmoid(z_update + r_update)
        candidate = self.candidate_activation(z_candidate + self.candidate_recurrent(reset * state.h))
        h = update * candidate + (1 - update) * state.h
        return HState(h), {"reset": reset, "update": update, "candidate": candidate}


@register_cell("mut1", title="First mutated architecture", paper=PAPER, family="GRU")
class MUT1(Mutation):
    r"""A GRU whose update gate sees the input alone.

    .. math::
        u_t &= \sigma(W_u x_t + b_u) \\
        r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
        n_t &= \tanh(U_n (r_t \odot h_{t-1}) + \tanh(x_t) + b_n) \\
        h_t &= u_t \odot n_t + (1 - u_t) \odot h_{t-1}

    Jozefowicz, Zaremba & Sutskever 2015, "An empirical exploration of recurrent network architectures". The paper's
    :math:`\tanh(x_t)` becomes :math:`\tanh(W_n x_t)` where input and state differ in size.
    """

    direct = "candidate"

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """The update gate does not see the state."""
        return ("reset",)

    def seen(self, gate: str, x: Array) -> Array:
        """The candidate sees ``tanh(x)``; its bias stands outside."""
        return jnp.tanh(x) if gate == "candidate" else x

    def products(self, h: Array) -> Sequence[Array | float]:
        """None for the update gate."""
        return self.recurrent(h), 0.0


@register_cell("mut2", title="Second mutated architecture", paper=PAPER, family="GRU")
class MUT2(Mutation):
    r"""A GRU whose reset gate sees the input as it is.

    .. math::
        u_t &= \sigma(W_u x_t + U_u h_{t-1} + b_u) \\
        r_t &= \sigma(x_t + U_r h_{t-1} + b_r) \\
        n_t &= \tanh(U_n (r_t \odot h_{t-1}) + W_n x_t + b_n) \\
        h_t &= u_t \odot n_t + (1 - u_t) \odot h_{t-1}

    Jozefowicz, Zaremba & Sutskever 2015, "An empirical exploration of recurrent network architectures". The reset gate
    sees :math:`W_r x_t` where input and state differ in size; that is the GRU with ``reset=before``, so choose equal
    sizes (an embedding does) to compare the two.
    """

    direct = "reset"


@register_cell("mut3", title="Third mutated architecture", paper=PAPER, family="GRU")
class MUT3(Mutation):
    r"""A GRU whose update gate sees the squashed state.

    .. math::
        u_t &= \sigma(W_u x_t + U_u \tanh(h_{t-1}) + b_u) \\
        r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
        n_t &= \tanh(U_n (r_t \odot h_{t-1}) + W_n x_t + b_n) \\
        h_t &= u_t \odot n_t + (1 - u_t) \odot h_{t-1}

    Jozefowicz, Zaremba & Sutskever 2015, "An empirical exploration of recurrent network architectures".
    """

    recurrent_maps = ("recurrent", "update_recurrent", "candidate_recurrent")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """A map of its own for the update gate too, which sees another vector."""
        super().setup(keys, init, dtype)
        self.update_recurrent = self.recurrent_map(("update",), keys(), init, dtype)

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """The update gate has a map of its own."""
        return ("reset",)

    def products(self, h: Array) -> Sequence[Array | float]:
        """``U h`` for the reset gate, ``U tanh(h)`` for the update gate."""
        return self.recurrent(h), self.update_recurrent(jnp.tanh(h))
