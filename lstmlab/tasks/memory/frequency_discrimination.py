"""Which of two ranges the period of a sine wave lies in, from samples that need not be equally far apart."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lstmlab.arrays import Key, Scalar, Step
from lstmlab.settings import setting
from lstmlab.tasks.batching import Generated
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import TimedSteps
from lstmlab.tasks.task import Batch, Features, Metrics, Split, cross_entropy, mean, weighted

LOW, HIGH = 5.0, 6.0
"""the range of the target class, ms"""
SHORTEST, LONGEST = 1.0, 100.0
"""the shortest and the longest period of the other class, ms"""
DURATIONS = (15.0, 125.0)
SAMPLINGS = {"regular": 1.0, "dense": 0.1, "random": 1.0}
"""mean time between samples, ms"""
_GRID = (40, 50)
"""frequencies of the fitted sine waves: this many times that many"""


@register_task(
    "frequency_discrimination",
    title="whether a sine wave has a period of 5 to 6 ms, from samples with time stamps",
    data="generated on the device",
    paper="Neil, Pfeiffer & Liu 2016 (phased LSTM), arXiv:1610.09513, section 4.1",
    published="curves of the accuracy over epochs only",
)
@dataclasses.dataclass(frozen=True)
class FrequencyDiscrimination(Generated):
    """A sine wave of unknown phase is sampled for 15 to 125 ms; is its period between 5 and 6 ms?

    Half of the sequences are of this class; the periods of the others are uniform in 1–5 or 6–100 ms, each range in
    half of them. Durations are uniform, and so is the beginning within the 125 ms. Samples are 1 ms apart
    (``regular``), 0.1 ms (``dense``), or at as many random times as with 1 ms (``random``).

    A step has the sample, the time since the sample before and the time itself, both divided by 100 ms, so that every
    cell can read them; a cell with a clock, such as ``phased_lstm``, is told the time in ms as well.

    ``best sine`` of the baselines fits a sine wave by least squares for each of many periods and looks whether the best
    one is between 5 and 6 ms: it knows what the network has to find out.
    """

    sampling: str = setting("random", "times of the samples", choices=tuple(SAMPLINGS))
    eval_examples: int = setting(1000, "sequences in the validation split and in the test split", minimum=1)

    metric = "accuracy"
    goal = "max"
    reference_value = 1.0  # the perfect one
    readout = "last"
    defaults = (
        "model.hidden_size=110", "training.steps=3000", "training.batch_size=32", "training.log_every=50",
        "training.eval_every=250", "training.eval_batch_size=250",
    )  # fmt: skip

    @property
    def inputs(self) -> Features:
        """Sample, time since the one before, time."""
        return Features(3)

    @property
    def outputs(self) -> Features:
        """Logits of the classes."""
        return Features(2)

    @property
    def most(self) -> int:
        """Samples of the longest sequence."""
        return round(DURATIONS[1] / SAMPLINGS[self.sampling])

    def train_batch(self, data: object, key: Key, step: Step, batch_size: int) -> Batch:
        """New sequences at every step."""
        return self.sample(key, batch_size)

    def draw(self, data: object, split: Split, key: Key) -> Batch:
        """One sequence, drawn as in training."""
        return self.sample(key, 1)

    def sample(self, key: Key, batch_size: int) -> Batch:
        """Random sequences: values ``[batch, most, 3]`` and times ``[batch, most]``, 0 after a sequence's end."""
        keys = jax.random.split(key, 6)
        shape, step = (batch_size,), SAMPLINGS[self.sampling]
        classes = jax.random.bernoulli(keys[0], 0.5, shape)
        period = jnp.where(classes, jax.random.uniform(keys[1], shape, minval=LOW, maxval=HIGH), _other(keys[2], shape))
        duration = jax.random.uniform(keys[3], shape, minval=DURATIONS[0], maxval=DURATIONS[1])
        start, phase = jax.random.uniform(keys[4], (2, *shape))
        lengths = jnp.floor(duration / step).astype(jnp.int32)
        valid = jnp.arange(self.most) < lengths[:, None]
        elapsed = jnp.broadcast_to(step * jnp.arange(self.most), valid.shape)
        if self.sampling == "random":
            uniform = duration[:, None] * jax.random.uniform(keys[5], valid.shape)
            elapsed = jnp.sort(jnp.where(valid, uniform, jnp.inf), axis=1)
        times = jnp.where(valid, (start * (DURATIONS[1] - duration))[:, None] + elapsed, 0.0)
        wave = jnp.where(valid, jnp.sin(2 * jnp.pi * (times / period[:, None] + phase[:, None])), 0.0)
        since = jnp.where(valid, jnp.diff(times, axis=1, prepend=times[:, :1]), 0.0)
        values = jnp.stack([wave, since / LONGEST, times / LONGEST], axis=-1)
        return Batch(TimedSteps(values, times), classes.astype(jnp.int32), lengths=lengths)

    def loss(self, outputs: Float[Array, "batch 2"], batch: Batch) -> Scalar:
        """Mean cross-entropy, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch 2"], batch: Batch) -> Metrics:
        """Accuracy, and cross-entropy in nats."""
        right = (jnp.argmax(outputs, axis=-1) == batch.targets).astype(jnp.float32)
        return {"accuracy": weighted(right, batch), "nats": weighted(cross_entropy(outputs, batch.targets), batch)}

    def baselines(self) -> dict[str, float]:
        """The fitted sine wave, and either class for all."""
        batch = jax.jit(self.eval_batch, static_argnums=(1, 3))((), "test", 0, self.eval_examples)
        truth = np.asarray(batch.targets) == 1
        # Samples that are equally far apart say nothing of frequencies above half of theirs.
        highest = 1 / SHORTEST if self.sampling == "random" else min(1 / SHORTEST, 0.5 / SAMPLINGS[self.sampling])
        waves, times = np.asarray(batch.inputs.values)[..., 0], np.asarray(batch.inputs.times)
        found = best_periods(waves, times, batch.lengths, highest)
        share, right = float(truth.mean()), ((found >= LOW) & (found <= HIGH)) == truth
        return {"best sine": float(np.mean(right)), "one class": max(share, 1 - share)}


def _other(key: Key, shape: tuple[int, ...]) -> Float[Array, " batch"]:
    """Periods outside of the target's range, ms."""
    side, place = jax.random.split(key)
    u = jax.random.uniform(place, shape)
    below, above = SHORTEST + (LOW - SHORTEST) * u, HIGH + (LONGEST - HIGH) * u
    return jnp.where(jax.random.bernoulli(side, 0.5, shape), below, above)


