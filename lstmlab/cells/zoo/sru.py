"""Simple recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.activations import activation, activation_setting, sigmoid
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.linear import LinearCell
from lstmlab.cells.maps import LinearMap, make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HCState
from lstmlab.cells.zoo.layer_norm_lstm import layer_norm
from lstmlab.settings import setting


@register_cell(
    "sru",
    title="Simple recurrent unit with highway",
    paper="Lei et al. 2018, arXiv:1709.02755",
    family="parallel in time",
)
class SRU(LinearCell):
    r"""Simple recurrent unit: a light recurrence and a highway around it.

    .. math::
        f_t &= \sigma(W_f x_t + v_f \odot c_{t-1} + b_f) \\
        r_t &= \sigma(W_r x_t + v_r \odot c_{t-1} + b_r) \\
        c_t &= f_t \odot c_{t-1} + (1 - f_t) \odot (W x_t + b) \\
        h_t &= r_t \odot g(c_t) + (1 - r_t) \odot \alpha x_t

    Lei et al. 2018, "Simple recurrent units for highly parallelizable recurrence". The terms with :math:`v` are the
    published version's, with ``output_activation=identity``: ``peepholes=True`` adds them, and the cell then runs step
    by step. The default is the first version, with :math:`g = \tanh`, linear in the state. Where ``x`` has another
    size than ``h``, a map :math:`W_x x_t + b_x` stands in its place. With :math:`\alpha = \sqrt{1 + 2 e^{b_r}}`, 1.732
    for :math:`b_r = 0`, ``h`` starts with the variance of ``x``. The paper has no :math:`b` (``bias`` is one for all).
    As in the authors' code, all biases start at zero (the forget gate's, too), weights uniform with variance
    :math:`1 / n` for :math:`n` inputs, a tenth of that with ``layer_norm``, and :math:`v` uniform with variance 1/2,
    to which the gates' weights then shrink as well. ``layer_norm`` normalises what the three products read, not the
    highway; ``projection`` makes :math:`W, W_f, W_r` products of a shared map and one each. There ``peepholes`` is the
    default, and no :math:`g`; here the version that runs in parallel is.
    """

    memory_gates: ClassVar[dict[str, int]] = {"forget": 1}
    state_type = HCState
    memory_fields = ("c",)
    zoneout_fields = ("c",)
    default_init = Init("lecun_uniform", "orthogonal", gate_bias="constant")
    default_block = "residual"
    activation = "identity"
    output_activation: str = activation_setting("tanh", "nonlinearity g of the memory on its way out")
    alpha: float = setting(1.732, "factor on the input in the highway; 1.732 keeps its variance", minimum=0)
    projection: int = setting(0, "features of a map before the three products; 0: no such map", minimum=0)
    layer_norm: bool = setting(False, "normalise what the products read")
    peepholes: bool = setting(False, "gates see the memory, step by step")

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """One peephole per memory element; the normalisation and the first map."""
        self.forget_peephole = nnx.Param(self._peephole(keys())) if self.peepholes else None
        self.reset_peephole = nnx.Param(self._peephole(keys())) if self.peepholes else None
        if self.projection and self.map == "conv":
            raise ValueError(f"cell.projection is {self.projection}, but must be 0 with cell.map=conv")
        self.norm_gain = nnx.Param(jnp.ones(self.input_size)) if self.layer_norm else None
        self.norm_shift = nnx.Param(jnp.zeros(self.input_size)) if self.layer_norm else None
        how: dict[str, Any] = {"init": init.input, "scale": init.scale, "dtype": dtype}
        self.first_map: LinearMap | None = (
            make_map("dense", self.input_size, (self.projection,), key=keys(), **how) if self.projection else None
        )
        factors = {"forget": 0.5**0.5, "reset": 0.5**0.5} if self.peepholes else {}
        small = 0.1 if self.layer_norm else 1.0
        parts = zip(self.gates, self.split(jnp.asarray(self.input.kernel)), strict=True)
        kernels = [small * factors.get(gate, 1.0) * part for gate, part in parts]
        self.input.kernel = nnx.Param(jnp.concatenate(kernels, axis=-1))

    def _peephole(self, key: Key) -> Array:
        return jax.random.uniform(key, self.state_shape, minval=-(1.5**0.5), maxval=1.5**0.5)

    def first_bias(self, gate: str, size: int, key: Key) -> Array:
        """Zero."""
        return jnp.zeros(size)

    def input_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """From the input, or from what the first map makes of it."""
        if not self.projection:
            return super().input_map(gates, key, init, dtype)
        return make_map(
            "dense", self.projection, self.sizes(gates),
            key=key, init=init.input, scale=init.scale, bias=self.bias, dtype=dtype,
        )  # fmt: skip

    @property
    def gates(self) -> tuple[str, ...]:
        """The highway has a block of its own where the sizes differ."""
        blocks = ("forget", "reset", "candidate")
        return blocks if self.input_size == self.hidden_size else (*blocks, "highway")

    @property
    def form(self) -> Form:
        """Linear as long as no gate sees the memory."""
        return "step" if self.peepholes else "linear"

    def project(self, x: Array) -> Array:
        """All four blocks; that of the highway may be ``x`` itself."""
        read = x
        if self.norm_gain is not None:
            read = layer_norm(read, jnp.asarray(self.norm_gain), jnp.asarray(self.norm_shift))
        if self.first_map is not None:
            read = self.first_map(read)
        z = super().project(read)
        return z if "highway" in self.gates else jnp.concatenate([z, x], axis=-1)

    def activate(self, z: Array, past: Array | None) -> Gates:
        """Gates, candidate and highway of the equations above."""
        forget, reset, candidate, highway = jnp.split(z, 4, axis=-1)
        gates = {"forget": sigmoid(forget), "reset": sigmoid(reset), "candidate": self.candidate_activation(candidate)}
        return gates | {"highway": self.alpha * highway}

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``f`` and ``(1 - f) W x``."""
        return gates["forget"], (1 - gates["forget"]) * gates["candidate"]

    def output_from(self, memory: Array, gates: Gates) -> Array:
        """A mixture of the squashed memory and the input, by the reset gate."""
        reset = gates["reset"]
        return reset * activation(self.output_activation)(memory) + (1 - reset) * gates["highway"]

    def step(self, state: HCState, z: Array) -> tuple[Any, Gates]:
        """With peepholes both gates see the memory first."""
        if self.forget_peephole is not None and self.reset_peephole is not None:
            seen = [self.forget_peephole * state.c, self.reset_peephole * state.c]
            rest = jnp.zeros_like(state.c)
            z = z + jnp.concatenate([*seen, rest, rest], axis=-1)
        return super().step(state, z)
