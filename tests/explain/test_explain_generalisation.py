"""Metrics of parts of a batch, against those of the whole batch and of NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import small

from lstmlab.explain import hardest, metrics_by_position, metrics_by_sequence
from lstmlab.explain.generalisation import length_option, lengths_around, with_length
from lstmlab.tasks import Batch


def test_metrics_of_each_sequence_are_those_of_the_task():
    task = small("adding").task
    outputs, targets = jnp.array([[0.5], [1.0], [1.02]]), jnp.array([1.0, 1.0, 1.0])
    batch = Batch(jnp.zeros((3, 6, 2)), targets)
    found = metrics_by_sequence(outputs, batch, task)
    np.testing.assert_allclose(found["mse"], [0.25, 0, 0.0004], atol=1e-6)
    np.testing.assert_allclose(found["within_0.04"], [0, 1, 1])
    assert hardest(found["mse"], "min", 2).tolist() == [0, 2]
    assert hardest(found["within_0.04"], "max", 1).tolist() == [0]


def test_metrics_of_each_position_are_means_over_the_sequences_that_reach_it():
    task = small("copy_memory").task
    steps = task.delay + 20
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(4, steps, 10)), rng.integers(0, 10, (4, steps))
    batch = Batch(jnp.asarray(targets), jnp.asarray(targets))
    found = metrics_by_position(jnp.asarray(logits), batch, task)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    nats = -np.take_along_axis(logs, targets[..., None], -1)[..., 0].mean(axis=0)
    np.testing.assert_allclose(found["nats"], nats, rtol=1e-5)


def test_positions_that_nobody_reaches_have_no_metric():
    task = small("parity").task
    tokens = jnp.zeros((2, 5), int)
    answers = jnp.array([[0, 0, 0, -1, -1], [0, 0, -1, -1, -1]])
    batch = Batch(tokens, answers, lengths=jnp.array([3, 2]))
    (first, *_) = metrics_by_position(jnp.zeros((2, 5, task.outputs.size)), batch, task).values()
    assert np.isfinite(first[:3]).all() and np.isnan(first[3:]).all()


def test_generated_tasks_get_longer_and_others_refuse():
    task = small("parity").task
    assert length_option(task) == "test_length" and with_length(task, 12).test_length == 12
    assert length_option(small("copy_memory").task) == "delay"
    assert lengths_around(6) == [3, 6, 12, 24]
    with pytest.raises(ValueError, match="task tagging has no option for the length"):
        length_option(small("tagging").task)
