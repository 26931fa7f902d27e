"""What tasks and models exchange: the shapes of inputs and outputs, batches, a trained model in use, plots."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Float, Int, UInt8
from numpy.typing import ArrayLike

from lstmlab.arrays import Key, Lengths, Resets, RowWeights

Split = Literal["train", "validation", "test"]

Metrics = dict[str, tuple[Array, Array]]
"""Per metric a total and its weight; the metric of a split is the sum of totals over the sum of weights."""

Arrays = Mapping[str, Array | np.ndarray]
"""The arrays of a split by name: NumPy arrays on the host, JAX arrays on the device."""


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Inputs are integers below ``size``: ``[batch, time]``."""

    size: int


@dataclasses.dataclass(frozen=True)
class Features:
    """Inputs or outputs are real vectors or feature maps: ``[batch, time, *spatial, size]``."""

    size: int
    spatial: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Inputs are a :class:`SourceTarget` of integers below ``source`` and ``target``, for ``encoder_decoder``."""

    source: int
    target: int
    pad: int = 0
    """padding at the end of sequences, in both vocabularies"""
    start: int = 1
    """what the decoder reads before the first target"""
    end: int = 2
    """the last target of every sequence"""


class SourceTarget(NamedTuple):
    """What an encoder and a decoder read."""

    source: Int[Array, "batch source"]
    """padded at the end"""
    target: Int[Array, "batch target"]
    """the start token and all targets but the last, padded at the end"""


class TimedSteps(NamedTuple):
    """Steps with the times at which they were taken, for cells with a clock; other cells see the values alone."""

    values: Array
    """as a model reads them without times, ``[batch, time, ...]``"""
    times: Float[Array, "batch time"]


class Batch(NamedTuple):
    """One batch of sequences, batch first."""

    inputs: Any
    """``[batch, time]`` tokens, ``[batch, time, *spatial, features]``, or the pytree that the architecture reads, such
    as :class:`SourceTarget` or :class:`TimedSteps`"""
    targets: Array
    """whatever the task's loss compares outputs with"""
    weights: RowWeights | None = None
    """0 for rows that only fill up the last batch of a split; ``None`` counts every row"""
    lengths: Lengths | None = None
    """valid steps per sequence; ``None`` when all are"""
    resets: Resets | None = None
    """true at the first step of a new segment, where the state starts afresh"""


@runtime_checkable
class Decoded(Protocol):
    """Decoded outputs of a batch of sources, best first."""

    @property
    def tokens(self) -> Int[Array, "batch beam length"]:
        """Target tokens, without the start token."""
        ...

    @property
    def scores(self) -> Float[Array, "batch beam"]:
        """Log-probabilities, normalised by length."""
        ...

    @property
    def attention(self) -> Float[Array, "batch beam length source"] | None:
        """The attention weights of each token, if the model has attention."""
        ...


@runtime_checkable
class Predictor(Protocol):
    """A trained model as tasks use it, for plots and final metrics."""

    @property
    def stepwise(self) -> bool:
        """Whether it can run step by step: it reads forward only and has an output at every step."""
        ...

    def predict(self, batch: Batch) -> Array:
        """Outputs for a batch."""
        ...

    def generate(self, prompt: ArrayLike, length: int, *, temperature: float = 1.0, seed: int = 0) -> np.ndarray:
        """``length`` tokens that continue the prompt ``[time]``; token tasks only."""
        ...

    def continue_sequence(
        self, prompt: ArrayLike, length: int, draw: Callable[[Array, Key], Array], *, seed: int = 0
    ) -> np.ndarray:
        """``length`` steps that continue the prompt ``[time, features]``; ``draw`` turns an output ``[1, features]``
        into the next input."""
        ...

    def decode(self, source: ArrayLike, length: int, *, beam: int = 1) -> Decoded:
        """The best outputs, of at most ``length`` tokens, for sources ``[batch, source]``; pair tasks only."""
        ...

    def metrics_while_learning(self, split: Split, rate: float) -> dict[str, float]:
        """All metrics of a split under dynamic evaluation: a copy of the model reads the split in order and takes a
        gradient step after each batch; stateful tasks only."""
        ...


@dataclasses.dataclass(frozen=True)
class Plot:
    """One thing to look at or listen to after a run. Exactly one of the fields after ``name`` is set; ``suffix``
    belongs to ``write``."""

    name: str
    text: str | None = None
    picture: UInt8[np.ndarray, "height width *rgb"] | None = None
    frames: UInt8[np.ndarray, "time height width *rgb"] | None = None
    draw: Callable[[Path], None] | None = None
    """writes a PNG file at the path it is given"""
    write: Callable[[Path], None] | None = None
    """writes a file of another kind, whose name ends in ``suffix``"""
    suffix: str = ""
