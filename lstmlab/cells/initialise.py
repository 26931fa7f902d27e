r"""Initial values of a cell's parameters, drawn gate by gate.

Every gate's block of a stacked kernel is drawn on its own. One orthogonal matrix over all stacked gates would leave
each gate's square block far from orthogonal (singular values between 0 and 0.87 for four gates), and a Glorot bound
computed from the stacked width would be too small by about :math:`\sqrt{G}`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lstmlab.arrays import Key, Traceable
from lstmlab.settings import setting, settings_of

Initializer = Callable[..., Array]
KERNELS: dict[str, Initializer] = {
    "glorot_uniform": jax.nn.initializers.glorot_uniform(),
    "glorot_normal": jax.nn.initializers.glorot_normal(),
    "lecun_normal": jax.nn.initializers.lecun_normal(),
    "he_normal": jax.nn.initializers.he_normal(),
    "small_normal": jax.nn.initializers.normal(0.001),
    "small_init": jax.nn.initializers.variance_scaling(0.4, "fan_in", "normal"),
    "lecun_uniform": jax.nn.initializers.lecun_uniform(),
    "half_lecun_normal": jax.nn.initializers.variance_scaling(0.5, "fan_in", "normal"),
    "zeros": jax.nn.initializers.zeros,
}


def _identity(key: Key, shape: Sequence[int], dtype: DTypeLike = jnp.float32) -> Array:
    """Identity matrix; for a convolution, the kernel that passes its input through."""
    del key
    *spatial, fan_in, fan_out = shape
    centre = tuple((size - 1) // 2 for size in spatial)
    return jnp.zeros(shape, dtype).at[centre].set(jnp.eye(fan_in, fan_out, dtype=dtype))


def _orthogonal(key: Key, shape: Sequence[int], dtype: DTypeLike = jnp.float32) -> Array:
    """An orthogonal matrix; those of several members under ``vmap`` are drawn one after the other.

    Two batched QR decompositions in one program can block each other for ever on CPUs (seen with JAX 0.10.2): each
    waits, inside of XLA's pool of threads, for work that it has given to the same pool.
    """
    init = jax.nn.initializers.orthogonal()
    return jax.custom_batching.sequential_vmap(lambda key: init(key, shape, dtype))(key)


def _hidden_uniform(key: Key, shape: Sequence[int], dtype: DTypeLike = jnp.float32) -> Array:
    """Uniform within one over the root of the units, whatever the inputs: PyTorch's recurrent layers."""
    bound = shape[-1] ** -0.5
    return jax.random.uniform(key, shape, dtype, -bound, bound)


KERNELS |= {"identity": _identity, "orthogonal": _orthogonal, "hidden_uniform": _hidden_uniform}
KERNEL_CHOICES = ("auto", *KERNELS)
GATE_BIASES = ("auto", "constant", "uniform")


@dataclasses.dataclass(frozen=True)
class Init:
    """How a cell's parameters start; also the section ``init`` of the configuration.

    Kernels are drawn gate by gate. ``forget_bias``: Gers et al. 2000; Jozefowicz et al. 2015 recommend 1. It acts on
    the gates that :func:`keeping_gates` names; ``None`` leaves every bias to the cell, whose forget gates start at 1
    and update gates at 0 unless its docstring says otherwise. A chrono horizon (Tallec & Ollivier 2018) replaces
    ``gate_bias``.

    Raises ``ValueError`` for an unknown initialiser, or a chrono horizon that is too short.
    """

    input: str = setting("auto", "initialiser of input kernels; auto: as the cell prescribes", choices=KERNEL_CHOICES)
    recurrent: str = setting("auto", "initialiser of recurrent kernels, likewise", choices=KERNEL_CHOICES)
    forget_bias: Traceable | None = setting(
        None,
        "first bias of the gate that keeps the memory: the forget gate; without one the update gate, negative where "
        "that opens for new input; null: the cell's own, mostly 1 at forget and 0 at update gates",
        traced=True,
    )
    gate_bias: str = setting(
        "auto", "biases of memory gates: constant (forget_bias) or uniform gates (Gu et al. 2020)", choices=GATE_BIASES
    )
    chrono_horizon: int = setting(0, "T_max of chrono initialisation in steps; 0: off", minimum=0)
    scale: Traceable = setting(1.0, "factor on all kernels of a cell", minimum=0.0, traced=True)

    def __post_init__(self) -> None:
        for name in ("input", "recurrent", "gate_bias"):
            settings_of(Init)[name].check(f"init.{name}", getattr(self, name))
        if self.chrono_horizon != 0 and self.chrono_horizon < 3:
            raise ValueError(f"init.chrono_horizon is {self.chrono_horizon}, but must be 0 (off) or at least 3 steps")

    def resolve(self, default: Init) -> Init:
        """With the cell's own initialisation in place of every ``auto``."""
        fields = ("input", "recurrent", "gate_bias")
        return dataclasses.replace(self, **{f: getattr(default, f) for f in fields if getattr(self, f) == "auto"})


