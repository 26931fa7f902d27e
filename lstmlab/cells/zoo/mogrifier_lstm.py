"""LSTM whose input and state gate one another before the step."""

from collections.abc import Callable

from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import LinearMap, make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import LSTM
from lstmlab.settings import setting


@register_cell(
    "mogrifier_lstm", title="Mogrifier LSTM", paper="Melis, Kočiský & Blunsom 2020, arXiv:1909.01792", family="LSTM"
)
class MogrifierLSTM(LSTM):
    r"""LSTM on an input and a state that have scaled each other in turns.

    .. math::
        x^i &= 2 \sigma(Q^i h^{i-1}) \odot x^{i-2} && \text{for odd } i = 1 \dots r \\
        h^i &= 2 \sigma(R^i x^{i-1}) \odot h^{i-2} && \text{for even } i = 1 \dots r \\
        h_t, c_t &= \text{LSTM}(x^{\uparrow}, h^{\uparrow}, c_{t-1})

    from :math:`x^{-1} = x_t` and :math:`h^0 = h_{t-1}`; the arrows mark the last of each. Melis, Kočiský & Blunsom
    2020, "Mogrifier LSTM". With ``rounds=0`` it is the LSTM. The paper may factor ``Q`` and ``R`` into products of
    low rank; here they are whole.
    """

    # A diagonal Q would need inputs as wide as the state, and a dense one would undo a diagonal recurrence.
    map: str = setting("dense", "kind of linear map of the recurrence", choices=("dense", "conv"))
    rounds: int = setting(5, "how often input and state gate one another, in turns", minimum=0)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """``Q`` and ``R`` in turns, without biases: at small weights all gates start near one."""
        sizes = [(self.hidden_size, self.input_size), (self.input_size, self.hidden_size)]
        self.mogrifiers = nnx.List(
            make_map(
                self.map, sizes[turn % 2][0], (sizes[turn % 2][1],),
                key=keys(), init=init.input, scale=init.scale, window=self.window, dtype=dtype,
            )
            for turn in range(self.rounds)
        )  # fmt: skip

    @property
    def form(self) -> Form:
        """Products in sequence; the one with the input is among them."""
        return "step"

    def map_recurrent(self, transform: Callable[[LinearMap], LinearMap]) -> "MogrifierLSTM":
        """Every ``Q`` maps the state as well."""
        cell = super().map_recurrent(transform)
        cell.mogrifiers = nnx.List(transform(m) if turn % 2 == 0 else m for turn, m in enumerate(cell.mogrifiers))
        return cell

    def project(self, x: Array) -> Array:
        """The input as it is: its products wait for the state."""
        return x

    def step(self, state: HCState, z: Array) -> tuple[HCState, Gates]:
        """The rounds of gating, then the LSTM's step on what has come out."""
        x, h = z, state.h
        for turn, mogrifier in enumerate(self.mogrifiers):
            if turn % 2 == 0:
                x = 2 * sigmoid(mogrifier(h)) * x
            else:
                h = 2 * sigmoid(mogrifier(x)) * h
        return self.update(state, self.input(x), self.recurrent(h))
