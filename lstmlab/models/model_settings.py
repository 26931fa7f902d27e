"""The settings that all architectures share, checked in one place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lstmlab.arrays import Key
from lstmlab.cells import Cell, Init, cell_entry, make_cell
from lstmlab.models.blocks import BLOCKS, resolve_block, stream_width
from lstmlab.recurrence import resolve_backend
from lstmlab.settings import settings_of
from lstmlab.tasks import Features, Pairs, Tokens

READOUTS = ("steps", "last", "pooled")


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """How cells become a model; the keyword arguments of every architecture.

    Raises ``ValueError`` when two settings do not fit, naming the configuration key.
    """

    cell: str
    """name of a registered cell"""
    hidden_size: int
    """features of every layer's state; even for ``block="up_projection"``"""
    layers: int = 1
    """number of stacked recurrent layers"""
    bidirectional: bool = False
    """also run every layer backwards and concatenate both outputs"""
    block: str = "auto"
    """what surrounds a cell, see :mod:`lstmlab.models.blocks`: ``plain``, ``residual`` (pre-norm; the input is first
    mapped to ``hidden_size``), ``up_projection`` (the input is first mapped to half of it), ``glu``, or ``auto``: what
    the cell needs; read back it is what ``auto`` became"""
    embedding_size: int = 0
    """width of the token embedding or of the linear input map; 0: ``hidden_size`` for tokens, no map for features"""
    tied_embeddings: bool = False
    """use the token embedding as the head's matrix, see :class:`~lstmlab.models.head.TiedHead`"""
    readout: str = "steps"
    """the head's inputs: ``steps``, ``last`` (final state) or ``pooled`` (mean over valid steps)"""
    variational_dropout: bool = False
    """one dropout mask for all steps of a sequence (Gal & Ghahramani 2016)"""
    backend: str = "auto"
    """see :func:`lstmlab.recurrence.unroll`"""
    chunk: int | None = None
    """see :func:`lstmlab.recurrence.unroll`"""
    dtype: str | None = None
    """compute dtype of the products; parameters, states and outputs stay float32"""
    init: Init | None = None
    """initial values of the cells' parameters"""
    cell_options: Mapping[str, Any] | None = None
    """options of the cell"""

    def __post_init__(self) -> None:
        check_choice("model.block", self.block, ("auto", *BLOCKS))
        object.__setattr__(self, "block", resolve_block(self.block, self.cell))  # frozen, but not seen yet
        check_choice("model.readout", self.readout, READOUTS)
        if self.bidirectional and BLOCKS[self.block].residual and self.readout == "last":
            raise ValueError(
                "model.readout=last has no meaning for merged directions (model.bidirectional with "
                f"model.block={self.block}): use model.readout=pooled or model.block=plain"
            )
        check_chunk(self.chunk, self.backend)

    @property
    def stream_width(self) -> int | None:
        """Features of the residual stream, see :func:`lstmlab.models.blocks.stream_width`."""
        return stream_width(self.block, self.hidden_size)

    @property
    def embedding_width(self) -> int:
        """Features of a token embedding."""
        return self.stream_width or self.embedding_size or self.hidden_size

    def make_cell(self, input_size: int, *, key: Key, spatial: tuple[int, ...] = ()) -> Cell:
        """A cell with these settings; ``spatial`` is empty unless its maps are convolutions."""
        return make_cell(
            self.cell, input_size, self.hidden_size,
            key=key, spatial=spatial, init=self.init, dtype=self.dtype, **(self.cell_options or {}),
        )  # fmt: skip

    def spatial_shape(self, inputs: Tokens | Features | Pairs) -> tuple[int, ...]:
        """The spatial axes of the cells' states, see :func:`spatial_shape`."""
        return spatial_shape(self.cell, self.cell_options or {}, inputs)

    def resolve_backend(self, cell: Cell) -> str:
        """The backend that will run the cell; raises ``ValueError`` for one that cannot."""
        return str(resolve_backend(cell, "scan" if self.chunk and self.backend == "auto" else self.backend))


def spatial_shape(cell: str, options: Mapping[str, Any], inputs: Tokens | Features | Pairs) -> tuple[int, ...]:
    """The spatial axes of the inputs if the cell's maps are convolutions, else ``()``.

    Raises ``ValueError`` for convolutional maps and inputs without spatial axes.
    """
    kind = options.get("map", settings_of(cell_entry(cell).cls)["map"].default)
    if kind != "conv":
        return ()
    if not isinstance(inputs, Features) or not inputs.spatial:
        raise ValueError(f"cell {cell} with cell.map=conv needs a task with spatial inputs, such as moving_mnist")
    return inputs.spatial


def check_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ``ValueError`` naming the configuration key unless the value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{key} is '{value}', but must be one of: {', '.join(choices)}")


def check_chunk(chunk: int | None, backend: str) -> None:
    """Raise ``ValueError`` for chunks on a backend that does not recompute them; 0 and ``None`` stand for no chunks."""
    if chunk and backend not in ("auto", "scan"):
        raise ValueError(f"model.chunk needs model.backend=scan or auto, but model.backend is '{backend}'")
