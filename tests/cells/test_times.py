"""Time stamps reach the clock of a cell, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.special import expit as sigmoid

from lstmlab.cells import make_cell
from lstmlab.models import SequenceModel
from lstmlab.recurrence import unroll
from lstmlab.tasks import Features, TimedSteps
from lstmlab.tasks.memory.frequency_discrimination import FrequencyDiscrimination

TIME, BATCH = 7, 2
PEEPHOLES = ("input_peephole", "forget_peephole", "output_peephole")
TIMES = np.cumsum(np.random.default_rng(0).uniform(0.1, 3.0, (TIME, BATCH)), axis=0).astype("float32")
XS = np.random.default_rng(1).normal(size=(TIME, BATCH, 3)).astype("float32")


def phased():
    """With peepholes that are not zero."""
    options = {"period_min": 2.0, "period_max": 9.0, "open_ratio": 0.4, "leak": 0.1}
    cell = make_cell("phased_lstm", 3, 4, key=jax.random.key(0), **options)
    for number, name in enumerate(PEEPHOLES):
        setattr(cell, name, nnx.Param(jax.random.normal(jax.random.key(number), (4,))))
    return cell


def by_hand(cell, times):
    """Equations 2 to 10 of Neil et al. 2016 in float64, step by step; the output gate sees the proposed memory."""
    w, u, b = (np.asarray(a, np.float64) for a in (cell.input.kernel, cell.recurrent.kernel, cell.input.bias))
    tau, shift = np.exp(np.asarray(cell.log_period, np.float64)), np.asarray(cell.shift, np.float64)
    p_i, p_f, p_o = (np.asarray(getattr(cell, name), np.float64) for name in PEEPHOLES)
    h = c = np.zeros((BATCH, 4))
    outputs = []
    for x, t in zip(XS, times, strict=True):
        parts = dict(zip(cell.gates, np.split(x @ w + b + h @ u, 4, axis=1), strict=True))
        i = sigmoid(parts["input"] + p_i * c)
        f = sigmoid(parts["forget"] + p_f * c)
        proposed = f * c + i * np.tanh(parts["candidate"])
        o = sigmoid(parts["output"] + p_o * proposed)
        phase = np.mod(t[:, None] - shift, tau) / tau
        k = np.where(phase < 0.2, 2 * phase / 0.4, np.where(phase < 0.4, 2 - 2 * phase / 0.4, 0.1 * phase))
        h, c = k * o * np.tanh(proposed) + (1 - k) * h, k * proposed + (1 - k) * c
        outputs.append(h)
    return np.stack(outputs)


@pytest.mark.parametrize("backend", ["scan", "fused"])
def test_the_phased_lstm_follows_its_equations_at_real_times(backend):
    cell = phased()
    found = unroll(cell, XS, times=TIMES, backend=backend)
    np.testing.assert_allclose(found.outputs, by_hand(cell, TIMES), rtol=1e-4, atol=1e-5)
    assert not np.allclose(found.outputs, unroll(cell, XS, backend=backend).outputs, atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"lengths": [7, 4]}])
def test_times_that_count_steps_change_nothing(options):
    cell = phased()
    counted = np.broadcast_to(np.arange(TIME, dtype="float32")[:, None], (TIME, BATCH))
    if options.get("reverse"):
        counted = counted[::-1]
    found, expected = unroll(cell, XS, times=counted, **options), unroll(cell, XS, **options)
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=1e-6)


def test_a_cell_without_a_clock_leaves_times_aside():
    cell = make_cell("gru", 3, 4, key=jax.random.key(0))
    np.testing.assert_array_equal(unroll(cell, XS, times=TIMES).outputs, unroll(cell, XS).outputs)


def test_wrong_times_are_refused():
    with pytest.raises(ValueError, match=r"times has shape \(2, 7\), but must be \(7, 2\)"):
        unroll(phased(), XS, times=TIMES.T)
    with pytest.raises(TypeError, match="times"):
        unroll(phased(), XS, times=TIMES.astype(complex))


def test_a_model_hands_times_to_every_layer():
    model = SequenceModel("phased_lstm", Features(3), Features(2), key=jax.random.key(0), hidden_size=4, layers=2)
    values = jnp.swapaxes(jnp.asarray(XS), 0, 1)
    found = model(TimedSteps(values, jnp.asarray(TIMES.T)))
    xs = jnp.asarray(XS)
    for layer in model.layers:
        xs = unroll(layer.forward, xs, times=TIMES).outputs
    np.testing.assert_allclose(found.outputs, jnp.swapaxes(model.head(xs), 0, 1), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="times has shape"):
        model(TimedSteps(values, jnp.asarray(TIMES)))


@pytest.mark.parametrize("sampling", ["regular", "random"])
def test_waves_are_sines_of_the_period_of_their_class_at_their_times(sampling):
    task = FrequencyDiscrimination(sampling=sampling, eval_examples=200)
    batch = task.sample(jax.random.key(1), 64)
    values, times = (np.asarray(a, np.float64) for a in batch.inputs)
    for row, length in enumerate(np.asarray(batch.lengths)):
        t, y = times[row, :length], values[row, :length, 0]
        assert 15 <= length <= 125
        assert (values[row, length:] == 0).all()
        steps = np.diff(t)
        assert (steps >= 0).all()
        assert np.allclose(steps, 1, atol=1e-4) == (sampling == "regular")
        assert 0 <= t[0] <= t[-1] <= 125.001
        np.testing.assert_allclose(values[row, 1:length, 1], steps / 100, atol=1e-6)
        assert np.abs(y).max() <= 1
    baselines = task.baselines()
    assert baselines["best sine"] > 0.9 > 0.6 > baselines["one class"]
