r"""What every recurrent cell is made of: two linear maps and one pointwise function.

.. math::
    z_t &= \text{project}(x_t)          && \text{depends on } x \text{ alone: the whole sequence at once} \\
    r_t &= \text{recurrent}(h_{t-1})    && \text{linear: the only product inside the loop} \\
    s_t &= \text{update}(s_{t-1}, z_t, r_t) && \text{pointwise: gates, candidate, new state}

A cell is a pytree: its leaves are its parameters, so it goes through ``jax.jit``, ``jax.grad`` and ``jax.lax.scan``
as it is. A new cell writes its equations, its ``gates``, its state fields and ``update``; maps, initialisation,
options, masks and backends come with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, PRNGKeyArray

from lstmlab.cells.activations import ACTIVATIONS, NAMES
from lstmlab.cells.initialise import Init, chrono_bias
from lstmlab.cells.maps import MAPS, LinearMap, make_map
from lstmlab.cells.options import Option, option, suggest

State: TypeAlias = Any
"""A NamedTuple of arrays ``[batch, *spatial, hidden]``; its field ``h`` is what the next step and layer see."""
Gates: TypeAlias = dict[str, Array]
"""Activations by gate name, for diagnostics; computed by the same code that updates the state."""
Form: TypeAlias = Literal["pointwise", "step"]
C = TypeVar("C", bound="Cell")


class HState(NamedTuple):
    """State of a cell that carries its output alone."""

    h: Array


class HCState(NamedTuple):
    """State of a cell with a memory ``c`` beside its output ``h``."""

    h: Array
    c: Array


class Cell(nnx.Module):
    """Base of all cells.

    Args:
        input_size: features of ``x_t``.
        hidden_size: features of ``h_t``.
        key: random key for the initial parameters.
        spatial: height and width (or length) of convolutional states; empty otherwise.
        init: how the parameters start.
        dtype: compute dtype of the products, e.g. ``"bfloat16"``; parameters and states stay float32.
        **options: the cell's declared options, e.g. ``map="diagonal"``.

    Raises:
        ValueError: for an unknown option, or a value it does not allow.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the blocks of ``z`` in the order in which they are stacked."""
    memory_gates: ClassVar[dict[str, int]] = {}
    """Gates that chrono initialisation biases: +1 keeps the memory when open, -1 when closed."""
    name: ClassVar[str]
    """The name under which the cell is registered."""
    state_type: ClassVar[type] = HState
    options: ClassVar[dict[str, Option]] = {}

    map: str = option("dense", "kind of linear map of the recurrence", choices=MAPS)
    kernel_size: int = option(3, "window of convolutional maps, per axis", minimum=1)
    heads: int = option(1, "blocks of a block-diagonal recurrent map", minimum=1)
    bias: bool = option(True, "add a bias to every gate")

    input: LinearMap | None
    recurrent: LinearMap | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the options declared in the class body, the parents' first."""
        super().__init_subclass__(**kwargs)
        cls.options = _declared_options(cls)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        key: PRNGKeyArray,
        spatial: tuple[int, ...] = (),
        init: Init | None = None,
        dtype: str | None = None,
        **options: Any,
    ) -> None:
        self.input_size, self.hidden_size, self.spatial = input_size, hidden_size, tuple(spatial)
        self._set_options(options)
        init = init or Init()
        keys = KeyStream(key)
        self.input = make_map(
            "conv" if self.map == "conv" else "dense", input_size, hidden_size, len(self.gates),
            key=keys(), init=init.input, scale=init.scale, bias=self.bias,
            window=self.window, dtype=dtype,
        )  # fmt: skip
        self.recurrent = self.recurrent_map(self.recurrent_gates, keys(), init, dtype)
        self._initialise_bias(init, keys())
        self.setup(keys, init, dtype)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Create further parameters: vectors used by ``update``, or extra maps of a whole-step cell."""

    def update(self, state: Any, z: Array, r: Array) -> tuple[Any, Gates]:
        """Pointwise part of the step: the new state and the named gate activations."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def project(self, x: Array) -> Array:
        """Input projection ``z`` of one step or of a whole sequence at once."""
        assert self.input is not None
        return self.input(x)

    def step(self, state: Any, z: Any) -> tuple[Any, Gates]:
        """One whole step from projected input: the new state and the named gate activations."""
        assert self.recurrent is not None
        return self.update(state, z, self.recurrent(state.h))

    @property
    def form(self) -> Form:
        """``"pointwise"`` when :meth:`step` is one recurrent map followed by ``update``, else ``"step"``."""
        return "pointwise"

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """Names of the blocks of ``r``."""
        return self.gates

    @property
    def window(self) -> tuple[int, ...]:
        """Kernel extent of convolutional maps."""
        return (self.kernel_size,) * len(self.spatial)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of one sequence's state field: ``(*spatial, hidden)``."""
        return (*self.spatial, self.hidden_size)

    def initial_state(self, *batch: int) -> Any:
        """Zero state for the given batch dimensions."""
        zeros = jnp.zeros((*batch, *self.state_shape))
        return self.state_type(*(zeros for _ in self.state_type._fields))

    def pointwise(self: C) -> C:
        """This cell without its maps: what ``update`` needs, and all a backward loop must accumulate."""
        cell = rebuilt(self)
        cell.input = cell.recurrent = None
        return cell

    def map_recurrent(self: C, transform: Callable[[LinearMap], Any]) -> C:
        """A copy whose maps of ``h`` are transformed, e.g. masked by dropout."""
        cell = rebuilt(self)
        assert cell.recurrent is not None
        cell.recurrent = transform(cell.recurrent)
        return cell

    def split(self, a: Array, gates: int | None = None) -> list[Array]:
        """Cut stacked pre-activations ``[..., gates · hidden]`` into one array per gate."""
        return jnp.split(a, gates or len(self.gates), axis=-1)

    def recurrent_map(self, gates: tuple[str, ...], key: PRNGKeyArray, init: Init, dtype: str | None) -> LinearMap:
        """A map from ``h`` to the given gates, of the kind that the option ``map`` names."""
        return make_map(
            self.map, self.hidden_size, self.hidden_size, len(gates),
            key=key, init=init.recurrent, scale=init.scale,
            window=self.window, heads=self.heads, dtype=dtype,
        )  # fmt: skip

    def _set_options(self, given: dict[str, Any]) -> None:
        owner = f"cell {getattr(self, 'name', type(self).__name__)}"
        for name in given:
            if name not in self.options:
                raise ValueError(
                    f"{owner} has no option '{name}'{suggest(name, list(self.options))} "
                    f"(its options: {', '.join(self.options)})"
                )
        for name, declared in self.options.items():
            value = declared.checked(owner, name, given.get(name, declared.default))
            setattr(self, name, value)
        if len(self.spatial) > 2 or (self.map == "conv") != bool(self.spatial):
            raise ValueError(
                f"{owner}: cell.map=conv goes with inputs that have one or two spatial axes, "
                f"but map is '{self.map}' and the spatial shape is {self.spatial}"
            )

    def _initialise_bias(self, init: Init, key: PRNGKeyArray) -> None:
        assert self.input is not None
        if self.input.bias is None:
            return
        blocks = {name: jnp.zeros(self.hidden_size) for name in self.gates}
        if init.chrono_horizon:
            chrono = chrono_bias(key, self.hidden_size, init.chrono_horizon)
            blocks |= {name: sign * chrono for name, sign in self.memory_gates.items()}
        elif "forget" in blocks:
            blocks["forget"] = jnp.zeros(self.hidden_size) + init.forget_bias
        self.input.bias = nnx.Param(jnp.concatenate(list(blocks.values())))


def _declared_options(cls: type) -> dict[str, Option]:
    bodies = [parent.__dict__ for parent in reversed(cls.__mro__)]
    return {k: v for body in bodies for k, v in body.items() if isinstance(v, Option)}


Cell.options = _declared_options(Cell)


def rebuilt(cell: C) -> C:
    """A shallow copy whose attributes may be replaced inside any JAX transformation.

    A plain ``copy.copy`` would keep the trace level at which the cell was made, where NNX forbids changes.
    """
    return jax.tree.map(lambda leaf: leaf, cell)


class KeyStream:
    """Hands out independent random keys, one per call."""

    def __init__(self, key: PRNGKeyArray) -> None:
        self._key, self._count = key, 0

    def __call__(self) -> PRNGKeyArray:
        """The next key."""
        self._count += 1
        return jax.random.fold_in(self._key, self._count)


def activation_option(default: str, help: str) -> Any:
    """Declare an option that names an activation function."""
    return option(default, help, choices=NAMES)


def activation(name: str) -> Callable[[Array], Array]:
    """The activation function of that name."""
    return ACTIVATIONS[name]
