"""What a tagger makes of sentences, and which tags it takes for which."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from lstmlab.plots.confusion import confusion
from lstmlab.tasks.task import Plot, Predictor, valid_steps
from lstmlab.tasks.text.tagging.dataset import TAGS

if TYPE_CHECKING:
    from lstmlab.tasks.text.tagging.task import Tagging

SHOWN = 8


def plot(task: Tagging, predictor: Predictor) -> list[Plot]:
    """Test sentences with the tags that the model gives them, and which tags it takes for which."""
    test, rows = task.splits["test"], 256
    table = np.zeros((len(TAGS), len(TAGS)), np.int64)
    tagged: list[np.ndarray] = []
    for start in range(0, min(len(test["lengths"]), 4 * rows), rows):
        batch = task.pick(test, jnp.arange(start, min(start + rows, len(test["lengths"]))))
        named = np.asarray(jnp.argmax(predictor.predict(batch), axis=-1))
        counted = np.asarray(valid_steps(batch)) > 0
        np.add.at(table, (np.asarray(batch.targets)[counted], named[counted]), 1)
        tagged += list(named)
    return [
        Plot("sentences", text=_show(task, tagged)),
        Plot(
            "confusion",
            draw=partial(confusion, table=table, names=TAGS, title="Parts of speech, first test documents"),
        ),
    ]


def _show(task: Tagging, tagged: list[np.ndarray]) -> str:
    """The first sentences that are one piece, ``word/tag``; a mistake shows the right tag behind it."""
    known = len(task.vocabulary.known)
    lines, place = ["word/TAG; word/TAG(RIGHT) where the model is wrong; ? an unknown word", ""], 0
    for sentence in task.sentences["test"]:
        pieces = -(-len(sentence.words) // task.length)
        if pieces == 1 and place < len(tagged):
            tokens, _ = task.vocabulary.encode(sentence.words)
            shown = zip(sentence.words, sentence.tags, tagged[place], tokens, strict=False)
            lines.append(" ".join(_word(known, *entry) for entry in shown))
        place += pieces
        if len(lines) == SHOWN + 2:
            break
    return "\n".join(lines)


def _word(known: int, word: str, right: int, named: int, token: int) -> str:
    mark = "?" if token >= known else ""
    return f"{word}{mark}/{TAGS[named]}" + ("" if named == right else f"({TAGS[right]})")
