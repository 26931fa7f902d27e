"""LSTM whose units open in rhythms of their own."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import PeepholeLSTM
from lstmlab.settings import setting


class PhasedState(NamedTuple):
    """Output, memory, and the time of the next step ``[batch, 1]``: steps from the beginning, or a time stamp."""

    h: Array
    c: Array
    clock: Array


@register_cell("phased_lstm", title="Phased LSTM", paper="Neil, Pfeiffer & Liu 2016, arXiv:1610.09513", family="LSTM")
class PhasedLSTM(PeepholeLSTM):
    r"""LSTM with peepholes whose unit ``j`` is updated only while its time gate ``k`` is open.

    .. math::
        \phi_t &= ((t - s) \bmod \tau) / \tau \\
        k_t &= 2 \phi_t / r && \text{for } \phi_t < r / 2 \\
        k_t &= 2 - 2 \phi_t / r && \text{for } r / 2 \le \phi_t < r \\
        k_t &= \alpha \phi_t && \text{otherwise: closed, but for a leak} \\
        c_t &= k_t \odot \tilde c_t + (1 - k_t) \odot c_{t-1} \\
        h_t &= k_t \odot \tilde h_t + (1 - k_t) \odot h_{t-1}

    with :math:`\tilde c_t, \tilde h_t` from the peephole LSTM, whose output gate sees :math:`\tilde c_t`. Neil,
    Pfeiffer & Liu 2016, "Phased LSTM". The time ``t`` is the time stamp of the step where a task gives them (as
    ``frequency_discrimination`` does, or ``times`` of :func:`lstmlab.recurrence.unroll`); without time stamps it counts
    steps from 0 where the sequence begins. Period :math:`\tau` and shift ``s`` are learned, the period as its
    logarithm, so that it stays positive; open ratio ``r`` and leak :math:`\alpha` are constants (the paper drops the
    leak after training; here it stays).
    """

    state_type = PhasedState
    zoneout_fields = ("h", "c")
    clock_field = "clock"
    period_min: float = setting(1.0, "shortest first period, in steps or the unit of time stamps", minimum=1.0)
    period_max: float = setting(1000.0, "longest first period, in the same unit", minimum=1.0)
    open_ratio: float = setting(0.05, "fraction of its period in which a unit is open, above 0", minimum=0.0)
    leak: float = setting(0.001, "slope of the time gate while closed", minimum=0.0)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Peepholes; periods spread evenly in their logarithm, shifts evenly over the period."""
        if not 0 < self.open_ratio <= 1:
            raise ValueError(f"cell.open_ratio is {self.open_ratio:g}, but must be above 0 and at most 1")
        if self.period_min > self.period_max:
            raise ValueError(
                f"cell.period_min is {self.period_min:g}, but must be at most cell.period_max, {self.period_max:g}"
            )
        super().setup(keys, init, dtype)
        low, high = math.log(self.period_min), math.log(self.period_max)
        log_period = jax.random.uniform(keys(), (self.hidden_size,), minval=low, maxval=high)
        self.log_period = nnx.Param(log_period)
        self.shift = nnx.Param(jnp.exp(log_period) * jax.random.uniform(keys(), (self.hidden_size,)))

    def initial_state(self, *batch: int) -> PhasedState:
        """Zeros; the clock has one number per sequence."""
        zeros = self.zeros(*batch, *self.state_shape)
        return PhasedState(zeros, zeros, self.zeros(*batch, *(1 for _ in self.spatial), 1))

    def time_gate(self, t: Array) -> Array:
        """``k`` of every unit at time ``t``."""
        turns = (t - self.shift) / jnp.exp(jnp.asarray(self.log_period))
        phase = turns - jnp.floor(turns)
        rising = 2 * phase / self.open_ratio
        opened = jnp.where(rising < 1, rising, 2 - rising)
        return jnp.where(rising < 2, opened, self.leak * phase)

    def update(self, state: PhasedState, z: Array, r: Array) -> tuple[PhasedState, Gates]:
        """The peephole LSTM's update, as far as the time gate lets it through."""
        new, gates = super().update(HCState(state.h, state.c), z, r)
        k = self.time_gate(state.clock)
        h, c = (k * after + (1 - k) * before for after, before in ((new.h, state.h), (new.c, state.c)))
        return PhasedState(h, c, state.clock + 1), gates
