"""The clockwork recurrent network."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from lstmlab.arrays import Key, Traceable
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init, per_gate
from lstmlab.cells.maps import Computed, LinearMap
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates
from lstmlab.settings import setting


class ClockedState(NamedTuple):
    """Output, and steps taken modulo the longest period, ``[batch, 1]``."""

    h: Array
    clock: Array


class FromSlower(Computed):
    """A square map between groups of units, where a group is fed by itself and the groups after it.

    Only the blocks that are not zero are parameters: flat, one column of blocks after the other.
    """

    def __init__(self, size: int, groups: int, key: Key, init: str, scale: Traceable, dtype: str | None):
        self.groups, self.width = groups, size // groups
        columns = [
            per_gate(init, subkey, (size - k * self.width,), (self.width,), scale).ravel()
            for k, subkey in enumerate(jax.random.split(key, groups))
        ]
        super().__init__(jnp.concatenate(columns), None, dtype)

    def matrix(self) -> Array:
        """``[from, to]``, zero above the block diagonal."""
        kernel, start, columns = jnp.asarray(self.kernel), 0, []
        for k in range(self.groups):
            above = k * self.width
            stop = start + (self.groups * self.width - above) * self.width
            columns.append(jnp.pad(kernel[start:stop].reshape(-1, self.width), ((above, 0), (0, 0))))
            start = stop
        return jnp.concatenate(columns, axis=1)


@register_cell(
    "clockwork_rnn", title="Clockwork RNN", paper="Koutník et al. 2014, arXiv:1402.3511", family="structured"
)
class ClockworkRNN(Cell):
    r"""Groups of units that tick at periods 1, 2, 4, …; slower groups feed faster ones.

    .. math::
        h_t^{(i)} = \begin{cases}
            \tanh\big(W_i x_t + \sum_{j \ge i} U_{ij} h_{t-1}^{(j)} + b_i\big) & t \bmod 2^{i-1} = 0 \\
            h_{t-1}^{(i)} & \text{otherwise}
        \end{cases}

    Koutník, Greff, Gomez & Schmidhuber 2014, "A clockwork RNN". ``t`` counts steps from 0 where a sequence begins, so
    the first step moves all groups. The paper draws weights from :math:`N(0, 0.1^2)`; here their variance is one over
    the number of units that feed a unit.
    """

    gates = ("candidate",)
    state_type = ClockedState
    additive = True
    memory_fields = ("h",)  # the clock is read, but has no gradient
    zoneout_fields = ("h",)
    default_init = Init("lecun_normal", "lecun_normal", gate_bias="constant")
    map: str = setting("dense", "kind of linear map of the recurrence", choices=("dense",))
    modules: int = setting(4, "groups of units; each ticks half as often as the one before it", minimum=1)

    def recurrent_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """Block-triangular."""
        if self.hidden_size % self.modules:
            raise ValueError(
                f"cell.modules is {self.modules}, but must divide the hidden size {self.hidden_size} without remainder"
            )
        return FromSlower(self.hidden_size, self.modules, key, init.recurrent, init.scale, dtype)

    def initial_state(self, *batch: int) -> ClockedState:
        """Zeros; the clock has one number per sequence."""
        return ClockedState(self.zeros(*batch, self.hidden_size), self.zeros(*batch, 1))

    def update(self, state: ClockedState, z: Array, r: Array) -> tuple[ClockedState, Gates]:
        """Groups whose period does not divide the time stay as they are."""
        candidate = self.candidate_activation(z + r)
        periods = np.repeat(2.0 ** np.arange(self.modules), self.hidden_size // self.modules)
        h = jnp.where(state.clock % periods.astype(state.clock.dtype) == 0, candidate, state.h)
        # Modulo the longest period, so that float32 counts exactly for ever.
        clock = jax.lax.stop_gradient((state.clock + 1) % 2.0 ** (self.modules - 1))
        return ClockedState(h, clock), {"candidate": candidate}
