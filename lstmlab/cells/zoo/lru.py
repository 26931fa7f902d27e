"""Linear recurrent unit: a complex diagonal recurrence."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.linear import LinearCell
from lstmlab.cells.maps import make_map
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates
from lstmlab.settings import setting


class LRUState(NamedTuple):
    """Output, and the complex memory as two real arrays."""

    h: Array
    re: Array
    im: Array


@register_cell(
    "lru", title="Linear recurrent unit", paper="Orvieto et al. 2023, arXiv:2303.06349", family="parallel in time"
)
class LRU(LinearCell):
    r"""Linear recurrent unit: stable complex poles, the same at all steps.

    .. math::
        \lambda &= \exp(-\exp(\nu) + i \exp(\theta)) \\
        c_t &= \lambda \odot c_{t-1} + \gamma \odot (B x_t + b), \qquad c_t \in \mathbb{C}^{hidden} \\
        h_t &= \mathrm{Re}(C c_t) + D x_t + d

    Orvieto et al. 2023, "Resurrecting recurrent neural networks for long sequences". :math:`\lambda` starts uniform on
    the ring between ``r_min`` and ``r_max`` with phases below ``max_phase``; :math:`\gamma` is learned as its logarithm
    and starts at :math:`\sqrt{1 - |\lambda|^2}`, which gives the memory the scale of its input. As in the published
    code, :math:`B` and :math:`C` start normal with variances :math:`1 / 2n` (:math:`n` inputs) and :math:`1 / hidden`,
    :math:`D` is one standard normal number per feature (a matrix where input and output differ in size, or with
    ``skip=matrix``), there are no :math:`b` and :math:`d`, and :math:`\nu, \theta, \gamma` and :math:`B` learn at
    ``rate_factor`` times the learning rate, without weight decay. The cell is linear in all: nonlinearity lies between
    layers, and a plain stack of them is a linear model.
    """

    state_type = LRUState
    memory_fields = ("re", "im")
    zoneout_fields = ("re", "im")
    undecayed = ("input",)
    # C is one real map of 2 · hidden numbers, so that a variance of 2 / (2 · hidden) is the authors'.
    default_init = Init("half_lecun_normal", "he_normal", gate_bias="constant")
    default_block = "glu"
    linear_in_inputs = True
    bias: bool = setting(False, "add a bias to the memory's input and to the output")
    skip: str = setting(
        "vector", "D: a vector, or a matrix (as where sizes differ)", choices=("vector", "matrix"), earlier="matrix"
    )
    rate_factor: float = setting(0.5, "factor on the learning rate of λ, γ and B", minimum=0.0, earlier=1.0)
    r_min: float = setting(0.0, "least |λ| at the start", minimum=0)
    r_max: float = setting(1.0, "largest |λ| at the start, at most 1", minimum=0)
    max_phase: float = setting(2 * math.pi, "largest phase of λ at the start, in radians", minimum=1e-6)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Poles on a ring, uniform in its area, and the map ``C`` at every place of the state."""
        if not self.r_min < self.r_max <= 1:
            raise ValueError(f"cell lru: r_min={self.r_min:g} must be below r_max={self.r_max:g}, and that at most 1")
        units, edge = (self.hidden_size,), 1e-6
        radius = jax.random.uniform(keys(), units, minval=edge, maxval=1 - edge)
        rate = -0.5 * jnp.log(self.r_min**2 + radius * (self.r_max**2 - self.r_min**2))
        phase = self.max_phase * jax.random.uniform(keys(), units, minval=edge)
        self.nu, self.theta = nnx.Param(jnp.log(rate)), nnx.Param(jnp.log(phase))
        self.gamma = nnx.Param(0.5 * jnp.log(-jnp.expm1(-2 * rate)))
        self.skip_weight = nnx.Param(jax.random.normal(keys(), units)) if "skip" not in self.gates else None
        self.output_bias = nnx.Param(jnp.zeros(units)) if self.bias and "skip" not in self.gates else None
        self.output = make_map(
            "dense", 2 * self.hidden_size, units, key=keys(), init=init.recurrent, scale=init.scale, dtype=dtype
        )

    @property
    def gates(self) -> tuple[str, ...]:
        """Both parts of ``B x``, and ``D x`` where ``D`` is a matrix."""
        vector = self.skip == "vector" and self.input_size == self.hidden_size
        return ("real", "imaginary") if vector else ("real", "imaginary", "skip")

    @property
    def learning_rate_factors(self) -> dict[str, float]:
        """What decides the memory learns more slowly."""
        return dict.fromkeys(("nu", "theta", "gamma", "input"), self.rate_factor)

    def project(self, x: Array) -> Array:
        """``B x + b`` and ``D x + d``."""
        z = super().project(x)
        if self.skip_weight is None:
            return z
        skip = self.skip_weight * x
        return jnp.concatenate([z, skip if self.output_bias is None else skip + self.output_bias], axis=-1)

    def memory(self, state: LRUState) -> Array:
        """The complex number of both fields."""
        return jax.lax.complex(state.re, state.im)

    def new_state(self, h: Array, memory: Array, past: Array | None) -> Any:
        """Complex numbers stay inside: outside the state is real."""
        return LRUState(h, memory.real, memory.imag)

    def activate(self, z: Array, past: Array | None) -> Gates:
        """``B x`` and ``D x``."""
        return dict(zip(("real", "imaginary", "skip"), jnp.split(z, 3, axis=-1), strict=True))

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``λ`` and ``γ B x``."""
        nu, theta, gamma = (jnp.exp(jnp.asarray(p)) for p in (self.nu, self.theta, self.gamma))
        pole = jnp.exp(jax.lax.complex(-nu, theta))
        return pole, jax.lax.complex(gamma * gates["real"], gamma * gates["imaginary"])

    def output_from(self, memory: Array, gates: Gates) -> Array:
        """``Re(C c) = C_re re - C_im im`` as one real product; the sign is the map's."""
        return self.output(jnp.concatenate([memory.real, memory.imag], axis=-1)) + gates["skip"]
