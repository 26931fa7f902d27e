"""Base of tasks that turn one sequence of tokens into another: pronunciation and translation."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.arrays import RowNumbers, Scalar
from lstmlab.tasks.batching import RowsTask, take
from lstmlab.tasks.specs import Arrays, Batch, Features, Metrics, Pairs, Plot, Predictor, SourceTarget, Split
from lstmlab.tasks.task import cross_entropy, mean
from lstmlab.tasks.text.pair_baselines import PairTokens, source_ngram, target_frequencies
from lstmlab.tasks.text.pair_data import (
    END,
    PAD,
    SPECIAL,
    START,
    UNKNOWN,
    Corpus,
    Symbols,
    padded,
    symbols_of,
    until_end,
)
from lstmlab.tasks.text.pair_plots import attention_maps, examples

ROWS = 256
"""sources decoded in one call"""
SHOWN, SHOWN_ATTENTION = 10, 3
"""test sources that are shown after a run, and those of them with an attention map"""
IMPOSSIBLE = -1e20
"""beam search gives lower scores than this where there are fewer outputs than the beam is wide"""

Output = tuple[tuple[str, ...], float]
"""decoded symbols, and their score"""


class PairTask(RowsTask):
    """Sequence to sequence, trained with teacher forcing.

    Runs are compared by the negative log-likelihood of the true targets, in nats per token (the end token counts). At
    the end of a run the test split is decoded and further metrics are computed from the outputs.
    """

    metric = "nll"
    architecture = "encoder_decoder"
    beam_at_end = 1
    """width of the beam with which the test split is decoded"""

    @property
    @abc.abstractmethod
    def corpus_data(self) -> Corpus:
        """All pairs and both vocabularies."""

    @abc.abstractmethod
    def read(self, text: str) -> list[str]:
        """The symbols of a source as a user writes it; raises ``ValueError`` naming what is unknown."""

    @abc.abstractmethod
    def write(self, symbols: Sequence[str]) -> str:
        """Target symbols as a user reads them."""

    def show_source(self, symbols: Sequence[str]) -> str:
        """Source symbols as a user writes them."""
        return " ".join(symbols)

    @cached_property
    def symbols(self) -> Symbols:
        """Both vocabularies and lengths, from the corpus or from :meth:`with_artifacts`."""
        return symbols_of(self.corpus_data)

    def artifacts(self) -> dict[str, Any]:
        """The symbols, so that a trained model translates without its corpus."""
        # One string each: in a list, words that look like numbers would be read back as numbers.
        joined = {name: "\n".join(getattr(self.symbols, name)) for name in ("source", "target")}
        return {**self.symbols._asdict(), **joined}

    def with_artifacts(self, artifacts: Mapping[str, Any]) -> Self:
        """A copy with these symbols."""
        source, target = (tuple(artifacts[name].split("\n")) for name in ("source", "target"))
        if any(symbols[: len(SPECIAL)] != SPECIAL for symbols in (source, target)):
            raise ValueError(f"its symbols do not begin with {', '.join(SPECIAL)}")
        symbols = Symbols(source, target, int(artifacts["source_length"]), int(artifacts["target_length"]))
        copy = dataclasses.replace(self)
        object.__setattr__(copy, "symbols", symbols)  # in place of the cached property
        return copy

    @property
    def inputs(self) -> Pairs:
        """Both vocabularies."""
        return Pairs(len(self.symbols.source), len(self.symbols.target), PAD, START, END)

    @property
    def outputs(self) -> Features:
        """The logit of each target token."""
        return Features(len(self.symbols.target))

    @cached_property
    def arrays(self) -> dict[Split, dict[str, Int[np.ndarray, "pairs width"]]]:
        """Per split ``source [pairs, source]`` and ``target [pairs, target]``, targets from start to end token.

        Every split is as wide as the longest sequence of all splits, so that all of them run the same compiled program.
        """
        corpus, symbols = self.corpus_data, self.symbols
        return {
            split: {
                "source": padded([self.encode(s) for s in corpus.sources[split]], symbols.source_length),
                "target": padded([self._target(t) for t in corpus.targets[split]], symbols.target_length + 2),
            }
            for split in corpus.sources
        }

    @cached_property
    def _tokens(self) -> tuple[dict[str, int], dict[str, int]]:
        """Symbol → token, of sources and targets."""
        source, target = ({s: i for i, s in enumerate(side)} for side in (self.symbols.source, self.symbols.target))
        return source, target

    def encode(self, symbols: Sequence[str]) -> list[int]:
        """Tokens of source symbols."""
        return [self._tokens[0].get(symbol, UNKNOWN) for symbol in symbols]

    def _target(self, symbols: Sequence[str]) -> list[int]:
        return [START, *(self._tokens[1].get(symbol, UNKNOWN) for symbol in symbols), END]

    def decoded(self, tokens: Int[np.ndarray, " length"]) -> tuple[str, ...]:
        """The target symbols before the end token."""
        return tuple(self.symbols.target[token] for token in until_end([int(token) for token in tokens]))

    @property
    def longest(self) -> int:
        """The most tokens that are decoded, end token included."""
        return self.symbols.target_length + 1

    def translate(self, predictor: Predictor, sources: Sequence[Sequence[str]], beam: int = 1) -> list[list[Output]]:
        """For each source its outputs, best first."""
        width = max([self.symbols.source_length, *map(len, sources)])
        table = padded([self.encode(source) for source in sources], width)
        outputs: list[list[Output]] = []
        for first in range(0, len(table), ROWS):
            rows = table[first : first + ROWS]
            # Every call has as many rows, so that the decoder is compiled once.
            filled = np.concatenate([rows, np.repeat(rows[:1], min(ROWS, len(table)) - len(rows), axis=0)])
            best = predictor.decode(filled, self.longest, beam=beam)
            tokens, scores = np.asarray(best.tokens)[: len(rows)], np.asarray(best.scores)[: len(rows)]
            for row, values in zip(tokens, scores, strict=True):
                ranked = zip(row, values, strict=True)
                outputs.append([(self.decoded(one), float(score)) for one, score in ranked if score > IMPOSSIBLE])
        return outputs

    def data(self) -> Mapping[Split, Any]:
        """See :attr:`arrays`."""
        return self.arrays

    def rows(self, split: Split) -> int:
        """Number of pairs."""
        return len(self.arrays[split]["source"])

    def pick(self, data: Arrays, rows: RowNumbers) -> Batch:
        """Sources with the targets shifted by one step: what the decoder reads, and what it predicts."""
        pairs = take(data, rows)
        source, target = (pairs[name].astype(jnp.int32) for name in ("source", "target"))
        # The decoder does not read the end token: after it there is nothing to predict.
        read = jnp.where(target[:, :-1] == END, PAD, target[:, :-1])
        return Batch(SourceTarget(source, read), target[:, 1:])

    def loss(self, outputs: Float[Array, "batch target size"], batch: Batch) -> Scalar:
        """The negative log-likelihood per token, in nats."""
        return mean(self.metrics(outputs, batch)["nll"])

    def metrics(self, outputs: Float[Array, "batch target size"], batch: Batch) -> Metrics:
        """Negative log-likelihood and accuracy per token, given the true tokens before it."""
        counted = (batch.targets != PAD) * (1.0 if batch.weights is None else batch.weights[:, None])
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        nats = cross_entropy(outputs, batch.targets)
        total = jnp.sum(counted)
        return {"nll": (jnp.sum(nats * counted), total), "accuracy": (jnp.sum(right * counted), total)}

    def baselines(self) -> dict[str, float]:
        """Frequencies of target tokens, without the source and with it: see :mod:`~.text.pair_baselines`."""
        train, validation, test = (PairTokens(**self.arrays[split]) for split in ("train", "validation", "test"))
        sizes = (len(self.symbols.source), len(self.symbols.target))
        values = target_frequencies(train.target, test.target, self.outputs.size)
        values |= source_ngram(train, validation, test, sizes)
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test sources with reference and output; with attention, also maps of its weights."""
        sources, targets = (part["test"][:SHOWN] for part in (self.corpus_data.sources, self.corpus_data.targets))
        outputs = [best[0][0] for best in self.translate(predictor, sources, self.beam_at_end)]
        plots = [examples(map(self.show_source, sources), map(self.write, targets), map(self.write, outputs))]
        best = predictor.decode(self.arrays["test"]["source"][:SHOWN_ATTENTION], self.longest)
        if best.attention is None:
            return plots
        weights = np.asarray(best.attention)[:, 0]
        outputs = [(*self.decoded(row[0]), SPECIAL[END]) for row in np.asarray(best.tokens)]
        return plots + attention_maps(weights, sources[: len(weights)], outputs)
