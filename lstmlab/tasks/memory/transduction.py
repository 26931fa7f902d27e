"""Tasks that read a whole sequence first and then write one: reversal, sorting, selective copying."""

from __future__ import annotations

import abc
import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from lstmlab.settings import setting
from lstmlab.tasks.memory.algorithmic import SILENT, Algorithmic
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch


@dataclasses.dataclass(frozen=True)
class _Rewritten(Algorithmic):
    """``n`` symbols, a delimiter, and ``n`` blanks during which the answer is written: ``2 n + 1`` steps."""

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
        """The answer to a word, of which the first ``length`` symbols count."""

    def sample(self, key: PRNGKeyArray, lengths: Int[Array, " batch"], longest: int) -> Batch:
        """Uniform words."""
        words = jax.random.randint(key, (lengths.shape[0], longest), 0, self.alphabet)
        blank, delimiter = self.alphabet, self.alphabet + 1
        steps = jnp.arange(2 * longest + 1)

        def write(word: Array, length: Array) -> tuple[Array, Array]:
            padded = jnp.concatenate([word, jnp.full(longest + 1, blank)])
            inputs = jnp.where(steps < length, padded, blank)
            inputs = jnp.where(steps == length, delimiter, inputs)
            place = steps - length - 1
            asked = (place >= 0) & (place < length)
            answer = self.rewrite(word, length)[jnp.clip(place, 0, longest - 1)]
            return inputs, jnp.where(asked, answer, SILENT)

        inputs, targets = jax.vmap(write)(words, lengths)
        return Batch(inputs, targets, lengths=2 * lengths + 1)


@register_task(
    "reversal",
    title="write a word backwards",
    data="generated on the device",
    paper="protocol of Delétang et al. 2023, arXiv:2207.02098: train up to 40, test beyond",
)
@dataclasses.dataclass(frozen=True)
class Reversal(_Rewritten):
    """A word x_1 … x_n, then its letters from x_n to x_1.

    It takes a stack; a state of fixed size can only hold so many letters. Delétang et al. report 62 % (RNN) and 61 %
    (LSTM) beyond the training lengths, where guessing gives 50 %.
    """

    def rewrite(self, word: Int[Array, " longest"], length: Int[Array, ""]) -> Int[Array, " longest"]:
        """Backwards from the last symbol."""
        return word[jnp.maximum(length - 1 - jnp.arange(word.shape[0]), 0)]


@register_task(
    "bucket_sort",
    title="write the letters of a word in order",
    data="generated on the device",
    paper="protocol of Delétang et al. 2023, arXiv:2207.02098: train up to 40, test beyond",
)
@dataclasses.dataclass(frozen=True)
class BucketSort(_Rewritten):
    """A word over a small alphabet, then its letters sorted: one counter per letter solves it at any length."""

    alphabet: int = setting(5, "different symbols", minimum=2)

    def rewrite(self, word: Int[Array, " longest"], length: Int[Array, ""]) -> Int[Array, " longest"]:
        """Sorted; what does not count goes to the end."""
        counted = jnp.arange(word.shape[0]) < length
        return jnp.sort(jnp.where(counted, word, self.alphabet)) % self.alphabet


@register_task(
    "selective_copy",
    title="repeat the symbols scattered among blanks",
    data="generated on the device",
    paper="Gu & Dao 2023, arXiv:2312.00752",
    published="minGRU 99.5 % (Feng et al. 2024)",
)
@dataclasses.dataclass(frozen=True)
class SelectiveCopy(Algorithmic):
    """``recalled`` symbols at random places among ``n`` steps of blanks, then a delimiter and as many blanks, during
    which the symbols are written in order: n + recalled + 1 steps. Copying with a fixed delay can be done by counting;
    here a cell must choose what it keeps.
    """

    length: int = setting(128, "longest training sequence", minimum=1)
    recalled: int = setting(8, "symbols to remember", minimum=1)
    alphabet: int = setting(8, "different symbols", minimum=2)

    @property
    def shortest(self) -> int:
        """Room for the symbols."""
        return self.recalled

    @property
    def symbols(self) -> int:
        """The alphabet, blank and delimiter."""
        return self.alphabet + 2

    @property
    def answers(self) -> int:
        """The alphabet."""
        return self.alphabet

    def sample(self, key: PRNGKeyArray, lengths: Int[Array, " batch"], longest: int) -> Batch:
        """Uniform symbols at uniform places."""
        symbols_key, places_key = jax.random.split(key)
        words = jax.random.randint(symbols_key, (lengths.shape[0], self.recalled), 0, self.alphabet)
        luck = jax.random.uniform(places_key, (lengths.shape[0], longest))
        blank, delimiter = self.alphabet, self.alphabet + 1
        steps = jnp.arange(longest + self.recalled + 1)

        def write(word: Array, luck: Array, length: Array) -> tuple[Array, Array]:
            luck = jnp.where(jnp.arange(longest) < length, luck, jnp.inf)
            places = jnp.sort(jnp.argsort(luck)[: self.recalled])
            inputs = jnp.full(steps.shape, blank).at[places].set(word).at[length].set(delimiter)
            place = steps - length - 1
            asked = (place >= 0) & (place < self.recalled)
            return inputs, jnp.where(asked, word[jnp.clip(place, 0, self.recalled - 1)], SILENT)

        inputs, targets = jax.vmap(write)(words, luck, lengths)
        return Batch(inputs, targets, lengths=lengths + self.recalled + 1)
