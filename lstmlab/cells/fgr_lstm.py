"""The Odyssey's LSTM whose gates see each other."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.cells.base import Form, Gates, HCState
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.lstm import PeepholeLSTM
from lstmlab.cells.odyssey import PAPER
from lstmlab.cells.registry import register_cell

FED_BACK = ("input", "forget", "output")


class FGRState(NamedTuple):
    """Output, memory, and the gates of the step before."""

    h: Array
    c: Array
    input: Array
    forget: Array
    output: Array


@register_cell("fgr_lstm", title="LSTM with full gate recurrence (Odyssey FGR)", paper=PAPER)
class FGR(PeepholeLSTM):
    r"""Full gate recurrence: every gate of the vanilla LSTM also sees all three gates of the step before.

    .. math::
        i_t &= \sigma(W_i x_t + R_i h_{t-1} + p_i \odot c_{t-1} + b_i
            + R_{ii} i_{t-1} + R_{fi} f_{t-1} + R_{oi} o_{t-1}) \\
        f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f
            + R_{if} i_{t-1} + R_{ff} f_{t-1} + R_{of} o_{t-1}) \\
        o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o
            + R_{io} i_{t-1} + R_{fo} f_{t-1} + R_{oo} o_{t-1})

    with candidate, memory and output as in ``peephole_lstm``; before the first step all gates are zero. Greff et al.
    2017, "LSTM: a search space odyssey", after the first LSTM (Hochreiter & Schmidhuber 1997): nine more matrices.
    """

    state_type = FGRState
    # The old gates are not memory: zoneout leaves them to the step.
    zoned = ("h", "c")
    recurrent_maps = ("recurrent", "input_recurrent", "forget_recurrent", "output_recurrent")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Peepholes, and one map from each gate to all three."""
        super().setup(keys, init, dtype)
        for gate in FED_BACK:
            setattr(self, f"{gate}_recurrent", self.recurrent_map(FED_BACK, keys(), init, dtype))

    @property
    def form(self) -> Form:
        """Four products with the state."""
        return "step"

    def step(self, state: FGRState, z: Array) -> tuple[FGRState, Gates]:
        """The vanilla step, on pre-activations to which the old gates are added."""
        assert self.recurrent is not None
        i, f, candidate, o = self.split(self.recurrent(state.h))
        for gate in FED_BACK:
            seen = getattr(self, f"{gate}_recurrent")(getattr(state, gate))
            i, f, o = (a + b for a, b in zip((i, f, o), self.split(seen, FED_BACK), strict=True))
        old = HCState(state.h, state.c)
        (h, c), gates = self.update(old, z, jnp.concatenate([i, f, candidate, o], axis=-1))
        return FGRState(h, c, *(gates[gate] for gate in FED_BACK)), gates
