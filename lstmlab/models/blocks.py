"""What surrounds a cell in a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import jax
from flax import nnx
from jaxtyping import Array, PRNGKeyArray

from lstmlab.cells.maps import LinearMap, make_map

Recur = Callable[[Array], Array]
"""The layer's cells over a whole sequence: inputs ``[time, batch, ..., read]`` to outputs ``[..., shown]``."""


class Block(nnx.Module):
    """Base of all blocks.

    Args:
        width: features of the layer's input.
        shown: features of what the cells give, both directions together.
        key: random key of the maps.
        dtype: compute dtype of the products.

    Attributes:
        width: features of the layer's output.
    """

    width: int

    name: ClassVar[str]
    """Its name in the configuration."""
    carries: ClassVar[bool] = True
    """Whether the layer adds to a residual stream, whose width the hidden size then sets."""
    factor: ClassVar[int] = 1
    """Features that the cells read for each one of the stream."""

    def __init__(self, width: int, shown: int, *, key: PRNGKeyArray, dtype: str | None) -> None:
        raise NotImplementedError(f"{type(self).__name__} defines no maps")

    def __call__(self, xs: Array, recur: Recur) -> Array:
        """Outputs of the layer from its inputs ``[time, batch, *spatial, width]``."""
        raise NotImplementedError(f"{type(self).__name__} defines no call")


class Plain(Block):
    """``y = cell(x)``."""

    name, carries = "plain", False

    def __init__(self, width: int, shown: int, *, key: PRNGKeyArray, dtype: str | None) -> None:
        del width, key, dtype
        self.width = shown

    def __call__(self, xs: Array, recur: Recur) -> Array:
        """The cells alone."""
        return recur(xs)


class Residual(Block):
    """``y = x + cell(norm(x))`` (pre-norm).

    A linear map brings two directions, or outputs of another size, back to the width of ``x``.
    """

    name = "residual"

    def __init__(self, width: int, shown: int, *, key: PRNGKeyArray, dtype: str | None) -> None:
        self.width = width
        self.norm = nnx.LayerNorm(width, rngs=nnx.Rngs(0))
        self.merge: LinearMap | None = (
            None if shown == width else make_map("dense", shown, (width,), key=key, init="lecun_normal", dtype=dtype)
        )

    def __call__(self, xs: Array, recur: Recur) -> Array:
        """The equation above."""
        ys = recur(self.norm(xs))
        return xs + (ys if self.merge is None else self.merge(ys))


class UpProjection(Block):
    r"""The cell works in twice the width of the stream, and a gate that sees the input alone multiplies what it shows.

    .. math::
        \hat x &= \text{norm}(x) \\
        y &= x + W_{down} \left( \text{cell}(W_{up} \hat x) \odot \text{swish}(W_{gate} \hat x) \right)

    The pre-up-projection block of Beck et al. 2024, "xLSTM", arXiv:2405.04517, figure 10, around any cell: without its
    causal convolution, its learnable skip around the cell and its norm after the cell. The stream has half the hidden
    size. With two directions the gate is as wide as both together. The three maps have no biases.
    """

    name, factor = "up_projection", 2

    def __init__(self, width: int, shown: int, *, key: PRNGKeyArray, dtype: str | None) -> None:
        def linear(number: int, given: int, size: int) -> LinearMap:
            mine = jax.random.fold_in(key, number)
            return make_map("dense", given, (size,), key=mine, init="lecun_normal", dtype=dtype)

        self.width = width
        self.norm = nnx.LayerNorm(width, rngs=nnx.Rngs(0))
        self.up, self.gate = linear(0, width, self.factor * width), linear(1, width, shown)
        self.down = linear(2, shown, width)

    def __call__(self, xs: Array, recur: Recur) -> Array:
        """The equations above."""
        normed = self.norm(xs)
        return xs + self.down(recur(self.up(normed)) * jax.nn.silu(self.gate(normed)))


BLOCKS: dict[str, type[Block]] = {block.name: block for block in (Plain, Residual, UpProjection)}


def stream_width(block: str, hidden_size: int) -> int | None:
    """Features of the residual stream; ``None`` for a block without one.

    Raises ``ValueError`` for a hidden size that the block cannot divide.
    """
    kind = BLOCKS[block]
    if not kind.carries:
        return None
    if hidden_size % kind.factor:
        raise ValueError(
            f"model.hidden_size is {hidden_size}, but must be even with model.block={block}: "
            "the stream between its layers has half as many features"
        )
    return hidden_size // kind.factor
