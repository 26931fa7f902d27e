"""LSTM whose weights are rescaled at every step by a smaller LSTM."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.activations import sigmoid
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream, gate_biases
from lstmlab.cells.maps import BlockDiagonal, Dense, make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.lstm import LSTM
from lstmlab.settings import setting


class HyperState(NamedTuple):
    """Outputs and memories of the main LSTM and of the small one."""

    h: Array
    c: Array
    hyper_h: Array
    hyper_c: Array


@register_cell("hyper_lstm", title="HyperLSTM", paper="Ha, Dai & Le 2016, arXiv:1609.09106", family="LSTM")
class HyperLSTM(LSTM):
    r"""An LSTM beside a small one, whose output scales the rows of its weights and moves its biases.

    .. math::
        \hat h_t, \hat c_t &= \text{LSTM}([h_{t-1}, x_t], \hat h_{t-1}, \hat c_{t-1}) \\
        z^y_h &= A^y_h \hat h_{t-1} + a^y_h, \qquad z^y_x = A^y_x \hat h_{t-1} + a^y_x \\
        z^y_b &= A^y_b \hat h_{t-1} \\
        y_t &= (D^y_h z^y_h) \odot U_y h_{t-1} + (D^y_x z^y_x) \odot W_y x_t + D^y_b z^y_b + b_y \\
        c_t &= \sigma(f_t) \odot c_{t-1} + \sigma(i_t) \odot \tanh(n_t) \\
        h_t &= \sigma(o_t) \odot \tanh c_t

    for :math:`y` in :math:`i, f, n, o`. Ha, Dai & Le 2016, "HyperNetworks", the memory-efficient form of section 4
    and appendix A.2. As printed there, embeddings come from :math:`\hat h_{t-1}` (the authors' code takes
    :math:`\hat h_t`). The paper's layer normalisation is left out; its first scales of 0.1 belong to that, so here they
    are 1, and the cell starts as an LSTM.
    """

    state_type = HyperState
    # Dropout's masks are as wide as h, so they act on its maps and not on those of the small LSTM's own state.
    recurrent_maps = ("recurrent", "hyper_main")
    map: str = setting("dense", "kind of linear map of the recurrence", choices=("dense", "conv"))
    hyper_size: int = setting(32, "hidden size of the small LSTM", minimum=1)
    embedding_size: int = setting(8, "features that scale one gate", minimum=1)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The small LSTM, and the way from its output to scales (first 1) and biases (first 0) of every gate."""
        sizes, gates = (self.hyper_size,) * len(self.gates), len(self.gates)

        def to_hyper(features: int, init_name: str) -> Any:
            how = {"init": init_name, "scale": init.scale, "window": self.window, "dtype": dtype}
            return make_map(self.map, features, sizes, key=keys(), **how)

        self.hyper_input = to_hyper(self.input_size, init.input)
        self.hyper_main = to_hyper(self.hidden_size, init.recurrent)
        self.hyper_recurrent = to_hyper(self.hyper_size, init.recurrent)
        biases = gate_biases(keys(), dict(zip(self.gates, sizes, strict=True)), self.memory_gates, init)
        self.hyper_bias = nnx.Param(biases) if self.bias else None
        # As in the paper: scales do not depend on the small LSTM at first, and its biases do not reach the gates.
        width, shape = self.embedding_size, (self.embedding_size, 1, self.hidden_size)
        scales, zeros = jnp.full((2 * gates, *shape), 1 / width), jnp.zeros((gates, *shape))
        self.embed_scales = Dense(jnp.zeros((self.hyper_size, 2 * gates * width)), jnp.ones(2 * gates * width), dtype)
        self.embed_biases = Dense(0.01 * jax.random.normal(keys(), (self.hyper_size, gates * width)), None, dtype)
        self.generate = BlockDiagonal(jnp.concatenate([scales, zeros]), None, dtype)

    @property
    def form(self) -> Form:
        """Two LSTMs, and products between them."""
        return "step"

    def initial_state(self, *batch: int) -> HyperState:
        """Zeros of two sizes."""
        main = self.zeros(*batch, *self.state_shape)
        hyper = self.zeros(*batch, *self.spatial, self.hyper_size)
        return HyperState(main, main, hyper, hyper)

    def project(self, x: Array) -> Any:
        """``W x`` without its bias, which is not scaled, and the input's share of the small LSTM's gates."""
        hyper = self.hyper_input(x)
        return self.input.product(x), hyper if self.hyper_bias is None else hyper + self.hyper_bias

    def step(self, state: HyperState, z: tuple[Array, Array]) -> tuple[HyperState, Gates]:
        """One step of the main LSTM with weights scaled from the small one's last output, then one of the small one."""
        main, hyper = z
        embedded = jnp.concatenate([self.embed_scales(state.hyper_h), self.embed_biases(state.hyper_h)], axis=-1)
        scale_h, scale_x, bias = jnp.split(self.generate(embedded), 3, axis=-1)
        if self.input.bias is not None:
            bias = bias + self.input.bias
        old = HCState(state.h, state.c)
        new, gates = self.update(old, scale_x * main + bias, scale_h * self.recurrent(state.h))
        hyper = hyper + self.hyper_main(state.h) + self.hyper_recurrent(state.hyper_h)
        i, f, candidate, o = jnp.split(hyper, 4, axis=-1)
        hyper_c = sigmoid(f) * state.hyper_c + sigmoid(i) * jnp.tanh(candidate)
        return HyperState(new.h, new.c, sigmoid(o) * jnp.tanh(hyper_c), hyper_c), gates
