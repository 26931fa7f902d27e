"""Tasks that read a whole sequence first and then write one: reversal, sorting, selective copying."""

from __future__ import annotations

import abc
import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lstmlab.arrays import Key, Lengths
from lstmlab.settings import setting
from lstmlab.tasks.memory.algorithmic import IGNORED, Algorithmic
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch


@dataclasses.dataclass(frozen=True)
class _Transduction(Algorithmic):
    """``n`` symbols, a delimiter, and ``n`` blanks at which the answer is written: ``2 n + 1`` steps."""

    test_length: int = setting(80, "length of all test sequences", minimum=1)
    alphabet: int = setting(2, "different symbols", minimum=2)

    @property
    def symbols(self) -> int:
        """The alphabet, blank and delimiter."""
        return self.alphabet + 2

    @property
    def answers(self) -> int:
        """The alphabet."""
        return self.alphabet

    @abc.abstractmethod
    def rewrite(self, word: Int[Array, " longest"], length: Int[Array, ""]) -> Int[Array, " longest"]:
        """The answer to a word, which ends after ``length`` symbols."""

    def sample(self, key: Key, lengths: Lengths, longest: int) -> Batch:
        """Words of uniform symbols."""
        words = jax.random.randint(key, (lengths.shape[0], longest), 0, self.alphabet)
        blank, delimiter = self.alphabet, self.alphabet + 1
        steps = jnp.arange(2 * longest + 1)

        def build(word: Array, length: Array) -> tuple[Array, Array]:
            padded = jnp.concatenate([word, jnp.full(longest + 1, blank)])
            inputs = jnp.where(steps < length, padded, blank)
            inputs = jnp.where(steps == length, delimiter, inputs)
            index = steps - length - 1
            asked = (index >= 0) & (index < length)
            answer = self.rewrite(word, length)[jnp.clip(index, 0, longest - 1)]
            return inputs, jnp.where(asked, answer, IGNORED)

        inputs, targets = jax.vmap(build)(words, lengths)
        return Batch(inputs, targets, lengths=2 * lengths + 1)


@register_task(
    "reversal",
    title="write a word backwards",
    data="generated on the device",
    paper="protocol of Delétang et al. 2023, arXiv:2207.02098: train up to 40, test beyond",
)
@dataclasses.dataclass(frozen=True)
class Reversal(_Transduction):
    """A word x_1 … x_n, then its letters from x_n to x_1.

    Reversal needs a stack; a state of fixed size can hold a limited number of letters. Delétang et al. report 62 %
    (RNN) and 61 % (LSTM) beyond the training lengths, where guessing gives 50 %.
    """

    def rewrite(self, word: Int[Array, " longest"], length: Int[Array, ""]) -> Int[Array, " longest"]:
        """The word backwards; symbols after its end are arbitrary."""
        return word[jnp.maximum(length - 1 - jnp.arange(word.shape[0]), 0)]


@register_task(
    "bucket_sort",
    title="write the letters of a word in order",
    data="generated on the device",
    paper="protocol of Delétang et al. 2023, arXiv:2207.02098: train up to 40, test beyond",
)
@dataclasses.dataclass(frozen=True)
class BucketSort(_Transduction):
    """A word over a small alphabet, then its letters sorted: one counter per letter solves this at any length."""

    alphabet: int = setting(5, "different symbols", minimum=2)

    def rewrite(self, word: Int[Array, " longest"], length: Int[Array, ""]) -> Int[Array, " longest"]:
        """The word sorted; symbols after its end are arbitrary."""
        valid = jnp.arange(word.shape[0]) < length
        return jnp.sort(jnp.where(valid, word, self.alphabet)) % self.alphabet


@register_task(
    "selective_copy",
    title="repeat the symbols scattered among blanks",
    data="generated on the device",
    paper="Gu & Dao 2023, arXiv:2312.00752",
    published="minGRU 99.5 % (Feng et al. 2024)",
)
@dataclasses.dataclass(frozen=True)
class SelectiveCopy(Algorithmic):
    """``n`` steps with ``recalled`` symbols at random positions among blanks, then a delimiter and ``recalled`` blanks
    at which the symbols are written in order: n + recalled + 1 steps.

    Copying with a fixed delay can be done by counting steps; here a cell must select what it stores.
    """

    length: int = setting(128, "longest training sequence", minimum=1)
    recalled: int = setting(8, "symbols to remember", minimum=1)
    alphabet: int = setting(8, "different symbols", minimum=2)

    @property
    def shortest(self) -> int:
        """One step per symbol."""
        return self.recalled

    @property
    def symbols(self) -> int:
        """The alphabet, blank and delimiter."""
        return self.alphabet + 2

    @property
    def answers(self) -> int:
        """The alphabet."""
        return self.alphabet

    def sample(self, key: Key, lengths: Lengths, longest: int) -> Batch:
        """Uniform symbols at uniform positions."""
        symbols_key, positions_key = jax.random.split(key)
        words = jax.random.randint(symbols_key, (lengths.shape[0], self.recalled), 0, self.alphabet)
        ranks = jax.random.uniform(positions_key, (lengths.shape[0], longest))
        blank, delimiter = self.alphabet, self.alphabet + 1
        steps = jnp.arange(longest + self.recalled + 1)

        def build(word: Array, rank: Array, length: Array) -> tuple[Array, Array]:
            rank = jnp.where(jnp.arange(longest) < length, rank, jnp.inf)  # padding is sorted last
            positions = jnp.sort(jnp.argsort(rank)[: self.recalled])
            inputs = jnp.full(steps.shape, blank).at[positions].set(word).at[length].set(delimiter)
            index = steps - length - 1
            asked = (index >= 0) & (index < self.recalled)
            return inputs, jnp.where(asked, word[jnp.clip(index, 0, self.recalled - 1)], IGNORED)

        inputs, targets = jax.vmap(build)(words, ranks, lengths)
        return Batch(inputs, targets, lengths=lengths + self.recalled + 1)
