"""What goes between tasks and models: the forms of inputs and outputs, batches, and a trained model in use."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

Split = Literal["train", "validation", "test"]


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
    """fills up the end of sequences, in both vocabularies"""
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


class Batch(NamedTuple):
    """One batch of sequences, batch first."""

    inputs: Any
    """``[batch, time]`` tokens or ``[batch, time, *spatial, features]``; for architectures that read more than one
    sequence, what they declare: a tree of arrays, rows first"""
    targets: Array
    """whatever the task's loss compares outputs with"""
    weights: Float[Array, " batch"] | None = None
    """0 for rows that only fill up the last batch of a split; ``None`` counts every row"""
    lengths: Int[Array, " batch"] | None = None
    """valid steps per sequence; ``None`` when all are"""
    resets: Bool[Array, "batch time"] | None = None
    """true where a new segment starts and the state with it"""


class Predictor(Protocol):
    """A trained model as a task may use it to show what was learned."""

    @property
    def stepwise(self) -> bool:
        """Whether it can go on step by step: it reads forward alone, and answers at every step."""
        ...

    def predict(self, batch: Batch) -> Array:
        """Outputs for a batch."""
        ...

    def generate(self, prompt: Any, length: int, *, temperature: float = 1.0, seed: int = 0) -> Any:
        """``length`` tokens that continue the prompt ``[time]``; token tasks only."""
        ...

    def continue_sequence(
        self, prompt: Any, length: int, draw: Callable[[Array, PRNGKeyArray], Array], *, seed: int = 0
    ) -> Any:
        """``length`` steps that continue the prompt ``[time, features]``; ``draw`` makes the next input of an output
        ``[1, features]``."""
        ...

    def decode(self, source: Any, length: int, *, beam: int = 1) -> Any:
        """The best outputs of at most ``length`` tokens for sources ``[batch, source]``: an object with ``tokens
        [batch, beam, length]``, ``scores [batch, beam]`` and ``attention``; pair tasks only."""
        ...

    def metrics_while_learning(self, split: Split, rate: float) -> dict[str, float]:
        """Every metric of a split that is read once more in order, by a copy of the model that takes a gradient step
        after each batch; stateful tasks only."""
        ...


@dataclasses.dataclass(frozen=True)
class Plot:
    """Something to look at, or to listen to: exactly one of text, picture (uint8 ``[H, W(, 3)]``), frames (uint8
    ``[T, H, W(, 3)]``), ``draw``, which writes a PNG file at the path it is given, or ``write``, which writes a file of
    another kind, whose name ends in ``suffix``."""

    name: str
    text: str | None = None
    picture: Any = None
    frames: Any = None
    draw: Callable[[Path], None] | None = None
    write: Callable[[Path], None] | None = None
    suffix: str = ""
