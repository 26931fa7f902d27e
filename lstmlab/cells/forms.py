"""The forms of a recurrence, and what a backend asks of a cell of each form.

:class:`lstmlab.cells.base.Cell` and its subclasses offer these methods, and so do the wrappers of
:mod:`lstmlab.cells.regularise_steps`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeGuard, TypeVar, runtime_checkable

from jaxtyping import Array, Float, PyTree

from lstmlab.arrays import Projected
from lstmlab.cells.maps import LinearMap
from lstmlab.cells.state import Gates

Form: TypeAlias = Literal["pointwise", "linear", "matrix", "step"]
"""What decides which backends can run a cell.

``"pointwise"``: a step is one linear map followed by a pointwise function. ``"linear"``: the recurrence is linear in
the state. ``"matrix"``: the memory is a sum of outer products. ``"step"``: anything else.
"""

F = TypeVar("F")


class Terms(NamedTuple):
    """What a step of a matrix memory adds to it and reads from it, per head."""

    query: Float[Array, "*steps heads keys"]
    key: Float[Array, "*steps heads keys"]
    value: Float[Array, "*steps heads values"]
    log_decay: Float[Array, "*steps heads"]
    log_weight: Float[Array, "*steps heads"]


class CudnnWeights(NamedTuple):
    """Weights of a cell as cuDNN's LSTM takes them: gates input, forget, candidate, output, one below the other."""

    input: Float[Array, "gates_hidden features"]
    recurrent: Float[Array, "gates_hidden hidden"]
    bias: Float[Array, " gates_hidden"]


@runtime_checkable
class AnyForm(Protocol):
    """What every cell offers: enough to run it step by step."""

    @property
    def form(self) -> Form:
        """The form of the recurrence."""
        ...

    def initial_state(self, *batch: int) -> Any:
        """Zero state for the given batch dimensions."""
        ...

    def prepared(self: F) -> F:
        """The cell as a loop over time uses it, with all that depends on parameters alone computed."""
        ...

    def project(self, x: PyTree) -> Projected:
        """Everything that depends on the inputs alone, for one step or for a whole sequence."""
        ...

    def step(self, state: Any, z: Projected) -> tuple[Any, Gates]:
        """One step from projected inputs: the new state and the gate activations."""
        ...


@runtime_checkable
class PointwiseForm(AnyForm, Protocol):
    """A step is ``update(state, z, recurrent(state.h))``."""

    additive: bool
    """Whether ``update`` reads the sum ``z + r`` alone."""

    @property
    def recurrent(self) -> LinearMap:
        """The map of ``h``."""
        ...

    def pointwise(self: F) -> F:
        """The cell without its maps."""
        ...

    def update(self, state: Any, z: Projected, r: Array) -> tuple[Any, Gates]:
        """The pointwise part of a step."""
        ...


@runtime_checkable
class CudnnForm(Protocol):
    """A cell that cuDNN's LSTM computes, if its options allow it."""

    def cudnn_weights(self) -> CudnnWeights | None:
        """The weights with which cuDNN's LSTM computes exactly this cell; nothing if it would compute another."""
        ...


@runtime_checkable
class LinearForm(AnyForm, Protocol):
    """The memory follows ``c_t = a_t ⊙ c_{t-1} + b_t``; see :class:`lstmlab.cells.linear.LinearCell`."""

    def delayed(self, z: Projected) -> Array | None:
        """The part of a projection that the next step sees too, or nothing."""
        ...

    def past(self, state: Any) -> Array | None:
        """What :meth:`delayed` gave one step earlier."""
        ...

    def memory(self, state: Any) -> Array:
        """The field of the state that follows the recurrence."""
        ...

    def recurrence(self, z: Projected, past: Array | None) -> tuple[Gates, Array, Array]:
        """Gates, and ``a`` and ``b`` of the recurrence."""
        ...

    def output_from(self, memory: Array, gates: Gates) -> Array:
        """The output ``h`` from the new memory."""
        ...

    def new_state(self, h: Array, memory: Array, past: Array | None) -> Any:
        """The state after a step."""
        ...


@runtime_checkable
class MatrixForm(AnyForm, Protocol):
    """The memory is a sum of outer products; see :class:`lstmlab.cells.matrix.MatrixCell`."""

    def activate(self, z: Projected) -> Gates:
        """Everything that depends on the input, by name."""
        ...

    def terms(self, gates: Gates) -> Terms:
        """Query, key, value, and the logarithms of decay and weight."""
        ...

    def output_from(self, read: Array, mass: Array, m: Array, gates: Gates) -> Array:
        """The output ``h`` from what the query reads."""
        ...

    def output_keep(self, z: Projected) -> Array | None:
        """The share of the previous output that zoneout keeps, or nothing."""
        ...


def is_pointwise(cell: AnyForm) -> TypeGuard[PointwiseForm]:
    """Whether the cell has the form ``pointwise``."""
    return cell.form == "pointwise"


def is_linear(cell: AnyForm) -> TypeGuard[LinearForm]:
    """Whether the cell has the form ``linear``."""
    return cell.form == "linear"


def is_matrix(cell: AnyForm) -> TypeGuard[MatrixForm]:
    """Whether the cell has the form ``matrix``."""
    return cell.form == "matrix"
