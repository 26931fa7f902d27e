r"""Initial values of a cell's parameters, drawn gate by gate.

Every gate's block of a stacked kernel is drawn on its own. One orthogonal matrix over all stacked gates would leave
each gate's square block far from orthogonal (singular values between 0 and 0.87 for four gates), and a Glorot bound
computed from the stacked width would be too small by about :math:`\sqrt{G}`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

Initializer = Callable[..., Array]
KERNELS: dict[str, Initializer] = {
    "glorot_uniform": jax.nn.initializers.glorot_uniform(),
    "glorot_normal": jax.nn.initializers.glorot_normal(),
    "lecun_normal": jax.nn.initializers.lecun_normal(),
    "he_normal": jax.nn.initializers.he_normal(),
    "orthogonal": jax.nn.initializers.orthogonal(),
    "zeros": jax.nn.initializers.zeros,
}


def _identity(key: PRNGKeyArray, shape: Sequence[int], dtype=jnp.float32) -> Array:
    """Identity matrix; for a convolution, the kernel that passes its input through."""
    del key
    *spatial, fan_in, fan_out = shape
    centre = tuple((size - 1) // 2 for size in spatial)
    return jnp.zeros(shape, dtype).at[centre].set(jnp.eye(fan_in, fan_out, dtype=dtype))


KERNELS["identity"] = _identity


@dataclasses.dataclass(frozen=True)
class Init:
    """How a cell's parameters start. Float fields may be traced values.

    Raises ``ValueError`` for an unknown kernel initialiser or a negative chrono horizon.
    """

    input: str = "glorot_uniform"
    """initialiser of the input kernels, a name in ``KERNELS``; drawn per gate"""
    recurrent: str = "orthogonal"
    """initialiser of the recurrent kernels, likewise"""
    forget_bias: float = 1.0
    """bias of every gate named 'forget' (Gers et al. 2000; Jozefowicz et al. 2015 recommend 1)"""
    chrono_horizon: int = 0
    """T_max of chrono initialisation (Tallec & Ollivier 2018) in steps; 0: off, else it replaces forget_bias"""
    scale: float = 1.0
    """factor on all input and recurrent kernels"""

    def __post_init__(self) -> None:
        for field in ("input", "recurrent"):
            name = getattr(self, field)
            if name not in KERNELS:
                raise ValueError(f"init.{field} is '{name}', but must be one of: {', '.join(KERNELS)}")
        if self.chrono_horizon != 0 and self.chrono_horizon < 3:
            raise ValueError(f"init.chrono_horizon is {self.chrono_horizon}, but must be 0 (off) or at least 3 steps")


def per_gate(
    name: str, key: PRNGKeyArray, shape: Sequence[int], gates: int, scale: float | Array = 1.0
) -> Float[Array, "*kernel gates_features"]:
    """Draw one kernel of ``shape`` per gate and stack them along the last axis."""
    draw = KERNELS[name]
    kernels = [draw(subkey, tuple(shape), jnp.float32) for subkey in jax.random.split(key, gates)]
    return scale * jnp.concatenate(kernels, axis=-1)


def chrono_bias(key: PRNGKeyArray, size: int, horizon: int) -> Float[Array, " size"]:
    r"""Chrono initialisation: :math:`b_f \sim \log U[1, T_{max} - 1]` (Tallec & Ollivier 2018, arXiv:1804.11188).

    A forget gate with this bias forgets over 1 to ``horizon`` steps; the input gate gets :math:`-b_f`.
    """
    return jnp.log(jax.random.uniform(key, (size,), minval=1.0, maxval=horizon - 1.0))
