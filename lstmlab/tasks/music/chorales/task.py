"""Polyphonic music: predict which keys of the piano sound next."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.plots.piano import piano_rolls
from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask, take
from lstmlab.tasks.music.chorales.dataset import CORPORA, KEYS, LOWEST, Rolls, load_chorales
from lstmlab.tasks.music.chorales.voicing import Voicing
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, valid_steps

PRIMED, SAMPLED = 8, 64
"""Steps of a test piece that a sample starts with, and steps that are added."""


@register_task(
    "chorales",
    title="next chord of four-part music, as the keys of a piano",
    data="generated cadences; or corpus=jsb, Bach's chorales, by download (no licence stated, public-domain music)",
    paper="Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392",
    published="corpus=jsb: nll of LSTMs 8.38 (Greff et al. 2017) to 8.45 (Bai, Kolter & Koltun 2018)",
)
@dataclasses.dataclass(frozen=True)
class Chorales(RowsTask):
    """Whole pieces, one step per quarter note: from the keys that sound at t, those that sound at t + 1.

    The model gives one logit for each of the 88 keys. The metric is that of the literature: the negative log-likelihood
    in nats, summed over the keys and averaged over all steps of a split (the first chord of a piece is given, not
    predicted). The accuracy is the frame-level one of Bay, Ehmann & Downie 2009, TP / (TP + FP + FN), with a key
    counted as predicted when its probability exceeds one half.
    """

    corpus: str = setting("cadences", "the pieces: cadences (generated) or jsb (Bach, downloaded)", choices=CORPORA)

    metric = "nll"
    causal = True
    defaults = (
        "model.hidden_size=200", "dropout.layer=0.2", "training.steps=1500", "training.batch_size=16",
        "training.eval_batch_size=77", "training.log_every=50", "training.eval_every=50", "training.patience=10",
    )  # fmt: skip

    @cached_property
    def rolls(self) -> dict[str, Rolls]:
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

    def data(self) -> Mapping[str, Any]:
        """Per split ``notes [pieces, steps, 88]`` uint8 and ``lengths [pieces]``."""
        return {split: rolls._asdict() for split, rolls in self.rolls.items()}

    def rows(self, split: Split) -> int:
        """Pieces."""
        return len(self.rolls[split].lengths)

    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """All steps but the last of each piece, and what follows them."""
        part = take(data, rows)
        notes = part["notes"].astype(jnp.float32)
        return Batch(notes[:, :-1], notes[:, 1:], lengths=part["lengths"] - 1)

    def loss(self, outputs: Float[Array, "batch time 88"], batch: Batch) -> Float[Array, ""]:
        """The negative log-likelihood per step, in nats."""
        return mean(self.metrics(outputs, batch)["nll"])

    def metrics(self, outputs: Float[Array, "batch time 88"], batch: Batch) -> Metrics:
        """Negative log-likelihood per step, and the frame-level accuracy."""
        counted = valid_steps(batch)
        nats = jnp.sum(jax.nn.softplus(outputs) - outputs * batch.targets, axis=-1)
        predicted, sounds = outputs > 0, batch.targets > 0.5
        hits = jnp.sum(predicted & sounds, axis=-1)
        named = jnp.sum(predicted | sounds, axis=-1)
        return {
            "nll": (jnp.sum(nats * counted), jnp.sum(counted)),
            "accuracy": (jnp.sum(hits * counted), jnp.sum(named * counted)),
        }

    def baselines(self) -> dict[str, float]:
        """Keys that are independent of each other, their add-one-smoothed frequencies counted on the training split:
        given whether the key sounded one step before (``hold``), or not even that (``frequency``).
        """
        train, test = (_pairs(self.rolls[split]) for split in ("train", "test"))
        values = {}
        for name, sees in (("hold", 1), ("frequency", 0)):
            nll = 0.0
            for before in (0, 1):
                # Without memory both halves share the frequency over all steps.
                known = (train[0] == before) | (sees == 0)
                share = ((train[1] * known).sum(0) + 1) / (known.sum(0) + 2)
                mine = test[0] == before
                nats = -np.where(test[1] > 0, np.log(share), np.log(1 - share))
                nll += float((nats * mine).sum() / len(test[0]))
            values[name] = nll
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test piece as a piano roll, above what the model expected at each step; and how the model goes on
        from the first steps of that piece, as a piano roll and as a MIDI file.
        """
        test = self.rolls["test"]
        batch, steps = self.pick(test._asdict(), jnp.arange(1)), int(test.lengths[0]) - 1
        expected = np.asarray(jax.nn.sigmoid(predictor.predict(batch)))[0, :steps]
        truth = np.asarray(batch.targets)[0, :steps]
        names = {"the piece": truth, "expected": expected}
        title = "chorales: the first test piece, and the probability of each key given all before"
        draw = functools.partial(piano_rolls, rolls=names, lowest=LOWEST, title=title)
        shown = [Plot("piano_roll", draw=draw)]
        if not predictor.stepwise:  # one that reads both directions cannot compose
            return shown
        opening = self.opening(min(PRIMED, steps + 1))
        added = predictor.continue_sequence(opening, SAMPLED, Voicing())
        composed = np.concatenate([opening, added])
        return [
            *shown,
            Plot(
                "composed",
                draw=functools.partial(
                    piano_rolls,
                    rolls={"keys": composed},
                    lowest=LOWEST,
                    given=len(opening),
                    title="chorales: a test piece's opening, and how the model goes on",
                ),
            ),
            Plot("composed", write=functools.partial(save_midi, roll=composed), suffix=".mid"),
        ]

    def opening(self, steps: int = PRIMED, piece: int = 0) -> np.ndarray:
        """The first steps of a test piece, ``[steps, 88]``; raises ``ValueError`` when there are not as many."""
        rolls = self.rolls["test"]
        if not 0 <= piece < len(rolls.lengths):
            raise ValueError(f"there is no test piece {piece}: they are numbered from 0 to {len(rolls.lengths) - 1}")
        if not 1 <= steps <= rolls.lengths[piece]:
            raise ValueError(f"test piece {piece} has no opening of {steps} steps: from 1 to {rolls.lengths[piece]}")
        return rolls.notes[piece, :steps].astype(np.float32)


def save_midi(path: Path, roll: np.ndarray, **settings: Any) -> None:
    """Write a piano roll ``[steps, 88]``, see :func:`lstmlab.tasks.music.midi.write_midi`."""
    from lstmlab.tasks.music.midi import write_midi

    write_midi(path, roll, lowest=LOWEST, **settings)


def _pairs(rolls: Rolls) -> tuple[np.ndarray, np.ndarray]:
    """All steps of all pieces and those that follow them, ``[steps, 88]`` each."""
    pieces = [notes[:length] for notes, length in zip(rolls.notes, rolls.lengths, strict=True)]
    return np.concatenate([p[:-1] for p in pieces]), np.concatenate([p[1:] for p in pieces])
