"""What tasks share that turn one sequence of tokens into another."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Self

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.plots.attention import attention_map
from lstmlab.tasks.batching import RowsTask, take
from lstmlab.tasks.task import (
    Batch,
    Features,
    Metrics,
    Pairs,
    Plot,
    Predictor,
    SourceTarget,
    Split,
    cross_entropy,
    mean,
)

PAD, START, END, UNKNOWN = 0, 1, 2, 3
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
ROWS = 256
"""sources decoded in one call"""


class Corpus(NamedTuple):
    """Sequences of symbols, and the vocabularies in the order of their indices, which begin with ``SPECIAL``."""

    sources: dict[str, list[Sequence[str]]]
    """per split"""
    targets: dict[str, list[Sequence[str]]]
    """per split, one for each source"""
    source_symbols: tuple[str, ...]
    target_symbols: tuple[str, ...]


class Symbols(NamedTuple):
    """What a trained model needs of its corpus."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    source_length: int
    """most symbols of a source"""
    target_length: int


class PairTask(RowsTask):
    """Learned by teacher forcing; judged during training by the likelihood of the true outputs, in nats per token
    (the end token is one), and at the end by what the model writes of its own.
    """

    metric = "nll"
    architecture = "encoder_decoder"
    beam_at_end = 1

    @property
    @abc.abstractmethod
    def corpus_data(self) -> Corpus:
        """All pairs."""

    @cached_property
    def symbols(self) -> Symbols:
        """Both vocabularies and lengths; in a task that is :meth:`with_artifacts` them, without its corpus."""
        corpus = self.corpus_data
        longest = [max(len(s) for part in of.values() for s in part) for of in (corpus.sources, corpus.targets)]
        return Symbols(corpus.source_symbols, corpus.target_symbols, *longest)

    def artifacts(self) -> dict[str, Any]:
        """The symbols, so that a trained model translates without its corpus."""
        # One string each: a list of words would lose those that look like numbers.
        joined = {name: "\n".join(getattr(self.symbols, name)) for name in ("source", "target")}
        return {**self.symbols._asdict(), **joined}

    def with_artifacts(self, kept: Mapping[str, Any]) -> Self:
        """The same task with these symbols."""
        source, target = (tuple(kept[name].split("\n")) for name in ("source", "target"))
        if any(symbols[: len(SPECIAL)] != SPECIAL for symbols in (source, target)):
            raise ValueError(f"its symbols do not begin with {', '.join(SPECIAL)}")
        twin = dataclasses.replace(self)
        symbols = Symbols(source, target, int(kept["source_length"]), int(kept["target_length"]))
        object.__setattr__(twin, "symbols", symbols)  # in the place of the cached property
        return twin

    @abc.abstractmethod
    def read(self, text: str) -> list[str]:
        """The symbols of a source that a user writes; raises ``ValueError`` naming what is unknown."""

    @abc.abstractmethod
    def write(self, symbols: Sequence[str]) -> str:
        """Target symbols as a user reads them."""

    @property
    def inputs(self) -> Pairs:
        """Both vocabularies."""
        return Pairs(len(self.symbols.source), len(self.symbols.target), PAD, START, END)

    @property
    def outputs(self) -> Features:
        """The logit of each target token."""
        return Features(len(self.symbols.target))

    @cached_property
    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Per split ``source [rows, source]`` and ``target [rows, target]``, the latter from start to end token; all
        splits as wide as the longest sequence of all, so that every split runs one program."""
        corpus, symbols = self.corpus_data, self.symbols
        return {
            split: {
                "source": _table([self.encode(s) for s in corpus.sources[split]], symbols.source_length),
                "target": _table([self._target(t) for t in corpus.targets[split]], symbols.target_length + 2),
            }
            for split in corpus.sources
        }

    @cached_property
    def _indices(self) -> tuple[dict[str, int], dict[str, int]]:
        source, target = ({s: i for i, s in enumerate(of)} for of in (self.symbols.source, self.symbols.target))
        return source, target

    def encode(self, symbols: Sequence[str]) -> list[int]:
        """Indices of source symbols."""
        return [self._indices[0].get(symbol, UNKNOWN) for symbol in symbols]

    def decoded(self, tokens: Any) -> tuple[str, ...]:
        """The target symbols up to the end token."""
        tokens = [int(token) for token in tokens]
        stop = next((i for i, token in enumerate(tokens) if token in (END, PAD)), len(tokens))
        return tuple(self.symbols.target[token] for token in tokens[:stop])

    @property
    def longest(self) -> int:
        """Most tokens that are decoded, the end token among them."""
        return self.symbols.target_length + 1

    def translate(self, predictor: Predictor, sources: Sequence[Sequence[str]], beam: int = 1) -> list[Any]:
        """Per source its ``(symbols, score)``, best first."""
        width = max([self.symbols.source_length, *map(len, sources)])
        table = _table([self.encode(source) for source in sources], width)
        found: list[Any] = []
        for first in range(0, len(table), ROWS):
            rows = table[first : first + ROWS]
            filled = np.concatenate([rows, np.repeat(rows[:1], min(ROWS, len(table)) - len(rows), axis=0)])
            best = predictor.decode(filled, self.longest, beam=beam)
            tokens, scores = np.asarray(best.tokens), np.asarray(best.scores)
            for of, values in zip(tokens[: len(rows)], scores[: len(rows)], strict=True):
                # Where there are fewer outputs than the beam is wide, the rest are impossible.
                pairs = zip(of, values, strict=True)
                found.append([(self.decoded(one), float(score)) for one, score in pairs if score > -1e20])
        return found

    def data(self) -> Mapping[str, Any]:
        """See :attr:`arrays`."""
        return self.arrays

    def rows(self, split: Split) -> int:
        """Pairs."""
        return len(self.arrays[split]["source"])

    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Sources, and targets one step behind and ahead."""
        return _batch(take(data, rows))

    def loss(self, outputs: Float[Array, "batch target size"], batch: Batch) -> Float[Array, ""]:
        """The negative log-likelihood per token, in nats."""
        return mean(self.metrics(outputs, batch)["nll"])

    def metrics(self, outputs: Float[Array, "batch target size"], batch: Batch) -> Metrics:
        """Negative log-likelihood per token, and the share of tokens that are the likeliest, given the true ones."""
        counted = (batch.targets != PAD) * (1.0 if batch.weights is None else batch.weights[:, None])
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        nats = cross_entropy(outputs, batch.targets)
        total = jnp.sum(counted)
        return {"nll": (jnp.sum(nats * counted), total), "accuracy": (jnp.sum(right * counted), total)}

    def baselines(self) -> dict[str, float]:
        """Add-one-smoothed frequencies of the training targets that do not see the source: given the token before
        (``bigram``), and alone (``unigram``)."""
        size = self.outputs.size
        pairs = {split: _bigrams(self.arrays[split]["target"]) for split in ("train", "test")}
        before, after = pairs["train"]
        counts = np.zeros((size, size))
        np.add.at(counts, (before, after), 1)
        values = {}
        for name, table in (("bigram", counts), ("unigram", np.broadcast_to(counts.sum(0), counts.shape))):
            # Padding and start token are never predicted.
            smoothed = table[:, END:] + 1
            share = smoothed / smoothed.sum(1, keepdims=True)
            values[name] = float(-np.mean(np.log(share[pairs["test"][0], pairs["test"][1] - END])))
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test sources with reference and output; where there is attention, the weights of the first ones
        as pictures: a row per output token, a column per source token, dark where much attention is."""
        sources, targets = (part["test"][:10] for part in (self.corpus_data.sources, self.corpus_data.targets))
        written = self.translate(predictor, sources, self.beam_at_end)
        lines = [
            f"source     {self.show_source(source)}\nreference  {self.write(target)}\n"
            f"output     {self.write(best[0][0])}"
            for source, target, best in zip(sources, targets, written, strict=True)
        ]
        shown = [Plot("outputs", text="\n\n".join(lines))]
        best = predictor.decode(self.arrays["test"]["source"][:3], self.longest)
        if best.attention is not None:
            for i, (row, weights) in enumerate(zip(np.asarray(best.tokens), np.asarray(best.attention), strict=True)):
                outputs = (*self.decoded(row[0]), SPECIAL[END])
                picture = attention_map(weights[0], sources[i], outputs)
                shown.append(Plot(f"attention_{i + 1}", picture=picture))
        return shown

    def show_source(self, symbols: Sequence[str]) -> str:
        """Source symbols as a user writes them."""
        return " ".join(symbols)

    def _target(self, symbols: Sequence[str]) -> list[int]:
        return [START, *(self._indices[1].get(symbol, UNKNOWN) for symbol in symbols), END]


def edit_distance(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Fewest substitutions, insertions and deletions that turn one sequence into another (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (x != y))
    return row[-1]


def _batch(rows: Any) -> Batch:
    source, target = (rows[name].astype(jnp.int32) for name in ("source", "target"))
    # The decoder does not read the end token: after it there is nothing to predict.
    read = jnp.where(target[:, :-1] == END, PAD, target[:, :-1])
    return Batch(SourceTarget(source, read), target[:, 1:])


def _table(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    table = np.full((len(rows), width), PAD, np.int32)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table


def _bigrams(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    valid = table[:, 1:] != PAD
    return table[:, :-1][valid], table[:, 1:][valid]
