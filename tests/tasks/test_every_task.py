"""What holds for every registered task, whatever it is."""

import dataclasses
import functools
import inspect
import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import quick_jit

from lstmlab.settings import settings_of
from lstmlab.tasks import Features, Pairs, Task, TimedSteps, Tokens, task_entry, task_names
from lstmlab.tasks.task import mean

BATCH = 6
SMALLER = {  # where the defaults would make these tests slow
    "moving_mnist": {"frame_size": 16, "digit_size": 10, "input_frames": 3, "target_frames": 2,
                     "eval_examples": 60},
    "sea_surface": {"window": 2, "horizon": 2, "patch": 18},
}  # fmt: skip

FREE_TEXT = {("anomaly", "series")}  # names of files: checked where they are read


class NoSkill:
    """A predictor of zeros."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def predict(self, batch):
        return jnp.zeros_like(some_outputs(self.task, batch))

    def decode(self, source, length, *, beam=1):
        return SimpleNamespace(tokens=np.zeros((len(source), 1, length), int), scores=np.zeros((len(source), 1)))


pytestmark = pytest.mark.parametrize("task", task_names(), indirect=True)


@pytest.fixture(scope="module")
def task(request) -> Task:
    return task_entry(request.param).cls(**SMALLER.get(request.param, {}))


@functools.cache
def compiled(task: Task, method: str, *static: int):
    """The jit-compiled method, once for all tests."""
    return quick_jit(getattr(task, method), static_argnums=static)


def train(task, seed=0, step=0):
    draw = compiled(task, "train_batch", 3)
    return jax.device_get(draw(task.data()["train"], jax.random.key(seed), step, BATCH))


def evaluation(task, split="test", index=0):
    draw = compiled(task, "eval_batch", 1, 3)
    return jax.device_get(draw(task.data()[split], split, index, BATCH))


def some_outputs(task, batch, seed=1):
    read = batch.inputs.target if isinstance(task.inputs, Pairs) else values_of(batch)
    time = () if task.readout == "last" else (read.shape[1],)
    shape = (len(read), *time, *task.outputs.spatial, task.outputs.size)
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def values_of(batch):
    """The inputs without the times of their steps, whose shape is checked."""
    if not isinstance(batch.inputs, TimedSteps):
        return batch.inputs
    assert batch.inputs.times.shape == batch.inputs.values.shape[:2]
    assert jnp.isfinite(batch.inputs.times).all()
    return batch.inputs.values


def assert_same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def differ(a, b) -> bool:
    pairs = zip(jax.tree.leaves(a[:2]), jax.tree.leaves(b[:2]), strict=True)
    return any(not np.array_equal(x, y) for x, y in pairs)


def test_inputs_are_what_the_task_declares(task):
    for batch in (train(task), evaluation(task, "validation"), evaluation(task)):
        if isinstance(task.inputs, Pairs):
            for name, tokens in batch.inputs._asdict().items():
                assert tokens.shape[0] == BATCH
                assert jnp.issubdtype(tokens.dtype, jnp.integer)
                assert 0 <= tokens.min() <= tokens.max() < getattr(task.inputs, name)
            assert len(batch.targets) == BATCH
            continue
        inputs = values_of(batch)
        rows, time = inputs.shape[:2]
        assert rows == BATCH
        assert len(batch.targets) == BATCH
        if isinstance(task.inputs, Tokens):
            assert inputs.ndim == 2
            assert jnp.issubdtype(inputs.dtype, jnp.integer)
            assert inputs.min() >= 0
            assert inputs.max() < task.inputs.size
        else:
            assert isinstance(task.inputs, Features)
            assert inputs.shape[2:] == (*task.inputs.spatial, task.inputs.size)
            assert inputs.dtype == jnp.float32
            assert np.isfinite(inputs).all()
        if batch.weights is not None:
            assert batch.weights.shape == (BATCH,)
        if batch.lengths is not None:
            assert batch.lengths.shape == (BATCH,)
            assert batch.lengths.min() >= 0
            assert batch.lengths.max() <= time
        if batch.resets is not None:
            assert batch.resets.shape == (BATCH, time)
            assert batch.resets.dtype == bool


def test_training_batches_depend_on_key_and_step_alone(task):
    assert_same(train(task, seed=3, step=2), train(task, seed=3, step=2))
    assert differ(train(task, seed=3, step=2), train(task, seed=4, step=3))


def test_evaluation_batches_are_always_the_same_and_splits_differ(task):
    assert_same(evaluation(task), evaluation(task))
    assert differ(evaluation(task), evaluation(task, "validation"))
    assert differ(evaluation(task), evaluation(task, index=1))


def test_the_last_batch_of_a_split_is_not_empty(task):
    for split in ("validation", "test"):
        last = evaluation(task, split, task.eval_batches(split, BATCH) - 1)
        total, weight = compiled(task, "metrics")(some_outputs(task, last), last)[task.metric]
        assert weight > 0
        assert total > 0 or task.goal == "max"  # nothing may be right by chance


def test_loss_is_a_finite_number_with_gradients(task):
    batch = train(task)
    value_and_gradients = quick_jit(jax.value_and_grad(task.loss))
    for scale in np.float32([1, 1e4]):  # outputs may become extreme, but not break the loss
        loss, gradients = value_and_gradients(scale * some_outputs(task, batch), batch)
        assert loss.shape == ()
        assert np.isfinite(loss)
        assert np.isfinite(gradients).all()
        assert np.abs(gradients).max() > 0


def test_metrics_are_totals_and_weights_and_hold_the_metric(task):
    batch = evaluation(task)
    metrics = compiled(task, "metrics")(some_outputs(task, batch), batch)
    assert task.metric in metrics
    for total, weight in metrics.values():
        assert total.shape == weight.shape == ()
        assert np.isfinite(total)
        assert weight > 0


def test_rows_without_weight_count_for_nothing(task):
    batch = evaluation(task)._replace(weights=np.float32([1.0] * 4 + [0.0] * 2))
    outputs = some_outputs(task, batch)
    spoilt = outputs.copy()
    spoilt[4:] = 7.0
    head = jax.tree.map(lambda a: a[:4], batch)
    metrics, loss = compiled(task, "metrics"), compiled(task, "loss")
    expected = metrics(outputs[:4], head)
    for name, pair in metrics(spoilt, batch).items():
        np.testing.assert_allclose(pair, expected[name], rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(loss(spoilt, batch), loss(outputs[:4], head), rtol=1e-5)


def test_baselines_come_best_first_and_above_what_counts_as_solved(task):
    values = list(task.baselines().values())
    assert values
    assert all(math.isfinite(value) for value in values)
    assert values == sorted(values, reverse=task.goal == "max")
    assert task.baselines() == task.baselines()
    if task.solved is not None:
        assert task.solved < values[0] if task.goal == "min" else task.solved > values[0]
    # Without one a comparison over tasks could not tell whether the perfect value was meant.
    assert task.reference_value is not None
    assert task.reference_value < values[0] if task.goal == "min" else task.reference_value > values[0]
    batch = evaluation(task)
    metrics = compiled(task, "metrics")(some_outputs(task, batch), batch)
    means = {name: mean(pair) for name, pair in metrics.items()}
    final = task.other_baselines().keys() - means.keys() - task.derived(means).keys()
    assert not final or final <= task.final_metrics(NoSkill(task)).keys()


def test_options_explain_themselves(task):
    for key, option in settings_of(type(task)).items():
        assert option.help, key
        choices, minimum = option.choices, option.minimum
        bounded = choices or minimum is not None or (task.name, key) in FREE_TEXT
        assert bounded, f"task.{key} has neither range nor choices"
        assert not choices or option.default in choices
        assert minimum is None or option.default >= minimum
    assert inspect.getdoc(type(task)) != inspect.getdoc(Task)


def test_tasks_are_values(task):
    twin = dataclasses.replace(task)
    assert twin == task
    assert hash(twin) == hash(task)
