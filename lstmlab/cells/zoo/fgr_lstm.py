"""The Odyssey's LSTM whose gates remember each other."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import PeepholeLSTM
from lstmlab.cells.zoo.odyssey import PAPER

FED_BACK = ("input", "forget", "output")


class FGRState(NamedTuple):
    """Output, memory, and the gates of the step before."""

    h: Array
    c: Array
    input: Array
    forget: Array
    output: Array


@register_cell("fgr_lstm", title="LSTM with full gate recurrence (Odyssey FGR)", paper=PAPER, family="Odyssey")
class FGR(PeepholeLSTM):
    r"""Full gate recurrence: the vanilla LSTM whose gates also see all gates of the step before.

    .. math::
        i_t &= \sigma(W_i x_t + R_i h_{t-1} + p_i \odot c_{t-1} + b_i
            + R_{ii} i_{t-1} + R_{fi} f_{t-1} + R_{oi} o_{t-1}) \\
        f_t &= \sigma(W_f x_t + R_f h_{t-1} + p_f \odot c_{t-1} + b_f
            + R_{if} i_{t-1} + R_{ff} f_{t-1} + R_{of} o_{t-1}) \\
        o_t &= \sigma(W_o x_t + R_o h_{t-1} + p_o \odot c_t + b_o
            + R_{io} i_{t-1} + R_{fo} f_{t-1} + R_{oo} o_{t-1})

    with candidate, memory and output as in ``peephole_lstm``; before the first step all gates are zero. Greff et al.
    2017, arXiv:1503.04069, after Hochreiter & Schmidhuber 1997: nine further matrices.
    """

    state_type = FGRState
    zoneout_fields = ("h", "c")  # not the gates of the step before
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
        """The vanilla step on pre-activations to which the old gates have been added."""
        of_input, of_forget, of_output = (getattr(self, f"{gate}_recurrent")(getattr(state, gate)) for gate in FED_BACK)
        i, f, candidate, o = self.split(self.recurrent(state.h))
        more_i, more_f, more_o = self.split(of_input + of_forget + of_output, FED_BACK)
        r = jnp.concatenate([i + more_i, f + more_f, candidate, o + more_o], axis=-1)
        (h, c), gates = self.update(HCState(state.h, state.c), z, r)
        return FGRState(h, c, *(gates[gate] for gate in FED_BACK)), gates
