"""Copy memory: inputs, targets, and the loss of a model without memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.tasks.memory.copy_memory import BLANK, CATEGORIES, DELIMITER, CopyMemory
from lstmlab.tasks.task import mean


def some_batch(task, rows):
    return task.batch(jnp.asarray(np.random.default_rng(0).integers(0, 8, (rows, 10))))


def test_a_sequence_by_hand():
    symbols = jnp.arange(10)[None] % 8
    batch = CopyMemory(delay=3).batch(symbols)
    shown = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]
    assert batch.inputs[0].tolist() == [*shown, BLANK, BLANK, DELIMITER, *[BLANK] * 10]
    assert batch.targets[0].tolist() == [*[BLANK] * 13, *shown]


@pytest.mark.parametrize("delay", [1, 100])
def test_length_and_symbols(delay):
    task = CopyMemory(delay=delay)
    batch = task.train_batch((), jax.random.key(0), jnp.asarray(0), 500)
    assert batch.inputs.shape == batch.targets.shape == (500, delay + 20)
    np.testing.assert_array_equal(batch.inputs[:, :10], batch.targets[:, -10:])
    assert (batch.inputs == DELIMITER).sum(axis=1).tolist() == [1] * 500
    assert set(np.unique(batch.inputs[:, :10])) == set(range(8))


def test_the_memoryless_baseline_is_the_loss_of_the_memoryless_predictor():
    task = CopyMemory(delay=30)
    batch = some_batch(task, 20)
    logits = jnp.full((20, 50, CATEGORIES), -1e9)
    logits = logits.at[:, :40, BLANK].set(0.0).at[:, 40:, :8].set(0.0)
    assert task.loss(logits, batch) == pytest.approx(task.baselines()["memoryless"], rel=1e-5)
    assert CopyMemory(delay=1000).baselines()["memoryless"] == pytest.approx(0.0204, abs=5e-5)


def test_metrics_against_numpy():
    task = CopyMemory(delay=5)
    batch = some_batch(task, 4)
    outputs = np.random.default_rng(1).normal(size=(4, 25, CATEGORIES))
    metrics = task.metrics(jnp.asarray(outputs), batch)
    targets = np.asarray(batch.targets)
    p = np.exp(outputs) / np.exp(outputs).sum(-1, keepdims=True)
    nats = [-np.log(p[b, t, targets[b, t]]) for b in range(4) for t in range(25)]
    right = [outputs[b, t].argmax() == targets[b, t] for b in range(4) for t in range(15, 25)]
    assert mean(metrics["nats"]) == pytest.approx(np.mean(nats), rel=1e-5)
    assert mean(metrics["accuracy"]) == pytest.approx(np.mean(right), rel=1e-5)


def test_solved_follows_the_delay():
    for delay in (10, 1000):
        task = CopyMemory(delay=delay)
        assert task.solved == pytest.approx(np.log(8) / (delay + 20))
