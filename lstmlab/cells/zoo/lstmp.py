"""LSTM whose output is a projection of its memory to fewer features."""

from jaxtyping import Array

from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import LSTM, PeepholeLSTM
from lstmlab.settings import setting


@register_cell(
    "lstmp", title="LSTM with recurrent projection", paper="Sak, Senior & Beaufays 2014, arXiv:1402.1128", family="LSTM"
)
class LSTMP(PeepholeLSTM):
    r"""LSTM with many memory elements and few outputs.

    .. math::
        i_t &= \sigma(W_i x_t + U_i h_{t-1} + p_i \odot c_{t-1} + b_i) \\
        f_t &= \sigma(W_f x_t + U_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot \tanh(W_c x_t + U_c h_{t-1} + b_c) \\
        o_t &= \sigma(W_o x_t + U_o h_{t-1} + p_o \odot c_t + b_o) \\
        h_t &= W_p (o_t \odot \tanh c_t)

    Sak, Senior & Beaufays 2014, "Long short-term memory based recurrent neural network architectures for large
    vocabulary speech recognition". State: ``h [batch, projection]``, ``c [batch, hidden]``; the next layer sees ``h``.
    Peepholes ``p`` are in the paper and not in ``torch.nn.LSTM(proj_size=...)``, so they are an option. The paper's
    further projection for the output layer alone is left out. Where the recurrence is a convolution, the projection
    mixes the features of each place.
    """

    # A diagonal map connects only equal sizes. W_p sees no h: dropout's masks, which are as wide as h, do not fit it.
    map: str = setting("dense", "kind of linear map of the recurrence", choices=("dense", "conv", "block_diagonal"))
    projection_size: int = setting(0, "features of the output h; 0: half of the hidden size, rounded up", minimum=0)
    peepholes: bool = setting(False, "let the gates see the memory")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The projection, drawn as the maps of the state are; peepholes where asked for."""
        self.projection = make_map(
            "dense", self.hidden_size, (self.output_size,),
            key=keys(), init=init.recurrent, scale=init.scale, dtype=dtype,
        )  # fmt: skip
        if self.peepholes:
            super().setup(keys, init, dtype)

    @property
    def form(self) -> Form:
        """Two products in sequence."""
        return "step"

    @property
    def output_size(self) -> int:
        """Features of the projection."""
        return self.projection_size or (self.hidden_size + 1) // 2

    def initial_state(self, *batch: int) -> HCState:
        """Zeros: ``h`` as wide as the projection, ``c`` as the memory."""
        h = self.zeros(*batch, *self.spatial, self.output_size)
        return HCState(h, self.zeros(*batch, *self.state_shape))

    def step(self, state: HCState, z: Array) -> tuple[HCState, Gates]:
        """The LSTM's step, and the projection of its output."""
        update = (PeepholeLSTM if self.peepholes else LSTM).update
        new, gates = update(self, state, z, self.recurrent(state.h))
        return HCState(self.projection(new.h), new.c), gates
