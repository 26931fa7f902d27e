"""Polyphonic music: predict which keys of the piano sound next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lstmlab.arrays import RowNumbers, Scalar
from lstmlab.data.remembered import remembered
from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask, take
from lstmlab.tasks.music.chorales.baselines import chord_ngrams, key_frequencies, logistic_keys
from lstmlab.tasks.music.chorales.dataset import CORPORA, KEYS, Rolls, load_chorales
from lstmlab.tasks.music.chorales.plots import composed_plots, predicted_plot
from lstmlab.tasks.music.voicing import Voicing
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Arrays, Batch, Features, Metrics, Plot, Predictor, Split
from lstmlab.tasks.task import mean, valid_steps

PRIMED, SAMPLED = 8, 64
"""steps of a test piece that a sample starts from, and steps that the model adds"""


@register_task(
    "chorales",
    title="next chord of four-part music, as the keys of a piano",
    data="generated cadences; or corpus=jsb, Bach's chorales, by download (no licence stated, public-domain music)",
    paper="Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392",
    published="corpus=jsb: nll of LSTMs 8.38 (Greff et al. 2017) to 8.45 (Bai, Kolter & Koltun 2018)",
)
@dataclasses.dataclass(frozen=True)
class Chorales(RowsTask):
    """Whole pieces, one step per quarter note: predict the keys that sound at step t + 1 from those up to step t.

    The model has one logit for each of the 88 keys. The metric is the one used in the literature: the negative
    log-likelihood in nats, summed over the keys and averaged over all steps of a split (the first chord of a piece is
    not predicted). The accuracy is the frame-level one of Bay, Ehmann & Downie 2009, TP / (TP + FP + FN); a key counts
    as predicted when its probability exceeds one half.

    Given the past, the keys of a model are independent. An n-gram of chords, one of the baselines, knows which keys
    sound together and can therefore have a smaller nll than any such model.
    """

    corpus: str = setting("cadences", "the pieces: cadences (generated) or jsb (Bach, downloaded)", choices=CORPORA)

    metric = "nll"
    causal = True
    defaults = (
        "model.hidden_size=200", "dropout.layer=0.2", "training.steps=1500", "training.batch_size=16",
        "training.eval_batch_size=77", "training.log_every=50", "training.eval_every=50", "training.patience=10",
    )  # fmt: skip

    @property
    def reference_value(self) -> float:  # type: ignore[override]
        """Of jsb 5.56, by RNN-NADE (Boulanger-Lewandowski et al. 2012); of cadences the perfect one, 0."""
        return 5.56 if self.corpus == "jsb" else 0.0

    @cached_property
    def rolls(self) -> dict[Split, Rolls]:
        """All pieces."""
        return load_chorales(self.corpus, self.data_dir)

    @property
    def inputs(self) -> Features:
        """1 for each key that sounds."""
        return Features(KEYS)

    @property
    def outputs(self) -> Features:
        """The logit of each key."""
        return Features(KEYS)

    def data(self) -> Mapping[Split, Any]:
        """Per split ``notes [pieces, steps, 88]`` uint8 and ``lengths [pieces]``."""
        return {split: rolls._asdict() for split, rolls in self.rolls.items()}

    def rows(self, split: Split) -> int:
        """Number of pieces."""
        return len(self.rolls[split].lengths)

    def pick(self, data: Arrays, rows: RowNumbers) -> Batch:
        """All steps of each piece but its last, and the steps that follow them."""
        part = take(data, rows)
        notes = part["notes"].astype(jnp.float32)
        return Batch(notes[:, :-1], notes[:, 1:], lengths=part["lengths"] - 1)

    def loss(self, outputs: Float[Array, "batch time 88"], batch: Batch) -> Scalar:
        """The negative log-likelihood per step, in nats."""
        return mean(self.metrics(outputs, batch)["nll"])

    def metrics(self, outputs: Float[Array, "batch time 88"], batch: Batch) -> Metrics:
        """Negative log-likelihood per step, and the frame-level accuracy."""
        counted = valid_steps(batch)
        nats = jnp.sum(jax.nn.softplus(outputs) - outputs * batch.targets, axis=-1)
        predicted, true = outputs > 0, batch.targets > 0.5
        both = jnp.sum(predicted & true, axis=-1)
        either = jnp.sum(predicted | true, axis=-1)
        return {
            "nll": (jnp.sum(nats * counted), jnp.sum(counted)),
            "accuracy": (jnp.sum(both * counted), jnp.sum(either * counted)),
        }

    def baselines(self) -> dict[str, float]:
        """Keys by themselves, and n-grams of chords: see :mod:`~lstmlab.tasks.music.chorales.baselines`."""
        splits = self.rolls["train"], self.rolls["validation"], self.rolls["test"]
        values = chord_ngrams(*splits) | key_frequencies(splits[0], splits[2])
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def slow_baselines(self) -> dict[str, float]:
        """Keys given the chord before, by logistic regression."""
        splits = self.rolls["train"], self.rolls["validation"], self.rolls["test"]
        inputs = [array for part in splits for array in part]
        return remembered("logistic-keys-1", inputs, lambda: logistic_keys(*splits))

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test piece with the predicted probabilities; and how the model continues its first steps."""
        test = self.rolls["test"]
        batch, steps = self.pick(test._asdict(), jnp.arange(1)), int(test.lengths[0]) - 1
        probabilities = np.asarray(jax.nn.sigmoid(predictor.predict(batch)))[0, :steps]
        plots = [predicted_plot(np.asarray(batch.targets)[0, :steps], probabilities)]
        if not predictor.stepwise:  # a bidirectional model cannot compose
            return plots
        opening = self.opening(min(PRIMED, steps + 1))
        return plots + composed_plots(opening, predictor.continue_sequence(opening, SAMPLED, Voicing()))

    def opening(self, steps: int = PRIMED, piece: int = 0) -> Float[np.ndarray, "steps 88"]:
        """The first steps of a test piece; raises ``ValueError`` for a piece that does not exist or is shorter."""
        rolls = self.rolls["test"]
        if not 0 <= piece < len(rolls.lengths):
            raise ValueError(f"there is no test piece {piece}: they are numbered from 0 to {len(rolls.lengths) - 1}")
        if not 1 <= steps <= rolls.lengths[piece]:
            raise ValueError(f"test piece {piece} has no opening of {steps} steps: from 1 to {rolls.lengths[piece]}")
        return rolls.notes[piece, :steps].astype(np.float32)
