"""The hidden size for a budget of parameters, so that different cells are compared at the same model size."""

from __future__ import annotations

import dataclasses

import jax

from lstmlab.arrays import count
from lstmlab.config import Config, ConfigError
from lstmlab.training import functions
from lstmlab.training.compiled import program_key

LARGEST, LARGEST_UNIT = 2**16, 64


def size_for_budget(config: Config) -> Config:
    """The configuration with ``model.hidden_size`` solved for ``model.parameter_budget``, if one is given.

    The model, with embedding and head, gets the largest hidden size whose parameters are within the budget; shapes are
    evaluated, nothing is computed. Raises ``ConfigError`` when the smallest hidden size is already too large.
    """
    budget = config.model.parameter_budget
    if not budget:
        return config
    known = _solved.get(key := program_key(with_hidden_size(config, 1)))
    if known is None:
        known = _solved[key] = _largest(config, budget)
    return with_hidden_size(config, known)


def with_hidden_size(config: Config, hidden_size: int) -> Config:
    """The configuration with another hidden size."""
    return dataclasses.replace(config, model=dataclasses.replace(config.model, hidden_size=hidden_size))


def parameters_of(config: Config) -> int:
    """Number of scalars in the model; raises ``ConfigError`` when the parts of the configuration do not fit."""
    try:
        model = jax.eval_shape(lambda: functions.init(config).model)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return count(model)


# By configuration, because all members of a sweep need the same one.
_solved: dict[str, int] = {}


def _largest(config: Config, budget: int) -> int:
    """Parameters grow with the hidden size: double it until it is too large, then halve the interval."""
    unit = _smallest(config)

    def fits(units: int) -> bool:
        return parameters_of(with_hidden_size(config, units * unit)) <= budget

    if not fits(1):
        needed = parameters_of(with_hidden_size(config, unit))
        raise ConfigError(
            f"model.parameter_budget is {budget}, but a hidden size of {unit} has {needed} parameters already"
        )
    low, high = 1, 2
    while high * unit <= LARGEST and fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    # The number of parameters falls where hidden and embedding size are equal: a tied head then needs no projection.
    equal, rest = divmod(config.model.embedding_size, unit)
    if config.model.tied_embeddings and not rest and equal > low and fits(equal):
        return equal * unit
    return low * unit


def _smallest(config: Config) -> int:
    """The smallest hidden size that the parts allow (heads and blocks must divide it); its multiples are allowed too.

    Raises ``ConfigError`` where the parts do not fit at any size.
    """
    for size in range(1, LARGEST_UNIT):
        try:
            parameters_of(with_hidden_size(config, size))
        except ConfigError:
            continue
        return size
    parameters_of(with_hidden_size(config, LARGEST_UNIT))
    return LARGEST_UNIT
