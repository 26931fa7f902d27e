"""Arrays of another framework: taken by name, checked by shape, none left over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from lstmlab.settings import suggest

BIAS_HINT = "; one model has biases (cell.bias) and the other has not"

SAME = "features, hidden size and cell of the two models must be the same"


class Source:
    """Named arrays of another framework. Every error is a one-line ``ValueError`` with the key.

    Args:
        where: what the arrays are, as messages call it: ``"PyTorch state dict"``.
        arrays: arrays or tensors by name.
    """

    def __init__(self, where: str, arrays: Mapping[str, Any]) -> None:
        """Keep the arrays until they are taken."""
        self.where = where
        self._left = dict(arrays)

    def __contains__(self, name: str) -> bool:
        """Whether the array is there and has not been taken yet."""
        return name in self._left

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the named array; none of an array that is missing or has been taken."""
        return np.shape(self._left.get(name, ()))

    def take(self, name: str, shape: tuple[int, ...], cause: str = SAME) -> np.ndarray:
        """The named array, which must have the given shape; see :func:`to_numpy`. ``cause`` ends the message if not."""
        if name not in self._left:
            hint = BIAS_HINT if "bias" in name else suggest(name, list(self._left))
            raise ValueError(f"{self.where}: '{name}' is missing (expected shape {shape}){hint}")
        array = to_numpy(self._left.pop(name))
        if array.shape != shape:
            raise ValueError(f"{self.where}: '{name}' has shape {array.shape}, expected {shape}: {cause}")
        return array

    def finish(self) -> None:
        """Raise if an array was not taken: it would be lost silently."""
        for name, array in self._left.items():
            hint = BIAS_HINT if "bias" in name else ""
            raise ValueError(
                f"{self.where}: the model has no place for '{name}' of shape {to_numpy(array).shape}{hint}"
            )


def to_numpy(array: Any) -> np.ndarray:
    """Anything array-like as a NumPy array of float32 or wider, PyTorch tensors of any device and type included.

    Narrower floats (float16, bfloat16, float8) become float32, which holds every value of them: whatever is computed
    with weights, such as the sum of two biases, is not rounded to their type. It may share the other framework's
    memory: copy it to keep it.
    """
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        # NumPy has no bfloat16.
        narrow = array.is_floating_point() and array.element_size() < 4
        array = (array.float() if narrow else array).numpy()
    array = np.asarray(array)
    narrow = jnp.issubdtype(array.dtype, jnp.floating) and array.dtype.itemsize < 4
    return array.astype(np.float32) if narrow else array


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A nested mapping as one level, with names like ``"hf/kernel"``."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}/{inner}": leaf for inner, leaf in flatten(value).items()}
        else:
            flat[str(name)] = value
    return flat


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`flatten`."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *outer, last = name.split("/")
        branch = tree
        for part in outer:
            branch = branch.setdefault(part, {})
        branch[last] = value
    return tree
