"""What surrounds the cells of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeAlias

import jax
from flax import nnx
from jaxtyping import Array, Float

from lstmlab.arrays import Key
from lstmlab.cells import cell_entry
from lstmlab.cells.maps import LinearMap, make_map

Sequences: TypeAlias = Float[Array, "time batch ..."]
RunCells: TypeAlias = Callable[[Sequences], Sequences]
"""Runs a layer's cells over whole sequences: from ``[time, batch, *spatial, expansion · width]`` to ``[time, batch,
*spatial, cell_width]``"""


class Block(nnx.Module):
    """Base of all blocks.

    Args:
        width: features of the layer's input.
        cell_width: features of the cells' outputs, both directions together.
        key: random key of the maps.
        dtype: compute dtype of the products.

    Attributes:
        width: features of the layer's output.
    """

    width: int

    name: ClassVar[str]
    """Its name in the configuration."""
    residual: ClassVar[bool] = True
    """Whether the layer adds to a residual stream, whose width the hidden size then sets."""
    expansion: ClassVar[int] = 1
    """Features of the cells' inputs for each feature of the layer's input."""

    def __init__(self, width: int, cell_width: int, *, key: Key, dtype: str | None) -> None:
        raise NotImplementedError(f"{type(self).__name__} defines no maps")

    def __call__(self, xs: Sequences, run_cells: RunCells) -> Sequences:
        """Outputs of the layer from its inputs, both ``[time, batch, *spatial, width]``."""
        raise NotImplementedError(f"{type(self).__name__} defines no call")


class Plain(Block):
    """``y = cell(x)``."""

    name, residual = "plain", False

    def __init__(self, width: int, cell_width: int, *, key: Key, dtype: str | None) -> None:
        del width, key, dtype
        self.width = cell_width

    def __call__(self, xs: Sequences, run_cells: RunCells) -> Sequences:
        """Outputs of the cells, ``[time, batch, *spatial, cell_width]``."""
        return run_cells(xs)


class Residual(Block):
    """``y = x + cell(norm(x))`` (pre-norm).

    A linear map brings two directions, or outputs of another size, back to the width of ``x``.
    """

    name = "residual"

    def __init__(self, width: int, cell_width: int, *, key: Key, dtype: str | None) -> None:
        self.width = width
        self.norm = nnx.LayerNorm(width, rngs=nnx.Rngs(0))
        self.merge: LinearMap | None = (
            None
            if cell_width == width
            else make_map("dense", cell_width, (width,), key=key, init="lecun_normal", dtype=dtype)
        )

    def __call__(self, xs: Sequences, run_cells: RunCells) -> Sequences:
        """``x + cell(norm(x))``, ``[time, batch, *spatial, width]``."""
        ys = run_cells(self.norm(xs))
        return xs + (ys if self.merge is None else self.merge(ys))


class UpProjection(Block):
    r"""The cell works in twice the width of the stream, and its output is multiplied by a gate on the input.

    .. math::
        \hat x &= \text{norm}(x) \\
        y &= x + W_{down} \left( \text{cell}(W_{up} \hat x) \odot \text{swish}(W_{gate} \hat x) \right)

    The pre-up-projection block of Beck et al. 2024, "xLSTM", arXiv:2405.04517, figure 10, around any cell: without its
    causal convolution, its learnable skip around the cell and its norm after the cell. The stream has half the hidden
    size. With two directions the gate is as wide as both together. The three maps have no biases.
    """

    name, expansion = "up_projection", 2

    def __init__(self, width: int, cell_width: int, *, key: Key, dtype: str | None) -> None:
        def linear(number: int, features: int, size: int) -> LinearMap:
            map_key = jax.random.fold_in(key, number)
            return make_map("dense", features, (size,), key=map_key, init="lecun_normal", dtype=dtype)

        self.width = width
        self.norm = nnx.LayerNorm(width, rngs=nnx.Rngs(0))
        self.up, self.gate = linear(0, width, self.expansion * width), linear(1, width, cell_width)
        self.down = linear(2, cell_width, width)

    def __call__(self, xs: Sequences, run_cells: RunCells) -> Sequences:
        """``y`` of the equations, ``[time, batch, *spatial, width]``."""
        normed = self.norm(xs)
        return xs + self.down(run_cells(self.up(normed)) * jax.nn.silu(self.gate(normed)))


class GLU(Block):
    r"""A nonlinearity and a gated linear unit after the cell, which may itself be linear.

    .. math:: y = x + (W_1 u + b_1) \odot \sigma(W_2 u + b_2), \qquad u = \text{gelu}(\text{cell}(\text{norm}(x)))

    The block of Orvieto et al. 2023, "Resurrecting recurrent neural networks for long sequences", with layer
    normalisation in place of batch normalisation.
    """

    name = "glu"

    def __init__(self, width: int, cell_width: int, *, key: Key, dtype: str | None) -> None:
        self.width = width
        self.norm = nnx.LayerNorm(width, rngs=nnx.Rngs(0))
        keys = jax.random.split(key)
        self.out = make_map("dense", cell_width, (width,), key=keys[0], init="lecun_normal", bias=True, dtype=dtype)
        self.gate = make_map("dense", cell_width, (width,), key=keys[1], init="lecun_normal", bias=True, dtype=dtype)

    def __call__(self, xs: Sequences, run_cells: RunCells) -> Sequences:
        """``y`` of the equation, ``[time, batch, *spatial, width]``."""
        activated = jax.nn.gelu(run_cells(self.norm(xs)))
        return xs + self.out(activated) * jax.nn.sigmoid(self.gate(activated))


BLOCKS: dict[str, type[Block]] = {block.name: block for block in (Plain, Residual, UpProjection, GLU)}


def resolve_block(block: str, cell: str) -> str:
    """The block that a configuration means: ``auto`` is the one that the cell needs around it.

    Raises ``ValueError`` for an unknown cell.
    """
    return cell_entry(cell).cls.default_block if block == "auto" else block


def stream_width(block: str, hidden_size: int) -> int | None:
    """Features of the residual stream; ``None`` for a block without one.

    Raises ``ValueError`` for a hidden size that the block cannot divide.
    """
    kind = BLOCKS[block]
    if not kind.residual:
        return None
    if hidden_size % kind.expansion:
        raise ValueError(
            f"model.hidden_size is {hidden_size}, but must be even with model.block={block}: "
            "the stream between its layers has half as many features"
        )
    return hidden_size // kind.expansion


def stream_norm(block: str, width: int) -> nnx.LayerNorm | None:
    """The norm after the last layer of a residual stream; ``None`` for a block without one."""
    return nnx.LayerNorm(width, rngs=nnx.Rngs(0)) if BLOCKS[block].residual else None


def normalise(norm: nnx.LayerNorm | None, xs: Float[Array, "*batch features"]) -> Float[Array, "*batch features"]:
    """``norm(xs)``; ``xs`` itself without a norm."""
    return xs if norm is None else norm(xs)
