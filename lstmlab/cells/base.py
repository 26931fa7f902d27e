r"""The base of all cells: two linear maps and one pointwise function, unless a cell has another form.

.. math::
    z_t &= \text{project}(x_t)          && \text{depends on } x \text{ alone: the whole sequence at once} \\
    r_t &= \text{recurrent}(h_{t-1})    && \text{linear: the only product inside the loop} \\
    s_t &= \text{update}(s_{t-1}, z_t, r_t) && \text{pointwise: gates, candidate, new state}

A cell is a pytree of its parameters. A new one writes its equations, its ``gates``, its state fields and ``update``;
maps, initialisation, options, masks and backends come with it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, PyTree

from lstmlab.arrays import Key, Projected
from lstmlab.cells.activations import activation
from lstmlab.cells.check import guard
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream, gate_biases, usual_bias
from lstmlab.cells.maps import MAPS, LinearMap, NoMap, make_map, rebuilt
from lstmlab.cells.options import set_options
from lstmlab.cells.state import Gates, HState
from lstmlab.promotion import cast_numbers, check_param_dtype, parameter_type, standard_promotion
from lstmlab.settings import setting

C = TypeVar("C", bound="Cell")


class Cell(nnx.Module):
    """Base of all cells. Class attributes that depend on a cell's options are properties there.

    Args:
        input_size: features of ``x_t``.
        hidden_size: features of ``h_t``.
        key: random key for the initial parameters.
        spatial: height and width (or length) of convolutional states; empty otherwise.
        init: how the parameters start.
        dtype: compute dtype of the products, e.g. ``"bfloat16"``; parameters and states stay in ``param_dtype``.
        param_dtype: type of the parameters, and with them of states and outputs: ``"float32"``, or ``"float64"`` in
            JAX's 64-bit mode.
        **options: the cell's declared options, e.g. ``map="diagonal"``.

    Raises:
        ValueError: for an unknown option, or a value it does not allow.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the gates, in the order in which projections and biases stack them."""
    memory_gates: ClassVar[dict[str, int]] = {}
    """Gates whose first biases set the time scale of the memory, with the sign of those biases: +1 as for a forget
    gate, which keeps the memory when open, -1 as for an input gate."""
    name: ClassVar[str]
    """The name under which the cell is registered; the name of the class if it is not."""
    state_type: ClassVar[type] = HState
    """A NamedTuple of arrays with a field ``h``, see :class:`~lstmlab.cells.state.State`."""
    memory_fields: ClassVar[tuple[str, ...]] = ()
    """State fields through which gradients reach earlier steps, which ``state_size`` counts; empty: all of them."""
    zoneout_fields: ClassVar[tuple[str, ...]] = ()
    """State fields on which zoneout acts; empty: all of them."""
    clock_field: ClassVar[str | None] = None
    """The state field with the time of the next step, one number per sequence; None: the cell knows of no time."""
    additive: ClassVar[bool] = False
    """Whether ``update`` reads ``z + r`` alone; the tests of all cells find a wrong ``True``."""
    recurrent_maps: ClassVar[tuple[str, ...]] = ("recurrent",)
    """Attributes that hold the maps of the state, on which recurrent dropout and weight drop act."""
    default_init: ClassVar[Init] = Init("glorot_uniform", "orthogonal", gate_bias="constant")
    """How this cell starts where the configuration says ``auto``."""
    default_block: ClassVar[str] = "plain"
    """What surrounds this cell where the configuration says ``auto``: a name of :mod:`lstmlab.models.blocks`."""
    linear_in_inputs: ClassVar[bool] = False
    """Whether outputs are a linear function of the inputs: a plain stack of such cells is a linear model."""
    undecayed: ClassVar[tuple[str, ...]] = ()
    """Attributes whose kernels weight decay leaves alone; all else that is no kernel it leaves alone anyway."""
    learning_rate_factors: ClassVar[Mapping[str, float]] = MappingProxyType({})
    """Factors on the learning rate of parameters, by the name of the attribute that holds them."""

    map: str = setting("dense", "kind of linear map of the recurrence", choices=MAPS)
    kernel_size: int = setting(3, "window of convolutional maps, per axis", minimum=1)
    heads: int = setting(1, "blocks of a block-diagonal recurrent map", minimum=1)
    bias: bool = setting(True, "add a bias to every gate")

    activation: str = "tanh"
    """Nonlinearity of the candidate; a cell may declare it as an option."""
    input: LinearMap
    recurrent: LinearMap
    candidate_mask: Callable[[Array], Array] | None = None  # set within one step alone, by candidate dropout

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """The class's own name serves until it is registered."""
        super().__init_subclass__(**kwargs)
        cls.name = cls.__name__
        guard(cls)

    @standard_promotion
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        key: Key,
        spatial: tuple[int, ...] = (),
        init: Init | None = None,
        dtype: str | None = None,
        param_dtype: str = "float32",
        **options: Any,
    ) -> None:
        check_param_dtype(param_dtype)
        self.input_size, self.hidden_size, self.spatial = input_size, hidden_size, tuple(spatial)
        set_options(self, options)
        init = (init or Init()).resolve(self.default_init)
        keys = KeyStream(key)
        self.input = self.input_map(self.gates, keys(), init, dtype)
        gates, recurrent_key = self.recurrent_gates, keys()
        self.recurrent = self.recurrent_map(gates, recurrent_key, init, dtype) if gates else NoMap()
        bias_key = keys()
        if self.input.bias is not None:
            sizes = dict(zip(self.gates, self.sizes(self.gates), strict=True))
            self.input.bias = nnx.Param(gate_biases(bias_key, sizes, self.memory_gates, init, self.first_bias))
        self.setup(keys, init, dtype)
        # JAX draws in float64 in 64-bit mode.
        nnx.update(self, cast_numbers(nnx.state(self), np.dtype(param_dtype)))

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """Create further parameters: vectors used by ``update``, or extra maps of a whole-step cell."""

    def first_bias(self, gate: str, size: int, key: Key) -> Array:
        """First biases of one gate, where the configuration gives none: one at forget gates, zero at all others."""
        return usual_bias(gate, size, key)

    def update(self, state: Any, z: Array, r: Array) -> tuple[Any, Gates]:
        """Pointwise part of the step: the new state and the named gate activations."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def project(self, x: Array) -> Projected:
        """Input projection ``z`` of one step or a whole sequence: of ``x`` ``[..., *spatial, features]``."""
        return self.input(x)

    def step(self, state: Any, z: PyTree) -> tuple[Any, Gates]:
        """One whole step from projected input: the new state and the named gate activations.

        Raises ``ValueError`` for a state or a projection of another cell, or of different batches.
        """
        return self.update(state, z, self.recurrent(state.h))

    def candidate_activation(self, a: Array) -> Array:
        """The candidate from its pre-activation, masked by candidate dropout: every gate ``candidate`` is from here."""
        candidate = self.candidate_nonlinearity(a)
        return candidate if self.candidate_mask is None else self.candidate_mask(candidate)

    def candidate_nonlinearity(self, a: Array) -> Array:
        """The candidate's nonlinearity, by default the one that ``activation`` names."""
        return activation(self.activation)(a)

    @property
    def form(self) -> Form:
        """What decides which backends can run the cell, see :data:`lstmlab.cells.forms.Form`."""
        return "pointwise"

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """Names of the blocks of ``r``; empty for a cell that has no product inside the loop."""
        return self.gates

    def gate_size(self, gate: str) -> int:
        """Outputs of one gate: the hidden size, unless the cell says otherwise."""
        del gate
        return self.hidden_size

    def sizes(self, gates: Sequence[str]) -> tuple[int, ...]:
        """Outputs of several gates."""
        return tuple(self.gate_size(gate) for gate in gates)

    @property
    def output_size(self) -> int:
        """Features of ``h``: what the next layer sees."""
        return self.hidden_size

    @property
    def window(self) -> tuple[int, ...]:
        """Kernel extent of convolutional maps."""
        return (self.kernel_size,) * len(self.spatial)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of one sequence's state field: ``(*spatial, hidden)``."""
        return (*self.spatial, self.hidden_size)

    @property
    def state_size(self) -> int:
        """Numbers that one sequence carries from step to step, in ``memory_fields``."""
        state = jax.eval_shape(lambda: self.initial_state(1))
        return sum(math.prod(getattr(state, name).shape) for name in self.memory_fields or state._fields)

    def initial_state(self, *batch: int) -> Any:
        """Zero state for the given batch dimensions; raises ``ValueError`` for a negative one."""
        zeros = self.zeros(*batch, *self.state_shape)
        return self.state_type(*(zeros for _ in self.state_type._fields))

    def zeros(self, *shape: int) -> Array:
        """Zeros in the type of the parameters."""
        return jnp.zeros(shape, parameter_type(self))

    def pointwise(self: C) -> C:
        """This cell without its maps: what ``update`` needs, and all a backward loop must accumulate."""
        cell = rebuilt(self)
        cell.input, cell.recurrent = NoMap(), NoMap()
        return cell

    def prepared(self: C) -> C:
        """This cell as a loop over time uses it: with its maps' kernels computed, see :class:`LinearMap`."""
        return self.map_recurrent(lambda linear: linear.prepared())

    def state_maps(self) -> dict[str, LinearMap]:
        """The maps that ``recurrent_maps`` names, without those that the cell's options leave out."""
        maps = {name: getattr(self, name) for name in self.recurrent_maps}
        return {name: linear for name, linear in maps.items() if linear is not None and not isinstance(linear, NoMap)}

    def map_recurrent(self: C, transform: Callable[[LinearMap], LinearMap]) -> C:
        """A copy whose maps of the state are transformed, e.g. masked by dropout."""
        cell = rebuilt(self)
        for name, linear in cell.state_maps().items():
            setattr(cell, name, transform(linear))
        return cell

    def split(self, a: Array, gates: Sequence[str] | None = None) -> list[Array]:
        """Cut stacked pre-activations into one array per gate; by default all of the cell's gates."""
        return jnp.split(a, list(itertools.accumulate(self.sizes(gates or self.gates)))[:-1], axis=-1)

    def input_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """A map from ``x`` to the given gates: dense, or a convolution where the state has spatial axes."""
        return make_map(
            "conv" if self.map == "conv" else "dense", self.input_size, self.sizes(gates),
            key=key, init=init.input, scale=init.scale, bias=self.bias, window=self.window, dtype=dtype,
        )  # fmt: skip

    def recurrent_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """A map from ``h`` to the given gates, of the kind that the option ``map`` names."""
        return make_map(
            self.map, self.output_size, self.sizes(gates),
            key=key, init=init.recurrent, scale=init.scale, window=self.window, heads=self.heads, dtype=dtype,
        )  # fmt: skip


guard(Cell)