def best_periods(
    values: Float[np.ndarray, "rows time"], times: Float[np.ndarray, "rows time"], lengths: Array, highest: float
) -> Float[np.ndarray, " rows"]:
    """The period of each row's best-fitting sine wave, ms: on a grid of frequencies up to ``highest``, the one
    whose a sin + b cos leaves the least squared error.
    """
    coarse, fine = _GRID
    frequencies = np.linspace(1 / LONGEST, highest, coarse * fine)
    # e^(iωt) of frequency fine·a + b of the grid is a product, so that sums over t are products of matrices.
    steps = 2j * np.pi * (frequencies[:fine] - frequencies[0]), 2j * np.pi * frequencies[::fine]
    found = np.empty(len(values))
    for row, length in enumerate(np.asarray(lengths)):
        y, t = values[row, :length], times[row, :length].astype(float)
        within, between = (np.exp(each[:, None] * t) for each in steps)
        projected, squared = ((between * y) @ within.T).ravel(), (between**2 @ (within**2).T).ravel()
        yc, ys = np.real(projected), np.imag(projected)
        cc, ss, sc = (length + np.real(squared)) / 2, (length - np.real(squared)) / 2, np.imag(squared) / 2
        explained = (cc * ys**2 - 2 * sc * ys * yc + ss * yc**2) / np.maximum(ss * cc - sc**2, 1e-6)
        found[row] = 1 / frequencies[np.argmax(explained)]
    return found
