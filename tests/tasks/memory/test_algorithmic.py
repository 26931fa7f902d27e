"""Tasks with exact answers: the answers by plain Python, lengths, padding, and the curve of length extrapolation."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import quick_jit

from lstmlab.tasks import task_entry, task_names
from lstmlab.tasks.memory.algorithmic import IGNORED, Algorithmic
from lstmlab.tasks.task import mean

LENGTHS = [1, 2, 5, 8, 8]


def make(name, **options):
    return task_entry(name).cls(**options)


def rows(task, lengths, longest=8, seed=0):
    """Valid inputs and asked answers of each sequence, as lists."""
    batch = quick_jit(task.sample, static_argnums=2)(jax.random.key(seed), jnp.asarray(lengths), longest)
    for inputs, targets, length in zip(*map(np.asarray, (batch.inputs, batch.targets, batch.lengths)), strict=True):
        assert (targets[length:] == IGNORED).all()
        yield inputs[:length].tolist(), targets[:length].tolist()


def asked(targets):
    return [t for t in targets if t != IGNORED]


@pytest.mark.parametrize("ask", ["last", "every"])
def test_parity(ask):
    for (bits, targets), length in zip(rows(make("parity", ask=ask), LENGTHS), LENGTHS, strict=True):
        assert len(bits) == length
        sums = [sum(bits[: k + 1]) % 2 for k in range(length)]
        assert targets == (sums if ask == "every" else [IGNORED] * (length - 1) + sums[-1:])


def test_modular_arithmetic_is_what_python_computes():
    signs = {5: "+", 6: "-", 7: "*"}
    seen = set()
    for symbols, targets in rows(make("modular_arithmetic", ask="every"), [15] * 300, 15):
        text = "".join(signs.get(s, str(s)) for s in symbols)
        for k, target in enumerate(targets):
            assert target == eval(text[: k + 1].rstrip("+-*")) % 5, text[: k + 1]
        seen |= set(symbols)
    assert seen == set(range(8))


@pytest.mark.parametrize(("name", "answer"), [("reversal", lambda w: w[::-1]), ("bucket_sort", sorted)])
def test_rewriting(name, answer):
    task = make(name, alphabet=4)
    for (inputs, targets), n in zip(rows(task, LENGTHS), LENGTHS, strict=True):
        word = inputs[:n]
        assert set(word) <= set(range(4))
        assert inputs[n:] == [5] + [4] * n
        assert targets == [IGNORED] * (n + 1) + list(answer(word))


def test_selective_copy():
    task = make("selective_copy", recalled=3, length=8, test_length=8, alphabet=5)
    for (inputs, targets), n in zip(rows(task, [3, 5, 8]), [3, 5, 8], strict=True):
        word = [s for s in inputs[:n] if s < 5]
        assert len(word) == 3
        assert inputs[n:] == [6, 5, 5, 5]
        assert targets == [IGNORED] * (n + 1) + word
    places = np.concatenate([np.flatnonzero(np.array(i[:8]) < 5) for i, _ in rows(task, [8] * 200)])
    assert np.bincount(places, minlength=8).min() > 40


def test_associative_recall():
    task = make("associative_recall", keys=6, values=3, length=4, test_length=4)
    orders = set()
    for (inputs, targets), n in zip(rows(task, [1, 3, 4] * 20, 4), [1, 3, 4] * 20, strict=True):
        pairs = dict(zip(inputs[0 : 2 * n : 2], [v - 6 for v in inputs[1 : 2 * n : 2]], strict=True))
        assert len(pairs) == n
        assert sorted(inputs[2 * n :]) == sorted(pairs)
        assert targets == [IGNORED] * (2 * n) + [pairs[key] for key in inputs[2 * n :]]
        orders.add(tuple(np.argsort(np.argsort(inputs[2 * n :]))))
    assert len(orders) > 10


def test_temporal_order():
    task = make("temporal_order", relevant=3, length=12, test_length=12)
    classes = set()
    for inputs, targets in rows(task, [12] * 100, 12):
        places = [k for k, s in enumerate(inputs) if s >= 4]
        assert [p // 4 for p in places] == [0, 1, 2]
        order = sum((inputs[p] - 4) * 2**k for k, p in enumerate(places))
        assert targets == [IGNORED] * 11 + [order]
        classes.add(order)
    assert classes == set(range(8))


ALGORITHMIC = [name for name in task_names() if issubclass(task_entry(name).cls, Algorithmic)]
SMALL = {"selective_copy": {"recalled": 2}}


@pytest.mark.parametrize("name", ALGORITHMIC)
def test_training_takes_all_lengths_and_the_test_its_own(name):
    task = make(name, length=6, test_length=8, **SMALL.get(name, {}))
    train = quick_jit(task.train_batch, static_argnums=3)((), jax.random.key(0), 0, 200)
    test = quick_jit(task.eval_batch, static_argnums=(1, 3))((), "test", 0, 50)
    assert len(set(np.asarray(train.lengths).tolist())) == 6 - task.shortest + 1
    (only,) = set(np.asarray(test.lengths).tolist())
    assert only > max(np.asarray(train.lengths))


def test_metrics_by_hand():
    task = make("parity", ask="every", length=3, test_length=3)
    batch = task.sample(jax.random.key(0), jnp.asarray([3, 2]), 3)
    right = jax.nn.one_hot(jnp.maximum(batch.targets, 0), 2) * 4.0
    one_wrong = right.at[0, 1].set(-right[0, 1])
    found = {k: float(mean(v)) for k, v in task.metrics(one_wrong, batch).items()}
    assert found["accuracy"] == pytest.approx(4 / 5)
    assert found["sequence_accuracy"] == pytest.approx(1 / 2)
    sure, wrong = np.log(1 + np.exp(-4.0)), np.log(1 + np.exp(4.0))
    assert found["nats"] == pytest.approx((4 * sure + wrong) / 5, rel=1e-5)


class Counts:
    """Predicts parity rightly up to four symbols, and 'even' beyond."""

    def predict(self, batch):
        truth = jnp.where(batch.lengths[:, None] <= 4, batch.targets, 0)
        return jax.nn.one_hot(jnp.maximum(truth, 0), 2)


def test_the_curve_shows_where_the_algorithm_ends(tmp_path):
    task = make("parity", length=4, test_length=8)
    accuracies = task.accuracy_at(Counts(), np.array([1, 4, 5, 16]))
    assert accuracies[:2].tolist() == [1, 1]
    assert all(0.2 < a < 0.8 for a in accuracies[2:])
    (plot,) = task.plot(Counts())
    plot.draw(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("selective_copy", {"length": 4, "recalled": 5}, "task.length=4 is too short for selective_copy: at least 5"),
        ("associative_recall", {"length": 9, "keys": 8}, "task.length=9 pairs need as many keys"),
    ],
)
def test_lengths_that_cannot_be(name, options, message):
    with pytest.raises(ValueError, match=message):
        make(name, **options)


def test_multiplication_differs_from_adding_in_its_target_alone():
    add, multiply = make("adding", length=5), make("multiplication", length=5)
    one, other = (t.train_batch((), jax.random.key(1), jnp.asarray(0), 6) for t in (add, multiply))
    np.testing.assert_array_equal(one.inputs, other.inputs)
    for numbers, target in zip(np.asarray(one.inputs), np.asarray(other.targets), strict=True):
        marked = [n for n, mark in numbers if mark]
        assert target == pytest.approx(marked[0] * marked[1], rel=1e-6)
    grid = np.array([a * b for a, b in itertools.product((np.arange(200) + 0.5) / 200, repeat=2)])
    assert multiply.baselines()["constant 1/4"] == pytest.approx(np.var(grid), rel=1e-3)
