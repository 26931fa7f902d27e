"""LSTM whose input and state gate one another before the step."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import activation, sigmoid
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import Computed, LinearMap, make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import LSTM
from lstmlab.settings import setting


class LowRank(Computed):
    """A dense map that is the product of two; the bias is the second's."""

    def __init__(self, left: LinearMap, right: LinearMap) -> None:
        super().__init__(jnp.asarray(left.kernel), None if right.bias is None else jnp.asarray(right.bias), left.dtype)
        self.right_kernel = nnx.Param(jnp.asarray(right.kernel))

    def matrix(self) -> Array:
        """The product, ``[features, size]``."""
        return jnp.asarray(self.kernel) @ jnp.asarray(self.right_kernel)


@register_cell(
    "mogrifier_lstm", title="Mogrifier LSTM", paper="Melis, Kočiský & Blunsom 2020, arXiv:1909.01792", family="LSTM"
)
class MogrifierLSTM(LSTM):
    r"""LSTM on an input and a state that have scaled each other in turns.

    .. math::
        x^i &= 2 \sigma(Q^i h^{i-1} + q^i) \odot x^{i-2} && \text{for odd } i = 1 \dots r \\
        h^i &= 2 \sigma(R^i x^{i-1} + r^i) \odot h^{i-2} && \text{for even } i = 1 \dots r \\
        h_t, c_t &= \text{LSTM}(x^{\uparrow}, h^{\uparrow}, c_{t-1})

    from :math:`x^{-1} = x_t` and :math:`h^0 = h_{t-1}`; the arrows mark the last of each. Melis, Kočiský & Blunsom
    2020, "Mogrifier LSTM". As in the authors' code, the LSTM's input gate is at most :math:`1 - f_t`, which keeps
    :math:`c` within :math:`\pm 1`, and ``Q`` and ``R`` have biases, first zero; the paper has neither
    (``cap_input_gate=false``, ``modulator_bias=false``). With ``rank`` above 0, each ``Q`` and ``R`` is the product of
    two maps of that rank, as the paper's best models have it. With ``rounds=0`` and no cap it is the LSTM. Kernels
    start as those of our other cells.
    """

    # A diagonal Q would need inputs as wide as the state, and a dense one would undo a diagonal recurrence.
    map: str = setting("dense", "kind of linear map of the recurrence", choices=("dense", "conv"))
    rounds: int = setting(5, "how often input and state gate one another, in turns", minimum=0)
    rank: int = setting(0, "rank of the maps between input and state; 0: full", minimum=0)
    modulator_bias: bool = setting(True, "biases of the maps between input and state", earlier=False)
    cap_input_gate: bool = setting(True, "keep the input gate at most 1 - f", earlier=False)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """``Q`` and ``R`` in turns: at small weights all gates start near one."""
        if self.rank and self.map == "conv":
            raise ValueError(f"cell.rank is {self.rank}, but must be 0 with cell.map=conv")
        sizes = [(self.hidden_size, self.input_size), (self.input_size, self.hidden_size)]
        how: dict[str, Any] = {"init": init.input, "scale": init.scale, "dtype": dtype}

        def modulator(features: int, size: int) -> LinearMap:
            if self.rank:
                left = make_map("dense", features, (self.rank,), key=keys(), **how)
                right = make_map("dense", self.rank, (size,), key=keys(), bias=self.modulator_bias, **how)
                return LowRank(left, right)
            return make_map(
                self.map, features, (size,), key=keys(), bias=self.modulator_bias, window=self.window, **how
            )

        self.mogrifiers = nnx.List(modulator(*sizes[turn % 2]) for turn in range(self.rounds))

    @property
    def form(self) -> Form:
        """Products in sequence; the one with the input is among them."""
        return "step"

    def map_recurrent(self, transform: Callable[[LinearMap], LinearMap]) -> "MogrifierLSTM":
        """Every ``Q`` maps the state as well."""
        cell = super().map_recurrent(transform)
        cell.mogrifiers = nnx.List(transform(m) if turn % 2 == 0 else m for turn, m in enumerate(cell.mogrifiers))
        return cell

    def prepared(self) -> "MogrifierLSTM":
        """With products of low rank computed, those of the input as well."""
        cell = super().prepared()
        cell.mogrifiers = nnx.List(m.prepared() for m in cell.mogrifiers)
        return cell

    def project(self, x: Array) -> Array:
        """The input as it is: its products wait for the state."""
        return x

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The LSTM's, with the input gate capped."""
        if not self.cap_input_gate:
            return super().update(state, z, r)
        act, gate = activation(self.activation), activation(self.gate_activation)
        i, f, candidate, o = self.split(z + r)
        i, f, candidate, o = gate(i), gate(f), self.candidate_activation(candidate), gate(o)
        i = jnp.minimum(i, 1 - f)
        c = f * state.c + i * candidate
        return HCState(o * act(c), c), {"input": i, "forget": f, "candidate": candidate, "output": o}

    def step(self, state: HCState, z: Array) -> tuple[HCState, Gates]:
        """The rounds of gating, then the LSTM's step on what has come out."""
        x, h = z, state.h
        for turn, mogrifier in enumerate(self.mogrifiers):
            if turn % 2 == 0:
                x = 2 * sigmoid(mogrifier(h)) * x
            else:
                h = 2 * sigmoid(mogrifier(x)) * h
        return self.update(state, self.input(x), self.recurrent(h))