def per_gate(
    name: str, key: Key, shape: Sequence[int], sizes: Sequence[int], scale: Traceable = 1.0
) -> Float[Array, "*kernel gates_features"]:
    """Draw one kernel ``[*shape, size]`` per gate and stack them along the last axis."""
    draw = KERNELS[name]
    keys = jax.random.split(key, len(sizes))
    kernels = [draw(subkey, (*shape, size), jnp.float32) for subkey, size in zip(keys, sizes, strict=True)]
    return scale * jnp.concatenate(kernels, axis=-1)


def keeping_gates(memory_gates: Mapping[str, int]) -> dict[str, int]:
    """The memory gates on which ``forget_bias`` acts, with their sign: the forget gate, or without one every other
    gate but the input gate (an update gate, a time step)."""
    if "forget" in memory_gates:
        return {"forget": memory_gates["forget"]}
    return {name: sign for name, sign in memory_gates.items() if name != "input"}


def usual_bias(name: str, size: int, key: Key) -> Float[Array, " size"]:
    """One at forget gates, zero at all others."""
    del key
    return jnp.full(size, 1.0 if name == "forget" else 0.0)


def gate_biases(
    key: Key,
    sizes: Mapping[str, int],
    memory_gates: Mapping[str, int],
    init: Init,
    own: Callable[[str, int, Key], Array] = usual_bias,
) -> Float[Array, " gates_features"]:
    """First biases of stacked gates: those of memory gates as ``init`` says, all others ``own(name, size, key)``.

    Spread over gates of one size they share one draw, so that each unit's input-gate bias is minus its forget-gate
    bias.
    """
    given = init.forget_bias
    keeping = keeping_gates(memory_gates)

    def draw(number: int, name: str, size: int) -> Array:
        if init.chrono_horizon and name in memory_gates:
            return memory_gates[name] * chrono_bias(key, size, init.chrono_horizon)
        if init.gate_bias == "uniform" and name in memory_gates:
            return memory_gates[name] * uniform_gate_bias(key, size)
        if given is not None and name in keeping:
            return jnp.zeros(size) + keeping[name] * given
        return own(name, size, jax.random.fold_in(key, number))

    return jnp.concatenate([draw(number, name, size) for number, (name, size) in enumerate(sizes.items())])


def chrono_bias(key: Key, size: int, horizon: int) -> Float[Array, " size"]:
    r"""Chrono initialisation: :math:`b_f \sim \log U[1, T_{max} - 1]` (Tallec & Ollivier 2018, arXiv:1804.11188).

    A forget gate with this bias forgets over 1 to ``horizon`` steps; the input gate gets :math:`-b_f`.
    """
    return jnp.log(jax.random.uniform(key, (size,), minval=1.0, maxval=horizon - 1.0))


def uniform_gate_bias(key: Key, size: int) -> Float[Array, " size"]:
    r"""Uniform gate initialisation: :math:`\sigma(b) \sim U[1/n, 1 - 1/n]` (Gu et al. 2020, arXiv:1910.09890)."""
    edge = min(1.0 / size, 0.5)
    return jax.scipy.special.logit(jax.random.uniform(key, (size,), minval=edge, maxval=1.0 - edge))


class KeyStream:
    """Hands out independent random keys, one per call."""

    def __init__(self, key: Key) -> None:
        self._key, self._count = key, 0

    def __call__(self) -> Key:
        """The next key."""
        self._count += 1
        return jax.random.fold_in(self._key, self._count)
