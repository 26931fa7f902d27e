"""Small anomaly tasks, and models that know nothing or everything."""

import jax.numpy as jnp
import numpy as np

from lstmlab.tasks.series.anomaly.dataset import load_ecg
from lstmlab.tasks.series.anomaly.task import Anomaly

ECG = load_ecg()


def task_on(series, **options) -> Anomaly:
    task = Anomaly(**{"context": 20, "steps": 10, "horizon": 2, **options})
    task.__dict__["labelled"] = series
    return task


def other_future(series, row):
    """The same up to a row, something else from it on."""
    rng = np.random.default_rng(0)
    values = series.values.copy()
    values[row:] = rng.normal(size=values[row:].shape)
    later = np.arange(len(values)) >= row
    return series._replace(values=values, labels=np.where(later, rng.random(len(values)) < 0.1, series.labels))


class Persistent:
    """Forecasts no change."""

    def __init__(self, task):
        self.task = task

    def predict(self, batch):
        return jnp.zeros((*batch.inputs.shape[:2], self.task.outputs.size))


class Clairvoyant(Persistent):
    """Knows the changes to come."""

    def predict(self, batch):
        known = batch.targets[..., 1:]
        unread = jnp.zeros((len(known), self.task.context - 1, known.shape[2]))
        return jnp.concatenate([unread, known], axis=1)
