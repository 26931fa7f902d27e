"""What tasks share that turn one sequence of tokens into another."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.tasks.base import (
    Batch,
    Features,
    Illustration,
    Metrics,
    Pairs,
    Predictor,
    SourceTarget,
    Split,
    cross_entropy,
    mean,
)
from lstmlab.tasks.rows import RowsTask, take

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

    @abc.abstractmethod
    def read(self, text: str) -> list[str]:
        """The symbols of a source that a user writes; raises ``ValueError`` naming what is unknown."""

    @abc.abstractmethod
    def write(self, symbols: Sequence[str]) -> str:
        """Target symbols as a user reads them."""

    @property
    def inputs(self) -> Pairs:
        """Both vocabularies."""
        return Pairs(len(self.corpus_data.source_symbols), len(self.corpus_data.target_symbols), PAD, START, END)

    @property
    def outputs(self) -> Features:
        """The logit of each target token."""
        return Features(len(self.corpus_data.target_symbols))

    @cached_property
    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Per split ``source [rows, source]`` and ``target [rows, target]``, the latter from start to end token; all
        splits as wide as the longest sequence of all, so that every split runs one program."""
        corpus = self.corpus_data
        width = {
            "source": max(len(s) for part in corpus.sources.values() for s in part),
            "target": max(len(t) for part in corpus.targets.values() for t in part) + 2,
        }
        return {
            split: {
                "source": _table([self.encode(s) for s in corpus.sources[split]], width["source"]),
                "target": _table([self._target(t) for t in corpus.targets[split]], width["target"]),
            }
            for split in corpus.sources
        }

    @cached_property
    def _indices(self) -> tuple[dict[str, int], dict[str, int]]:
        corpus = self.corpus_data
        source, target = ({s: i for i, s in enumerate(of)} for of in (corpus.source_symbols, corpus.target_symbols))
        return source, target

    def encode(self, symbols: Sequence[str]) -> list[int]:
        """Indices of source symbols."""
        return [self._indices[0].get(symbol, UNKNOWN) for symbol in symbols]

    def decoded(self, tokens: Any) -> tuple[str, ...]:
        """The target symbols up to the end token."""
        tokens = [int(token) for token in tokens]
        stop = next((i for i, token in enumerate(tokens) if token in (END, PAD)), len(tokens))
        return tuple(self.corpus_data.target_symbols[token] for token in tokens[:stop])

    @property
    def longest(self) -> int:
        """Most tokens that are decoded, the end token among them."""
        return self.arrays["train"]["target"].shape[1] - 1

    def translate(self, predictor: Predictor, sources: Sequence[Sequence[str]], beam: int = 1) -> list[Any]:
        """Per source its ``(symbols, score)``, best first."""
        width = max([self.arrays["train"]["source"].shape[1], *map(len, sources)])
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

    def illustrate(self, predictor: Predictor) -> list[Illustration]:
        """The first test sources with reference and output; where there is attention, the weights of the first ones
        as pictures: a row per output token, a column per source token, dark where much attention is."""
        sources, targets = (part["test"][:10] for part in (self.corpus_data.sources, self.corpus_data.targets))
        written = self.translate(predictor, sources, self.beam_at_end)
        lines = [
            f"source     {self.show_source(source)}\nreference  {self.write(target)}\n"
            f"output     {self.write(best[0][0])}"
            for source, target, best in zip(sources, targets, written, strict=True)
        ]
        shown = [Illustration("outputs", text="\n\n".join(lines))]
        best = predictor.decode(self.arrays["test"]["source"][:3], self.longest)
        if best.attention is not None:
            shown += [
                Illustration(f"attention_{i + 1}", picture=_map(np.asarray(best.attention)[i, 0], source, tokens))
                for i, (source, tokens) in enumerate(
                    zip(sources, [self.decoded(row[0]) for row in np.asarray(best.tokens)], strict=False)
                )
            ]
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


def _map(weights: np.ndarray, source: Sequence[str], tokens: Sequence[str]) -> np.ndarray:
    """A matrix of weights with the symbols of both sides as text."""
    from PIL import Image, ImageDraw

    cell, left, top = 24, 12 + 7 * max([4, *map(len, tokens)]), 12 + 7 * max([1, *map(len, source)])
    rows, columns = len(tokens) + 1, len(source)
    page = Image.new("L", (left + cell * columns, top + cell * rows), 255)
    draw = ImageDraw.Draw(page)
    for i, token in enumerate([*tokens, SPECIAL[END]][: len(weights)]):
        draw.text((4, top + i * cell + 6), token, fill=0)
        for j in range(columns):
            shade = round(255 * (1 - float(weights[i, j])))
            x, y = left + j * cell, top + i * cell
            draw.rectangle((x, y, x + cell - 1, y + cell - 1), fill=shade, outline=220)
    for j, symbol in enumerate(source):
        if len(symbol) == 1:
            draw.text((left + j * cell + 8, top - 14), symbol, fill=0)
            continue
        label = Image.new("L", (top, cell), 255)
        ImageDraw.Draw(label).text((4, 6), symbol, fill=0)
        page.paste(label.rotate(90, expand=True), (left + j * cell, 0))
    return np.asarray(page)
