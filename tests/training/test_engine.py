"""A run as pure functions: the same seed gives the same bits, and members share one program."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import OneBatch, small

from lstmlab.config import merge_traced, split_traced
from lstmlab.training import functions

STEPS = 3


class Programs:
    """The compiled functions of one static configuration; ``traced`` counts how often each was traced."""

    def __init__(self, static):
        self.static, self.traced = static, []
        self.data = jax.device_put(static.task.data())
        self.init = jax.jit(self.counted("init"))
        self.advance = jax.jit(functools.partial(self.counted("advance"), data=self.data["train"], steps=STEPS))
        self.validate = jax.jit(functools.partial(self.counted("validate"), data=self.data["validation"]))

    def counted(self, name):
        def call(member, *args, **kwargs):
            self.traced.append(name)
            return getattr(functions, name)(merge_traced(self.static, member), *args, **kwargs)

        return call

    def run(self, member, calls=2):
        """The state and the losses after some compiled calls."""
        state, losses = self.init(member), []
        for _ in range(calls):
            state, log = self.advance(member, state)
            losses.append(log.loss)
        state, _ = self.validate(member, state)
        return state, np.concatenate(losses)


BASE = ["dropout.layer=0.2", "dropout.recurrent=0.1", "optimizer=adamw", "init.forget_bias=1"]
CHANGES = [
    "seed=1", "optimizer.learning_rate=0.02", "optimizer.weight_decay=0.5", "optimizer.clip_norm=0.01",
    "dropout.layer=0.5", "dropout.recurrent=0.5", "init.forget_bias=-1", "init.scale=0.5",
]  # fmt: skip


@pytest.fixture(scope="module")
def programs():
    static, _ = split_traced(small("adding", *BASE))
    return Programs(static)


def member_of(*overrides):
    return split_traced(small("adding", *BASE, *overrides))[1]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def test_the_same_seed_gives_the_same_bits(programs):
    (state, losses), (again, losses_again) = programs.run(member_of()), programs.run(member_of())
    assert same(state, again)
    assert np.array_equal(losses, losses_again)
    assert int(state.step) == 2 * STEPS


@pytest.mark.parametrize("change", CHANGES)
def test_every_traced_value_changes_the_run(programs, change):
    _, losses = programs.run(member_of())
    _, other = programs.run(member_of(change))
    assert not np.array_equal(losses, other)


def test_traced_values_do_not_trace_or_compile_again(programs):
    for change in CHANGES:
        programs.run(member_of(change))
    assert sorted(programs.traced) == ["advance", "init", "validate"]
    assert programs.advance._cache_size() == 1


def test_seeds_reach_parameters_batches_and_masks(programs):
    member, other = member_of(), member_of("seed=1")
    assert not same(programs.init(member).model, programs.init(other).model)
    # From the same parameters: other batches and masks, so another loss at once.
    start = programs.init(member)
    _, log = programs.advance(member, start)
    _, log_other = programs.advance(other, start)
    assert log.loss[0] != log_other.loss[0]


@pytest.mark.parametrize("what", ["batches", "masks"])
def test_batches_and_masks_are_drawn_anew_at_every_step_and_for_every_seed(what):
    # Parameters stay as they are, so that only batches, or with a single batch only masks, change the loss.
    rate = 0.5 if what == "masks" else 0.0
    static, member = split_traced(small("adding", f"dropout.layer={rate}", "optimizer.learning_rate=0"))
    if what == "masks":
        static = dataclasses.replace(static, task=OneBatch(static.task))
    start = jax.jit(lambda member: functions.init(merge_traced(static, member)))(member)
    advance = jax.jit(lambda member: functions.advance(merge_traced(static, member), start, (), STEPS)[1].loss)
    losses = [*advance(member), *advance(member | {"seed": np.uint32(1)})]
    assert len(set(map(float, losses))) == 2 * STEPS


def test_calls_of_any_length_give_the_same_run(programs):
    member = member_of()
    state = programs.init(member)
    one_by_one = jax.jit(
        lambda member, state: functions.advance(
            merge_traced(programs.static, member), state, programs.data["train"], steps=1
        )
    )
    losses = []
    for _ in range(2 * STEPS):
        state, log = one_by_one(member, state)
        losses.append(float(log.loss[0]))
    _, expected = programs.run(member)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_members_mapped_together_equal_single_runs(programs):
    members = [member_of("seed=3"), member_of("seed=4", "optimizer.learning_rate=0.02"), member_of("dropout.layer=0.5")]
    stacked = jax.tree.map(lambda *values: jnp.stack(values), *members)
    static, data = programs.static, programs.data

    @jax.jit
    @jax.vmap
    def together(member):
        config = merge_traced(static, member)
        state, log = functions.advance(config, functions.init(config), data["train"], STEPS)
        state, metrics = functions.validate(config, state, data["validation"])
        return state, log.loss, metrics

    states, losses, metrics = together(stacked)
    for index, member in enumerate(members):
        state, alone = programs.run(member, calls=1)
        np.testing.assert_allclose(losses[index], alone, rtol=1e-4)
        np.testing.assert_allclose(metrics["mse"][index], state.best_metric, rtol=1e-4)
        for a, b in zip(jax.tree.leaves(states.model), jax.tree.leaves(state.model), strict=True):
            np.testing.assert_allclose(a[index], b, rtol=1e-3, atol=1e-4)


def test_the_best_model_is_kept(programs):
    member = member_of()
    first, metrics = programs.validate(member, programs.init(member))
    assert same(first.best_model, first.model)
    assert float(first.best_metric) == float(metrics["mse"])
    # Weights a hundred times too large predict worse; the step shows whose model is kept.
    worse = first._replace(model=jax.tree.map(lambda w: 100 * w + 1, first.model), step=first.step + 5)
    second, metrics = programs.validate(member, worse)
    assert float(metrics["mse"]) > float(first.best_metric)
    assert same(second.best_model, first.model)
    assert int(second.best_step) == 0
    # And the better one again, at a later step: equal is not better.
    third, _ = programs.validate(member, second._replace(model=first.model, step=first.step + 9))
    assert int(third.best_step) == 0


def test_a_model_without_a_finite_metric_is_never_the_best(programs):
    member = member_of()
    state = programs.init(member)
    broken = state._replace(model=jax.tree.map(lambda w: w * jnp.nan, state.model), step=state.step + 5)
    after, metrics = programs.validate(member, broken)
    assert np.isnan(metrics["mse"])
    assert same(after.best_model, state.model)
    assert int(after.best_step) == 0
