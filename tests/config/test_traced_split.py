"""What is compiled in and what is passed in: the traced part and the static part of a configuration."""

import dataclasses

import numpy as np
import pytest

from lstmlab.config import compose, merge_traced, split_traced, switched_on, to_tree, traced_keys

# The traced keys as the design names them; a switch is off at the value given.
PLAIN = {"seed": 7, "optimizer.learning_rate": 0.5, "init.forget_bias": 3.0, "init.scale": 0.5}
SWITCHES = {
    "optimizer.weight_decay": 0.0, "optimizer.momentum": 0.0, "optimizer.clip_norm": 0.0, "dropout.input": 0.0,
    "dropout.layer": 0.0, "dropout.recurrent": 0.0, "dropout.input_noise": 0.0, "dropout.zoneout": 0.0,
    "dropout.candidate": 0.0, "dropout.weight": 0.0,
}  # fmt: skip


def with_value(key, value):
    return compose(["task=adding", f"{key}={value}"])


def close(a, b):
    """Equal trees; numbers to the precision of float32, in which they are passed in."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    return a == pytest.approx(float(b)) if isinstance(a, float) else a == b


def test_these_keys_are_traced():
    assert set(traced_keys()) == PLAIN.keys() | SWITCHES.keys()


@pytest.mark.parametrize(
    "overrides",
    [[], ["seed=4294967295", "optimizer=sgd"], [f"{k}=0" for k in SWITCHES], [f"{k}=0.25" for k in SWITCHES]],
    ids=["defaults", "sgd", "all switched off", "all switched on"],
)
def test_splitting_and_merging_gives_the_configuration_again(overrides):
    config = compose(["task=adding", *overrides])
    static, member = split_traced(config)
    merged = merge_traced(static, member)
    assert close(to_tree(config), to_tree(merged))
    assert merge_traced(config, {}) == config


@pytest.mark.parametrize("key", traced_keys())
def test_configurations_that_differ_in_a_traced_key_share_their_static_part(key):
    one, other = with_value(key, 1), with_value(key, "0.25" if key != "seed" else 2)
    (static, member), (static_too, member_too) = split_traced(one), split_traced(other)
    assert static == static_too
    assert {k for k in member if member[k] != member_too[k]} == {key}


@pytest.mark.parametrize("key", SWITCHES)
def test_a_key_at_its_off_value_is_static_and_its_mechanism_is_left_out(key):
    section, name = key.split(".")
    static, member = split_traced(with_value(key, 0))
    assert key not in member
    assert not switched_on(getattr(getattr(static, section), name))
    on, member_on = split_traced(with_value(key, 0.25))
    assert key in member_on
    assert on != static
    assert switched_on(getattr(getattr(on, section), name))


@pytest.mark.parametrize("override", ["model.hidden_size=9", "cell=gru", "schedule=cosine", "optimizer.beta1=0.8"])
def test_other_keys_are_compiled_in(override):
    static, member = split_traced(compose(["task=adding"]))
    changed, member_too = split_traced(compose(["task=adding", override]))
    assert changed != static
    assert member.keys() == member_too.keys()


def test_passed_in_values_have_one_type_each():
    config = compose(["task=adding"])
    # As a research script may write it: an integer where the schema says float.
    config = dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, learning_rate=1))
    _, member = split_traced(config)
    assert {k: v.dtype for k, v in member.items()} == {
        k: np.dtype("uint32" if k == "seed" else "float32") for k in member
    }
