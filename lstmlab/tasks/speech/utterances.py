"""The base of tasks that name the class of a recording."""

from __future__ import annotations

import abc
import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array

from lstmlab.arrays import Key, RowNumbers, Step
from lstmlab.plots.confusion import confusion
from lstmlab.settings import setting
from lstmlab.simple_models.classifiers import Labelled, standardised
from lstmlab.tasks.batching import ClassificationTask, take
from lstmlab.tasks.classifier_baselines import learned_classifiers
from lstmlab.tasks.speech.augmentation import frequency_mask, frequency_warp, time_mask, time_warp
from lstmlab.tasks.speech.baselines import baselines, pooled
from lstmlab.tasks.speech.features import NORMALISATIONS, append_deltas, normalise
from lstmlab.tasks.speech.recordings import FeatureScale, Utterances, feature_scale
from lstmlab.tasks.task import Batch, Features, Plot, Predictor, Split

PLOT_BATCH = 256


@dataclasses.dataclass(frozen=True)
class UtteranceTask(ClassificationTask):
    """One class per recording; metrics are the accuracy and the cross-entropy (nats).

    **Normalisation** of the features over the valid frames: ``recording`` gives each feature mean 0 and variance 1 in
    every recording (cepstral mean and variance normalisation, which removes what microphone and voice add to all
    frames); ``level`` gives each feature mean 0 and all of them together variance 1, so that a feature that hardly
    changes is not amplified to noise; ``training`` uses mean and variance of the training split; ``none`` leaves the
    features as they are.

    **Warping**: in training, recordings are played faster or slower by a factor 1 ± ``warp_time``, and their features,
    as bands of rising frequency, are scaled by 1 ± ``warp_bands`` along the frequency axis (vocal tract length
    perturbation, Jaitly & Hinton 2013, ICML workshop on deep learning for audio).

    **Masking** (SpecAugment, Park et al. 2019, arXiv:1904.08779): in training, up to ``mask_frames`` consecutive frames
    and ``mask_bands`` adjacent features of each recording are set to 0, their mean, drawn anew for every batch.

    **Deltas** (Furui 1986): after the features come their deltas, d_t = Σ_k k (x_{t+k} − x_{t−k}) / (2 Σ_k k²) with
    k = 1, 2, and twice the deltas of the deltas, all 0 at padding. They are computed from the masked features.
    """

    normalise: str = setting("recording", "over what the features get mean 0 and variance 1", choices=NORMALISATIONS)
    warp_time: float = setting(0.0, "speed of a recording in training: 1 ± up to this", minimum=0.0)
    warp_bands: float = setting(0.0, "scale of its frequency axis in training: 1 ± up to this", minimum=0.0)
    mask_frames: int = setting(0, "most consecutive frames that are masked in training", minimum=0)
    mask_bands: int = setting(0, "most adjacent features that are masked in training", minimum=0)
    deltas: bool = setting(False, "append deltas and delta-deltas to the features", choices=(False, True))

    def __post_init__(self) -> None:
        """Refuse warping that would reverse a recording; raises ``ValueError``."""
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
        """The features of a frame, with their deltas where these are switched on."""
        return Features(self.utterances["train"].frames.shape[2] * (3 if self.deltas else 1))

    @property
    def outputs(self) -> Features:
        """One logit per class."""
        return Features(len(self.classes))

    @functools.cached_property
    def _scale(self) -> FeatureScale:
        return feature_scale(self.utterances["train"])

    def data(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """Per split ``frames [recordings, time, features]``, ``lengths`` and ``labels``."""
        return {split: utterances._asdict() for split, utterances in self.utterances.items()}

    def train_batch(self, data: Mapping[str, ArrayLike], key: Key, step: Step, batch_size: int) -> Batch:
        """Recordings drawn at random, warped and masked where that is switched on."""
        rows_key, *keys = jax.random.split(key, 5)
        rows = take(data, self.draw(rows_key, batch_size))
        frames, lengths = time_warp(rows["frames"], rows["lengths"], self.warp_time, keys[0])
        frames = frequency_warp(frames, self.warp_bands, keys[1])
        batch = self._normalised({"frames": frames, "lengths": lengths, "labels": rows["labels"]})
        inputs = time_mask(batch.inputs, self.mask_frames, keys[2])
        return self._with_deltas(batch._replace(inputs=frequency_mask(inputs, self.mask_bands, keys[3])))

    def rows(self, split: Split) -> int:
        """Number of recordings in a split."""
        return len(self.utterances[split].lengths)

    def pick(self, data: Mapping[str, ArrayLike], rows: RowNumbers) -> Batch:
        """Recordings as they are, normalised, and their classes."""
        return self._with_deltas(self._normalised(take(data, rows)))

    def _with_deltas(self, batch: Batch) -> Batch:
        if not self.deltas:
            return batch
        assert batch.lengths is not None
        return batch._replace(inputs=append_deltas(batch.inputs, batch.lengths))

    def _normalised(self, rows: Mapping[str, Array]) -> Batch:
        lengths = rows["lengths"].astype(jnp.int32)
        inputs = normalise(rows["frames"], lengths, self.normalise, self._scale)
        return Batch(inputs, rows["labels"].astype(jnp.int32), lengths=lengths)

    def baselines(self) -> dict[str, float]:
        """Test accuracies of the nearest mean frame and of the most frequent class."""
        return baselines(self.utterances["train"], self.utterances["test"], self._scale, len(self.classes))

    def slow_baselines(self) -> dict[str, float]:
        """Test accuracies of classifiers of pooled features, see :func:`~lstmlab.tasks.speech.baselines.pooled`; the
        features are normalised as for the model, without deltas."""
        arrays = [array for part in self.utterances.values() for array in part]
        inputs = (*arrays, *self._scale, self.normalise)
        return learned_classifiers(inputs, lambda: standardised(*map(self._pooled, ("train", "validation", "test"))))

    def _pooled(self, split: Split) -> Labelled:
        part, parts = self.utterances[split], []
        for start in range(0, len(part.labels), PLOT_BATCH):
            batch = self._normalised(part.select(np.arange(start, min(start + PLOT_BATCH, len(part.labels))))._asdict())
            parts.append(pooled(np.asarray(batch.inputs), np.asarray(batch.lengths)))
        return Labelled(np.concatenate(parts), part.labels)

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The confusion matrix of the test split."""
        test = self.utterances["test"]
        table = np.zeros((len(self.classes),) * 2, np.int64)
        for start in range(0, len(test.labels), PLOT_BATCH):
            batch = self.pick(test._asdict(), jnp.arange(start, min(start + PLOT_BATCH, len(test.labels))))
            predictions = np.asarray(jnp.argmax(predictor.predict(batch), axis=-1))
            np.add.at(table, (np.asarray(batch.targets), predictions), 1)
        draw = functools.partial(confusion, table=table, names=self.classes, title=f"Test split of {self.name}")
        return [Plot("confusion", draw=draw)]
