"""Polyphonic music: predict which keys of the piano sound next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.arrays import Key, RowNumbers, Scalar, Step
from lstmlab.data.remembered import remembered
from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask, take
from lstmlab.tasks.music.chorales.baselines import (
    chord_ngrams,
    key_frequencies,
    logistic_keys,
    note_ngrams,
    voice_chains,
)
from lstmlab.tasks.music.chorales.dataset import CORPORA, KEYS, Rolls, load_chorales
from lstmlab.tasks.music.chorales.metrics import independent_metrics, joint_metrics
from lstmlab.tasks.music.chorales.plots import composed_plots, predicted_plot
from lstmlab.tasks.music.note_tokens import chords, note_tokens
from lstmlab.tasks.music.voicing import Voicing
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Arrays, Batch, Features, Metrics, Plot, Predictor, Split, Tokens
from lstmlab.tasks.task import mean

MOST_TOKENS = (6, 20, 89)
"""of a chord on average that are drawn to compose, one after the other until they are enough"""
PRIMED, SAMPLED = 8, 64
"""steps of a test piece that a sample starts from, and steps that the model adds"""


@register_task(
    "chorales",
    title="next chord of four-part music, as the keys of a piano",
    data="generated cadences; or corpus=jsb, Bach's chorales, by download (no licence stated, public-domain music)",
    paper="Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392",
    published="corpus=jsb: nll of LSTMs with independent keys 8.38 (Greff et al. 2017) to 8.45 (Bai, Kolter & Koltun "
    "2018); with joint keys RNN-RBM 6.27, RNN-NADE 5.56 (Boulanger-Lewandowski et al. 2012)",
)
@dataclasses.dataclass(frozen=True)
class Chorales(RowsTask):
    """Whole pieces, one step per quarter note: predict the keys that sound at step t + 1 from those up to step t.

    The model has one logit for each of the 88 keys. The metric is the one used in the literature: the negative
    log-likelihood in nats, summed over the keys and averaged over all steps of a split (the first chord of a piece is
    not predicted). The accuracy is the frame-level one of Bay, Ehmann & Downie 2009, TP / (TP + FP + FN); a key counts
    as predicted when its probability exceeds one half.

    **Output.** With ``independent``, the usual protocol, the keys of a model are independent given the past. The
    n-grams among the baselines know which keys sound together and can therefore have a smaller nll than any such model.
    With ``joint`` the model reads and gives the keys of a chord one after the other, from the lowest on, and then its
    end (:mod:`~lstmlab.tasks.music.note_tokens`): a distribution over whole chords, to be compared with the n-grams and
    with the published RNN-RBM and RNN-NADE. The nll is still per chord. What a model gives to keys out of order is
    lost, so that it is an upper bound. The accuracy, of single tokens, is called ``token_accuracy``.
    """

    corpus: str = setting("cadences", "the pieces: cadences (generated) or jsb (Bach, downloaded)", choices=CORPORA)
    output: str = setting(
        "independent", "keys of a chord: independent given the past, or joint, one after the other",
        choices=("independent", "joint"),
    )  # fmt: skip

    excerpt: int = setting(
        0, "output=joint: keys and ends of chords in a training sequence, an excerpt of a piece; 0: whole pieces",
        minimum=0,
    )  # fmt: skip

    metric = "nll"
    causal = True
    defaults = (
        "model.hidden_size=200", "dropout.layer=0.2", "training.steps=1500", "training.batch_size=16",
        "training.eval_batch_size=77", "training.log_every=50", "training.eval_every=50", "training.patience=10",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that do not fit each other."""
        if self.excerpt and not self.joint:
            raise ValueError(f"task.excerpt is {self.excerpt}, but needs task.output=joint, whose steps it counts")

    @property
    def reference_value(self) -> float:  # type: ignore[override]
        """Of jsb 5.56, by RNN-NADE (Boulanger-Lewandowski et al. 2012); of cadences the perfect one, 0."""
        return 5.56 if self.corpus == "jsb" else 0.0

    @cached_property
    def rolls(self) -> dict[Split, Rolls]:
        """All pieces."""
        return load_chorales(self.corpus, self.data_dir)

    @property
    def inputs(self) -> Features | Tokens:
        """1 for each key that sounds; or keys and ends of chords."""
        return Tokens(KEYS + 1) if self.joint else Features(KEYS)

    @property
    def outputs(self) -> Features:
        """The logit of each key; with joint keys also of the end of the chord."""
        return Features(KEYS + 1 if self.joint else KEYS)

    @property
    def joint(self) -> bool:
        """Whether the keys of a chord are given one after the other."""
        return self.output == "joint"

    def data(self) -> Mapping[Split, Any]:
        """Per split ``notes [pieces, steps, 88]`` uint8 and ``lengths [pieces]``; or the pieces as tokens."""
        if self.joint:
            return {split: note_tokens(*rolls)._asdict() for split, rolls in self.rolls.items()}
        return {split: rolls._asdict() for split, rolls in self.rolls.items()}

    def rows(self, split: Split) -> int:
        """Number of pieces."""
        return len(self.rolls[split].lengths)

    def pick(self, data: Arrays, rows: RowNumbers) -> Batch:
        """All steps of each piece but its last, and the steps that follow them.

        With joint keys a step is a token, and targets ``[batch, time, 2]`` are the token that follows and whether it
        counts: those of the first chord do not.
        """
        part = take(data, rows)
        if self.joint:
            return token_batch(part["tokens"], part["lengths"])
        notes = part["notes"].astype(jnp.float32)
        return Batch(notes[:, :-1], notes[:, 1:], lengths=part["lengths"] - 1)

    def train_batch(self, data: Arrays, key: Key, step: Step, batch_size: int) -> Batch:
        """Random pieces, or random excerpts of them."""
        if not self.excerpt:
            return super().train_batch(data, key, step, batch_size)
        rows_key, start_key = jax.random.split(key)
        part = take(data, self.draw(rows_key, batch_size))
        length = min(self.excerpt + 1, part["tokens"].shape[1])
        starts = jax.random.randint(start_key, (batch_size,), 0, jnp.maximum(part["lengths"] - length, 0) + 1)
        tokens = jnp.take_along_axis(part["tokens"], starts[:, None] + jnp.arange(length), axis=1)
        return token_batch(tokens, jnp.minimum(part["lengths"], length))

    def loss(self, outputs: Float[Array, "batch time _"], batch: Batch) -> Scalar:
        """The negative log-likelihood per chord, in nats."""
        return mean(self.metrics(outputs, batch)["nll"])

    def metrics(self, outputs: Float[Array, "batch time _"], batch: Batch) -> Metrics:
        """Negative log-likelihood per chord, and the frame-level accuracy, or with joint keys that of tokens."""
        return joint_metrics(outputs, batch) if self.joint else independent_metrics(outputs, batch)

    def baselines(self) -> dict[str, float]:
        """Keys and voices by themselves, n-grams of chords and of notes, see
        :mod:`~lstmlab.tasks.music.chorales.baselines`."""
        splits = self.rolls["train"], self.rolls["validation"], self.rolls["test"]
        values = chord_ngrams(*splits) | note_ngrams(*splits)
        values |= voice_chains(splits[0], splits[2]) | key_frequencies(splits[0], splits[2])
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def slow_baselines(self) -> dict[str, float]:
        """Keys given the chord before, by logistic regression."""
        splits = self.rolls["train"], self.rolls["validation"], self.rolls["test"]
        inputs = [array for part in splits for array in part]
        return remembered("logistic-keys-1", inputs, lambda: logistic_keys(*splits))

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test piece with the predicted probabilities, where keys are independent; and how the model
        continues its first steps."""
        steps = int(self.rolls["test"].lengths[0]) - 1
        plots = [] if self.joint else [self._predicted(predictor, steps)]
        if not predictor.stepwise:  # a bidirectional model cannot compose
            return plots
        opening = self.opening(min(PRIMED, steps + 1))
        return plots + composed_plots(opening, self.compose(predictor, opening, SAMPLED, Voicing()))

    def _predicted(self, predictor: Predictor, steps: int) -> Plot:
        batch = self.pick(self.rolls["test"]._asdict(), jnp.arange(1))
        probabilities = np.asarray(jax.nn.sigmoid(predictor.predict(batch)))[0, :steps]
        return predicted_plot(np.asarray(batch.targets)[0, :steps], probabilities)

    def compose(
        self, predictor: Predictor, opening: Float[np.ndarray, "given 88"], steps: int, voicing: Voicing, seed: int = 0
    ) -> Float[np.ndarray, "steps 88"]:
        """``steps`` chords that a model adds to an opening.

        Raises ``ValueError`` for a number of voices where keys are joint: these end their chords themselves; and for a
        model whose chords do not end.
        """
        if not self.joint:
            return predictor.continue_sequence(opening, steps, voicing, seed=seed)
        if voicing.voices:
            raise ValueError("with task.output=joint the model itself decides how many keys sound: leave --voices out")
        prompt = note_tokens(opening[None].astype(np.uint8), np.array([len(opening)], np.int32)).tokens[0]
        for most in MOST_TOKENS:  # a longer continuation begins with the shorter one
            tokens = predictor.generate(prompt, most * steps, temperature=voicing.temperature, seed=seed)
            if len(found := chords(tokens, KEYS)) >= steps:
                return found[:steps]
        raise ValueError(f"its chords do not end: {most} tokens for each of {steps} chords were not enough")

    def opening(self, steps: int = PRIMED, piece: int = 0) -> Float[np.ndarray, "steps 88"]:
        """The first steps of a test piece; raises ``ValueError`` for a piece that does not exist or is shorter."""
        rolls = self.rolls["test"]
        if not 0 <= piece < len(rolls.lengths):
            raise ValueError(f"there is no test piece {piece}: they are numbered from 0 to {len(rolls.lengths) - 1}")
        if not 1 <= steps <= rolls.lengths[piece]:
            raise ValueError(f"test piece {piece} has no opening of {steps} steps: from 1 to {rolls.lengths[piece]}")
        return rolls.notes[piece, :steps].astype(np.float32)


def token_batch(tokens: Int[Array, "batch time"], lengths: Int[Array, " batch"]) -> Batch:
    """A batch of tokens; a target counts when the end of a chord has been read before it."""
    read, after = tokens[:, :-1], tokens[:, 1:]
    counts = jnp.cumsum(read == KEYS, axis=1) > 0
    return Batch(read, jnp.stack([after, counts.astype(after.dtype)], axis=-1), lengths=lengths - 1)
