"""What classes of recordings have in common: frames of features of different lengths, one class for each recording."""

from __future__ import annotations

import abc
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from lstmlab.plots.confusion import confusion
from lstmlab.settings import setting
from lstmlab.tasks.batching import ClassificationTask, accuracies, take
from lstmlab.tasks.speech.recordings import Utterances
from lstmlab.tasks.speech.warps import mask, slopes, warp
from lstmlab.tasks.task import Batch, Features, Plot, Predictor, Split

SHOWN_ROWS = 256  # recordings that are named at once for the confusion matrix


def normalise_field(default: str) -> Any:
    """The option ``normalise`` with another default."""
    choices = ("recording", "level", "training", "none")
    return setting(default, "over what the features get mean 0 and variance 1", choices=choices)


@dataclasses.dataclass(frozen=True)
class UtteranceTask(ClassificationTask):
    """One class per recording; metrics are the accuracy and the cross-entropy (nats).

    **Normalisation** of the features, over the valid frames alone: ``recording`` gives each of them mean 0 and variance
    1 in every recording (cepstral mean and variance normalisation: what a microphone and a voice add to all frames
    goes); ``level`` gives each of them mean 0 and all of them together variance 1, so that a feature that hardly moves
    stays small and is not blown up to noise; ``training`` takes mean and variance from the training split; ``none``
    leaves them.

    **Warps**: in training, recordings are slowed down or sped up by a factor 1 ± ``warp_time``, and their features, as
    bands of rising frequency, are read at places stretched by 1 ± ``warp_bands``, as by a vocal tract of another length
    (Jaitly & Hinton 2013, ICML workshop on deep learning for audio).

    **Masks** (SpecAugment, Park et al. 2019, arXiv:1904.08779): in training, up to ``mask_frames`` neighbouring frames
    and ``mask_bands`` neighbouring features of each recording are set to 0, their mean, drawn anew for every batch.

    **Deltas** (Furui 1986): beside each feature its slope, d_t = Σ_k k (x_{t+k} − x_{t−k}) / (2 Σ_k k²), k = 1, 2, and
    twice the slope of that slope, both 0 beyond the ends; they follow the masks.
    """

    normalise: str = normalise_field("recording")
    warp_time: float = setting(0.0, "speed of a recording in training: 1 ± up to this", minimum=0.0)
    warp_bands: float = setting(0.0, "scale of its frequency axis in training: 1 ± up to this", minimum=0.0)
    mask_frames: int = setting(0, "most neighbouring frames that are masked in training", minimum=0)
    mask_bands: int = setting(0, "most neighbouring features that are masked in training", minimum=0)
    deltas: bool = setting(
        False, "read the slopes of the features, and slopes of slopes, as well", choices=(False, True)
    )

    def __post_init__(self) -> None:
        """Refuse warps that would turn a recording round; raises ``ValueError``."""
        for name in ("warp_time", "warp_bands"):
            if getattr(self, name) >= 1:
                raise ValueError(f"task.{name} is {getattr(self, name)}, but must be below 1")

    @property
    @abc.abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""

    @property
    @abc.abstractmethod
    def utterances(self) -> Mapping[str, Utterances]:
        """The recordings of each split."""

    @property
    def inputs(self) -> Features:
        """The features of a frame."""
        return Features(self.utterances["train"].frames.shape[2] * (3 if self.deltas else 1))

    @property
    def outputs(self) -> Features:
        """One logit per class."""
        return Features(len(self.classes))

    @functools.cached_property
    def _scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of every feature over the valid frames of the training split."""
        frames, lengths, _ = self.utterances["train"]
        valid = frames[np.arange(frames.shape[1]) < lengths[:, None]].astype(np.float64)
        return valid.mean(axis=0).astype(np.float32), (valid.std(axis=0) + 1e-6).astype(np.float32)

    def data(self) -> Mapping[str, Any]:
        """Per split ``frames [recordings, longest, features]``, ``lengths`` and ``labels``."""
        return {split: utterances._asdict() for split, utterances in self.utterances.items()}

    def train_batch(self, data: Any, key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
        """Recordings drawn at random, warped and masked where that is switched on."""
        drawn, *keys = jax.random.split(key, 5)
        rows = take(data, self.draw(drawn, batch_size))
        batch = self._normalised(warp(rows, self.warp_time, self.warp_bands, keys[0], keys[1]))
        inputs = mask(batch.inputs, 1, self.mask_frames, keys[2])
        return self._with_deltas(batch._replace(inputs=mask(inputs, 2, self.mask_bands, keys[3])))

    def rows(self, split: Split) -> int:
        """Recordings."""
        return len(self.utterances[split].lengths)

    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Recordings as they are, normalised, and their classes."""
        return self._with_deltas(self._normalised(take(data, rows)))

    def _with_deltas(self, batch: Batch) -> Batch:
        if not self.deltas:
            return batch
        assert batch.lengths is not None
        valid = (jnp.arange(batch.inputs.shape[1]) < batch.lengths[:, None])[..., None]
        first = slopes(batch.inputs) * valid
        second = 2 * slopes(first) * valid
        return batch._replace(inputs=jnp.concatenate([batch.inputs, first, second], axis=2))

    def _normalised(self, rows: Any) -> Batch:
        frames, lengths = rows["frames"].astype(jnp.float32), rows["lengths"].astype(jnp.int32)
        valid = (jnp.arange(frames.shape[1]) < lengths[:, None])[..., None]
        if self.normalise in ("recording", "level"):
            count = jnp.maximum(lengths, 1)[:, None, None]
            centred = frames - jnp.sum(frames * valid, axis=1, keepdims=True) / count
            variance = jnp.sum(jnp.square(centred) * valid, axis=1, keepdims=True) / count
            if self.normalise == "level":
                variance = jnp.mean(variance, axis=2, keepdims=True)
            frames = centred / jnp.sqrt(variance + 1e-6)
        elif self.normalise == "training":
            frames = (frames - self._scale[0]) / self._scale[1]
        return Batch(frames * valid, rows["labels"].astype(jnp.int32), lengths=lengths)

    def baselines(self) -> dict[str, float]:
        """Accuracy of the class whose mean over all frames and recordings is nearest, features scaled by the training
        split; and of the commonest training class."""
        train, test = self.utterances["train"], self.utterances["test"]
        means = [self._frame_means(split) for split in (train, test)]
        count = len(self.classes)
        centres = np.stack([means[0][train.labels == label].mean(axis=0) for label in range(count)])
        nearest = np.argmin(np.square(means[1][:, None] - centres).sum(axis=-1), axis=1)
        commonest = np.bincount(train.labels, minlength=count).argmax()
        return accuracies({"nearest mean frame": nearest, "commonest class": commonest}, test.labels)

    def _frame_means(self, utterances: Utterances) -> np.ndarray:
        """The mean frame of every recording ``[recordings, features]``, scaled by the training split."""
        frames, lengths, _ = utterances
        valid = np.arange(frames.shape[1]) < lengths[:, None]
        means = np.einsum("rtf,rt->rf", frames, valid, dtype=np.float64) / lengths[:, None]
        return (means - self._scale[0]) / self._scale[1]

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Which class of the test split is taken for which."""
        test = self.utterances["test"]
        table = np.zeros((len(self.classes),) * 2, np.int64)
        for start in range(0, len(test.labels), SHOWN_ROWS):
            batch = self.pick(test._asdict(), jnp.arange(start, min(start + SHOWN_ROWS, len(test.labels))))
            named = np.asarray(jnp.argmax(predictor.predict(batch), axis=-1))
            np.add.at(table, (np.asarray(batch.targets), named), 1)
        draw = functools.partial(confusion, table=table, names=self.classes, title=f"Test split of {self.name}")
        return [Plot("confusion", draw=draw)]
