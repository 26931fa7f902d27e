"""Update rules against their formulas, written out in NumPy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lstmlab.config.schema import OptimizerConfig, ScheduleConfig
from lstmlab.training.optimizer import make_optimizer

STEPS = 12
CONSTANT = ScheduleConfig()
RULES = {
    "adam": OptimizerConfig(name="adam", learning_rate=0.1, beta1=0.8, beta2=0.95, eps=1e-3),
    "adamw": OptimizerConfig(name="adamw", learning_rate=0.1, weight_decay=0.3),
    "rmsprop": OptimizerConfig(name="rmsprop", learning_rate=0.05, beta2=0.9, momentum=0.5, eps=1e-2),
    "sgd": OptimizerConfig(name="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.05),
}


def gradient(w):
    """Of ½ Σ (w − 1)² · (1, 10, 100): badly conditioned, so that every factor of a rule shows."""
    return (w - 1.0) * np.asarray([1.0, 10.0, 100.0])


def clipped(g, norm):
    size = np.sqrt(np.sum(g**2))
    return g * norm / size if norm and size > norm else g


def adam(w, g, slots, t, c):
    """Kingma & Ba 2015, algorithm 1."""
    m = slots["m"] = c.beta1 * slots.get("m", 0) + (1 - c.beta1) * g
    v = slots["v"] = c.beta2 * slots.get("v", 0) + (1 - c.beta2) * g**2
    m_hat, v_hat = m / (1 - c.beta1**t), v / (1 - c.beta2**t)
    return w - c.learning_rate * m_hat / (np.sqrt(v_hat) + c.eps)


def adamw(w, g, slots, t, c):
    """Loshchilov & Hutter 2019, algorithm 2: the decay does not pass through the moments."""
    return adam(w, g, slots, t, c) - c.learning_rate * c.weight_decay * w


def rmsprop(w, g, slots, t, c):
    """Tieleman & Hinton 2012, with momentum on the scaled gradient."""
    v = slots["v"] = c.beta2 * slots.get("v", 0) + (1 - c.beta2) * g**2
    b = slots["b"] = c.momentum * slots.get("b", 0) + g / (np.sqrt(v) + c.eps)
    return w - c.learning_rate * b


def sgd(w, g, slots, t, c):
    """Heavy ball, with decoupled decay."""
    b = slots["b"] = c.momentum * slots.get("b", 0) + g
    return w - c.learning_rate * (b + c.weight_decay * w)


def by_hand(config):
    rule = {"adam": adam, "adamw": adamw, "rmsprop": rmsprop, "sgd": sgd}[config.name]
    w, slots, path = np.asarray([3.0, -2.0, 0.5]), {}, []
    for t in range(1, STEPS + 1):
        w = rule(w, clipped(gradient(w), config.clip_norm), slots, t, config)
        path.append(w)
    return np.stack(path)


def by_optimizer(config, schedule=CONSTANT):
    # Two leaves: a norm that were taken leaf by leaf would clip differently.
    w = {"a": jnp.asarray([3.0, -2.0]), "b": jnp.asarray([0.5])}
    optimizer = make_optimizer(config, schedule, STEPS)
    slots, path = optimizer.init(w), []
    for _ in range(STEPS):
        whole = jnp.asarray(gradient(jnp.concatenate([w["a"], w["b"]])))
        updates, slots = optimizer.update({"a": whole[:2], "b": whole[2:]}, slots, w)
        w = optax.apply_updates(w, updates)
        path.append(np.concatenate([w["a"], w["b"]]))
    return np.stack(path)


@pytest.mark.parametrize("clip_norm", [0.0, 0.5, 1e6], ids=["no clipping", "clipped", "never reached"])
@pytest.mark.parametrize("name", RULES)
def test_the_rule_follows_its_formula(name, clip_norm):
    config = dataclasses.replace(RULES[name], clip_norm=clip_norm)
    if name == "sgd" and clip_norm != 0.5:
        # Without clipping, the stiff direction needs a smaller step.
        config = dataclasses.replace(config, learning_rate=0.001)
    np.testing.assert_allclose(by_optimizer(config), by_hand(config), rtol=2e-4, atol=1e-5)


def test_clipping_and_decay_change_what_they_should():
    base = dataclasses.replace(RULES["adamw"], clip_norm=0.0)
    path = by_optimizer(base)
    for change in ({"weight_decay": 0.0}, {"learning_rate": 0.2}, {"beta1": 0.5}, {"beta2": 0.9}):
        assert not np.allclose(by_optimizer(dataclasses.replace(base, **change)), path)
    sgd = dataclasses.replace(RULES["sgd"], learning_rate=0.001, clip_norm=0.0)
    assert not np.allclose(by_optimizer(dataclasses.replace(sgd, clip_norm=0.5)), by_optimizer(sgd))


def test_a_rule_ignores_what_it_does_not_use():
    adam = dataclasses.replace(RULES["adam"], clip_norm=0.0)
    unused = dataclasses.replace(adam, momentum=0.9, weight_decay=0.3)
    np.testing.assert_array_equal(by_optimizer(adam), by_optimizer(unused))


@pytest.mark.parametrize("name", RULES)
def test_traced_numbers_give_what_plain_ones_give(name):
    config = dataclasses.replace(RULES[name], clip_norm=0.5)

    @jax.jit
    def first_update(numbers):
        optimizer = make_optimizer(dataclasses.replace(config, **numbers), CONSTANT, STEPS)
        w = jnp.asarray([3.0, -2.0, 0.5])
        return optimizer.update(jnp.asarray(gradient(w)), optimizer.init(w), w)[0]

    numbers = {k: getattr(config, k) for k in ("learning_rate", "weight_decay", "momentum", "clip_norm")}
    np.testing.assert_allclose(first_update(numbers), by_hand(config)[0] - [3.0, -2.0, 0.5], rtol=1e-4)


def test_the_schedule_scales_the_step():
    config = OptimizerConfig(name="sgd", learning_rate=0.1, clip_norm=0.5)
    warm = by_optimizer(config, ScheduleConfig(warmup_steps=4))
    start = np.asarray([3.0, -2.0, 0.5])
    np.testing.assert_array_equal(warm[0], start)
    full = -0.1 * clipped(gradient(start), 0.5)
    np.testing.assert_allclose(warm[1] - start, full / 4, rtol=1e-3)
