"""Tasks that finite automata solve: a recurrent state can track the answer at any length, a fixed window cannot."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lstmlab.arrays import Key, Lengths, TokenIds
from lstmlab.settings import setting
from lstmlab.tasks.memory.algorithmic import IGNORED, Algorithmic, at_the_end
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch

ASKED = ("last", "every")
MODULUS = 5
PLUS, MINUS, TIMES = range(MODULUS, MODULUS + 3)


@dataclasses.dataclass(frozen=True)
class _StateTracking(Algorithmic):
    """The answer is asked after the last symbol, or after every one."""

    ask: str = setting("last", "when the answer is asked: after the last symbol or after every one", choices=ASKED)

    def _batch(self, symbols: TokenIds, answers: TokenIds, lengths: Lengths) -> Batch:
        if self.ask == "last":
            answers = at_the_end(answers, lengths)
        else:
            answers = jnp.where(jnp.arange(answers.shape[1]) < lengths[:, None], answers, IGNORED)
        return Batch(symbols, answers, lengths=lengths)


@register_task(
    "parity",
    title="whether the number of ones so far is odd",
    data="generated on the device",
    paper="protocol of Delétang et al. 2023, arXiv:2207.02098: train up to 40, test beyond",
)
@dataclasses.dataclass(frozen=True)
class Parity(_StateTracking):
    """The input is bits x_1 … x_n; the answer is their sum modulo 2.

    One bit of state suffices at any length. Delétang et al. report 100 % for RNN and LSTM at lengths 41 to 500.
    """

    defaults = (
        "model.hidden_size=64", "training.steps=3000", "training.batch_size=128", "training.log_every=100",
        "training.eval_every=500",
    )  # fmt: skip

    @property
    def symbols(self) -> int:
        """Zero and one."""
        return 2

    @property
    def answers(self) -> int:
        """Even or odd."""
        return 2

    def sample(self, key: Key, lengths: Lengths, longest: int) -> Batch:
        """Sequences of fair bits."""
        bits = jax.random.bernoulli(key, 0.5, (lengths.shape[0], longest)).astype(jnp.int32)
        return self._batch(bits, jnp.cumsum(bits, axis=1) % 2, lengths)


@register_task(
    "modular_arithmetic",
    title="value of a sum of products modulo 5",
    data="generated on the device",
    paper="protocol of Delétang et al. 2023, arXiv:2207.02098: train up to 40, test beyond",
)
@dataclasses.dataclass(frozen=True)
class ModularArithmetic(_StateTracking):
    """Digits below 5 alternate with the operators + − ×, as in ``2 + 3 × 4 − 1``; the answer is the value modulo 5.

    ``length`` counts digits and operators. An even length ends with an operator, which does not count. Multiplication
    comes before addition, so the state is a sum, a product and an operator.
    """

    @property
    def symbols(self) -> int:
        """Five digits and three operators."""
        return MODULUS + 3

    @property
    def answers(self) -> int:
        """The residues modulo 5."""
        return MODULUS

    def sample(self, key: Key, lengths: Lengths, longest: int) -> Batch:
        """Sequences of uniform digits and operators."""
        digits_key, operators_key = jax.random.split(key)
        shape = (lengths.shape[0], longest)
        digits = jax.random.randint(digits_key, shape, 0, MODULUS)
        operators = jax.random.randint(operators_key, shape, PLUS, TIMES + 1)
        symbols = jnp.where(jnp.arange(longest) % 2 == 0, digits, operators)
        return self._batch(symbols, value_so_far(symbols), lengths)


def value_so_far(symbols: TokenIds) -> Int[Array, "batch time"]:
    """The value modulo 5 of every prefix; an operator at its end does not count."""

    def read(state: tuple[Array, Array, Array], symbol: Array) -> tuple[tuple[Array, Array, Array], Array]:
        total, product, operator = state
        digit = symbol < MODULUS
        signed = jnp.where(operator == MINUS, -symbol, symbol)
        times = operator == TIMES
        # + and - add the product before them to the total, × continues it.
        total = jnp.where(digit & ~times, (total + product) % MODULUS, total)
        product = jnp.where(digit, jnp.where(times, product * symbol, signed) % MODULUS, product)
        state = (total, product, jnp.where(digit, operator, symbol))
        return state, (total + product) % MODULUS

    zero = jnp.zeros_like(symbols[:, 0])
    _, values = jax.lax.scan(read, (zero, zero, jnp.full_like(zero, PLUS)), symbols.T)
    return values.T
