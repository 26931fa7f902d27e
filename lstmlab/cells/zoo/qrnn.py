"""Quasi-recurrent network: a convolution over time, then pooling."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.linear import LinearCell
from lstmlab.cells.maps import LinearMap
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.settings import setting

GATES = {
    "f": ("candidate", "forget"),
    "fo": ("candidate", "forget", "output"),
    "ifo": ("candidate", "input", "forget", "output"),
}


class QRNNState(NamedTuple):
    """Output, memory, and the last input's part in the next step's projection ``[batch, *spatial, gates · hidden]``."""

    h: Array
    c: Array
    past: Array


@register_cell(
    "qrnn", title="Quasi-recurrent network", paper="Bradbury et al. 2017, arXiv:1611.01576", family="parallel in time"
)
class QRNN(LinearCell):
    r"""Quasi-recurrent network: gates see this input and the one before, not the state.

    .. math::
        \tilde c_t &= \tanh(V_c x_{t-1} + W_c x_t + b_c) \\
        f_t &= \sigma(V_f x_{t-1} + W_f x_t + b_f) \qquad \text{and } i_t, o_t \text{ alike} \\
        c_t &= f_t \odot c_{t-1} + (1 - f_t) \odot \tilde c_t && \text{pooling="f", "fo"} \\
        c_t &= f_t \odot c_{t-1} + i_t \odot \tilde c_t && \text{pooling="ifo"} \\
        h_t &= o_t \odot c_t && \text{but } h_t = c_t \text{ with pooling="f"}

    Bradbury et al. 2017, "Quasi-recurrent neural networks"; their :math:`z_t` is :math:`\tilde c_t`. ``time_window=1``
    leaves the term of :math:`x_{t-1}` out. The state carries that term for the next step, so that sequences may be cut.
    """

    memory_gates: ClassVar[dict[str, int]] = {"forget": 1, "input": -1}
    zoneout_fields = ("c",)
    default_block = "residual"
    pooling: str = setting("fo", "gates of the pooling over time: f(orget), o(utput), i(nput)", choices=tuple(GATES))
    time_window: int = setting(2, "inputs that a step sees: with the one before, or not", choices=(2, 1))

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The map of the input before; its bias would be a second one."""
        earlier = self.input_map(self.gates, keys(), init, dtype) if self.time_window == 2 else None
        if earlier is not None:
            earlier.bias = None
        self.earlier: LinearMap | None = earlier

    @property
    def gates(self) -> tuple[str, ...]:
        """Those of the pooling."""
        return GATES[self.pooling]

    @property
    def state_type(self) -> type:
        """The state has a past where the convolution looks back."""
        return QRNNState if self.time_window == 2 else HCState

    @property
    def memory_fields(self) -> tuple[str, ...]:
        """The output is not read by the next step."""
        return ("c", "past") if self.time_window == 2 else ("c",)

    def initial_state(self, *batch: int) -> Any:
        """Zeros."""
        zeros = self.zeros(*batch, *self.state_shape)
        if self.time_window == 1:
            return HCState(zeros, zeros)
        return QRNNState(zeros, zeros, self.zeros(*batch, *self.spatial, sum(self.sizes(self.gates))))

    def project(self, x: Array) -> Any:
        """What this step sees of ``x``, and what the next one will."""
        z = super().project(x)
        return z if self.earlier is None else (z, self.earlier(x))

    def delayed(self, z: Any) -> Array | None:
        """What the next step will see."""
        return None if self.earlier is None else z[1]

    def activate(self, z: Any, past: Array | None) -> Gates:
        """The sum over both inputs, squashed."""
        a = self.split(z if past is None else z[0] + past)
        gates = dict(zip(self.gates, a, strict=True))
        return {name: self.candidate_activation(v) if name == "candidate" else sigmoid(v) for name, v in gates.items()}

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``f``, and what enters the memory."""
        f = gates["forget"]
        return f, gates.get("input", 1 - f) * gates["candidate"]

    def output_from(self, memory: Array, gates: Gates) -> Array:
        """Through the output gate, where there is one."""
        return gates["output"] * memory if "output" in gates else memory
