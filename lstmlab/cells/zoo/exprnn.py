"""Orthogonal recurrence by the exponential map."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array

from lstmlab.arrays import Key, Traceable
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.maps import Computed, LinearMap
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting


class Orthogonal(Computed):
    """``exp(A - Aᵀ)``: orthogonal, of determinant 1. Its parameters are the numbers of a strictly triangular ``A``.

    It starts with rotations of pairs of units by ``tan(φ / 2)``, ``φ ~ U[0, π / 2]`` (the Cayley initialisation of
    Helfrich et al. 2018, arXiv:1707.09520, as the authors of expRNN use it).
    """

    def __init__(self, size: int, key: Key, scale: Traceable, dtype: str | None) -> None:
        self.size = size
        angles = jnp.tan(jax.random.uniform(key, (size // 2,), maxval=math.pi / 2) / 2)
        first = 2 * np.arange(size // 2)
        pairs = jnp.zeros((size, size)).at[first, first + 1].set(scale * angles)
        super().__init__(pairs[np.triu_indices(size, 1)], None, dtype)

    def matrix(self) -> Array:
        """The exponential; about a dozen products of square matrices."""
        kernel = jnp.asarray(self.kernel)
        upper = jnp.zeros((self.size, self.size), kernel.dtype).at[np.triu_indices(self.size, 1)].set(kernel)
        return jax.scipy.linalg.expm(upper - upper.T)


@register_cell(
    "exprnn",
    title="Orthogonal RNN by the exponential map",
    paper="Lezcano-Casado & Martínez-Rubio 2019, arXiv:1901.08428",
    family="structured",
)
class ExpRNN(Cell):
    r"""An RNN whose recurrent matrix is orthogonal throughout training, with a nonlinearity that keeps signs.

    .. math::
        h_t &= \text{modReLU}(W x_t + e^{A - A^\top} h_{t-1}) \\
        \text{modReLU}(a) &= \text{sign}(a) \odot \max(0, |a| + b)

    Lezcano-Casado & Martínez-Rubio 2019, "Cheap orthogonal constraints in neural networks". The exponential is
    computed once per sequence, not at every step. ``b`` is learned and starts within :math:`\pm 0.01`; ``bias=true``
    adds another one to :math:`a`. ``A`` starts by rotating pairs of units by angles between 0 and 1 (times
    ``init.scale``), see :class:`Orthogonal`; ``init.recurrent`` is not used. As in the authors' code, :math:`W` starts
    normal with variance :math:`2 / n` for :math:`n` inputs, and :math:`A` learns at ``rate_factor`` times the learning
    rate. The exponential is always taken at the identity (their static trivialisation).
    """

    gates = ("candidate",)
    default_init = Init("he_normal", "orthogonal", gate_bias="constant")
    undecayed = ("recurrent",)
    additive = True
    map: str = setting("dense", "kind of linear map of the recurrence", choices=("dense",))
    bias: bool = setting(False, "add a bias to the pre-activation, beside that of modReLU")
    rate_factor: float = setting(0.1, "factor on the learning rate of A", minimum=0.0, earlier=1.0)

    @property
    def learning_rate_factors(self) -> dict[str, float]:
        """The orthogonal matrix learns more slowly."""
        return {"recurrent": self.rate_factor}

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The bias of modReLU: how far a pre-activation may be from zero while the unit gives zero."""
        draw = jax.random.uniform(keys(), (self.hidden_size,), minval=-0.01, maxval=0.01)
        self.modrelu_bias = nnx.Param(draw)

    def recurrent_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """Orthogonal."""
        return Orthogonal(self.hidden_size, key, init.scale, dtype)

    def candidate_nonlinearity(self, a: Array) -> Array:
        """modReLU."""
        return jnp.sign(a) * jax.nn.relu(jnp.abs(a) + self.modrelu_bias)

    def update(self, state: HState, z: Array, r: Array) -> tuple[HState, Gates]:
        """``h = modReLU(z + r)``."""
        h = self.candidate_activation(z + r)
        return HState(h), {"candidate": h}
