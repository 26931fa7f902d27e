"""Convolutional LSTM: the peephole LSTM with convolutional maps."""

from jaxtyping import Array

from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import MAPS
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import LSTM, PeepholeLSTM
from lstmlab.settings import setting


@register_cell(
    "conv_lstm", title="Convolutional LSTM", paper="Shi et al. 2015, arXiv:1506.04214", family="convolutional"
)
class ConvLSTM(PeepholeLSTM):
    r"""The peephole LSTM with states that are feature maps and products that are convolutions ``*``.

    .. math::
        i_t &= \sigma(W_{xi} * x_t + W_{hi} * h_{t-1} + p_i \odot C_{t-1} + b_i) \\
        f_t &= \sigma(W_{xf} * x_t + W_{hf} * h_{t-1} + p_f \odot C_{t-1} + b_f) \\
        C_t &= f_t \odot C_{t-1} + i_t \odot \tanh(W_{xc} * x_t + W_{hc} * h_{t-1} + b_c) \\
        o_t &= \sigma(W_{xo} * x_t + W_{ho} * h_{t-1} + p_o \odot C_t + b_o) \\
        h_t &= o_t \odot \tanh C_t

    Shi et al. 2015, "Convolutional LSTM network". One or two spatial axes; peepholes have one weight per place and
    channel, as in the paper, or are left out (as Keras does).
    """

    map: str = setting("conv", "kind of linear map of the recurrence", choices=MAPS)
    peepholes: bool = setting(True, "let the gates see the memory")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Peepholes only where asked for."""
        if self.peepholes:
            super().setup(keys, init, dtype)

    def update(self, state: HCState, z: Array, r: Array) -> tuple[HCState, Gates]:
        """The peephole LSTM's update, or the LSTM's."""
        return (PeepholeLSTM if self.peepholes else LSTM).update(self, state, z, r)
