"""LSTM whose state passes through a factor that the input chooses."""

from typing import Any

from jaxtyping import Array

from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import LSTM


@register_cell(
    "multiplicative_lstm", title="Multiplicative LSTM", paper="Krause et al. 2016, arXiv:1609.07959", family="LSTM"
)
class MultiplicativeLSTM(LSTM):
    r"""LSTM whose gates see ``m`` in place of ``h``: every input has a transition of its own.

    .. math::
        m_t &= (W_{mx} x_t) \odot (W_{mh} h_{t-1}) \\
        i_t &= \sigma(W_i x_t + U_i m_t + b_i) \\
        f_t &= \sigma(W_f x_t + U_f m_t + b_f) \\
        o_t &= \sigma(W_o x_t + U_o m_t + b_o) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot \tanh(W_c x_t + U_c m_t + b_c) \\
        h_t &= o_t \odot \tanh c_t

    Krause, Lu, Murray & Renals 2016, "Multiplicative LSTM for sequence modelling". The factors of ``m`` have no bias.
    """

    recurrent_maps = ("recurrent", "factor_recurrent")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The two maps whose product is ``m``."""
        self.factor_input = make_map(
            "conv" if self.map == "conv" else "dense", self.input_size, (self.hidden_size,),
            key=keys(), init=init.input, scale=init.scale, window=self.window, dtype=dtype,
        )  # fmt: skip
        self.factor_recurrent = self.recurrent_map(("factor",), keys(), init, dtype)

    @property
    def form(self) -> Form:
        """Two products in sequence."""
        return "step"

    def project(self, x: Array) -> Any:
        """The input's factor of ``m``, and its share of the gates."""
        return self.factor_input(x), super().project(x)

    def step(self, state: HCState, z: tuple[Array, Array]) -> tuple[HCState, Gates]:
        """The intermediate state ``m``, then the LSTM's update from it."""
        factor, gates = z
        m = factor * self.factor_recurrent(state.h)
        return self.update(state, gates, self.recurrent(m))
