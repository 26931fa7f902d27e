"""What is drawn for evaluation: the same sequences whatever the batch size, and nothing about one part from another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import quick_jit
from small_runs import small

from lstmlab.tasks import task_entry, task_names
from lstmlab.tasks.batching import Generated
from lstmlab.tasks.memory.temporal_order import DISTRACTORS, TemporalOrder


@pytest.mark.parametrize("name", [n for n in task_names() if issubclass(task_entry(n).cls, Generated)])
def test_a_split_is_the_same_at_any_batch_size(name):
    task = small(name).task
    data, count = task.data(), task.eval_examples
    draw = quick_jit(task.eval_batch, static_argnums=(1, 3))
    for split in ("validation", "test"):
        split_data = data[split] if data else ()
        parts = [draw(split_data, split, i, 3) for i in range(task.eval_batches(split, 3))]
        parts = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
        np.testing.assert_array_equal(parts.weights, np.arange(len(parts.weights)) < count)
        whole = draw(split_data, split, 0, count)
        jax.tree.map(np.testing.assert_array_equal, jax.tree.map(lambda a: a[:count], parts), whole)


def test_the_place_of_a_symbol_tells_nothing_of_the_length():
    # Drawn from one key, both would be remainders of the same number: by 11 lengths, and by the 55 places of a half.
    task = TemporalOrder(eval_examples=4000)
    batch = jax.jit(task.eval_batch, static_argnums=(1, 3))((), "validation", 0, 4000)
    first = np.argmax(np.asarray(batch.inputs) >= DISTRACTORS, axis=1)
    assert len(np.unique(first[np.asarray(batch.lengths) == 110])) > 50


def test_the_length_of_the_test_does_not_change_training():
    shown = [TemporalOrder(test_length=n).train_batch((), jax.random.key(0), jnp.asarray(0), 50) for n in (50, 220)]
    np.testing.assert_array_equal(shown[0].lengths, shown[1].lengths)
