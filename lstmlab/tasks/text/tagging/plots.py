"""Tagged sentences, and which tags are taken for which."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from jaxtyping import Int

from lstmlab.plots.confusion import confusion
from lstmlab.tasks.specs import Plot
from lstmlab.tasks.text.tagging.dataset import TAGS, Sentence, valid_words

SHOWN = 8
LEGEND = "word/TAG; word/TAG(RIGHT) where the model is wrong; ? an unknown word"


def plots(
    sentences: Iterable[Sentence],
    split: dict[str, np.ndarray],
    predictions: Int[np.ndarray, "first length"],
    known: int,
) -> list[Plot]:
    """The first sentences with their predicted tags, and a confusion matrix.

    Args:
        sentences: the sentences of a split.
        split: the same as arrays: ``words`` and ``tags`` ``[pieces, length]``, ``lengths [pieces]``.
        predictions: predicted tags of the first pieces.
        known: number of known words, which are the first tokens.
    """
    first = {name: values[: len(predictions)] for name, values in split.items()}
    valid = valid_words(first)
    table = np.zeros((len(TAGS), len(TAGS)), np.int64)
    np.add.at(table, (first["tags"][valid], predictions[valid]), 1)
    title = "Parts of speech, first test documents"
    return [
        Plot("sentences", text=_text(sentences, first["words"], predictions, known)),
        Plot("confusion", draw=partial(confusion, table=table, names=TAGS, title=title)),
    ]


def _text(
    sentences: Iterable[Sentence],
    tokens: Int[np.ndarray, "first length"],
    predictions: Int[np.ndarray, "first length"],
    known: int,
) -> str:
    """The first sentences that fit into one piece."""
    lines, place = [LEGEND, ""], 0
    for sentence in sentences:
        pieces = -(-len(sentence.words) // tokens.shape[1])
        if pieces == 1 and place < len(predictions):
            words = zip(sentence.words, sentence.tags, predictions[place], tokens[place], strict=False)
            lines.append(" ".join(_word(known, *word) for word in words))
        place += pieces
        if len(lines) == SHOWN + 2:
            break
    return "\n".join(lines)


def _word(known: int, word: str, tag: int, prediction: int, token: int) -> str:
    mark = "?" if token >= known else ""
    return f"{word}{mark}/{TAGS[prediction]}" + ("" if prediction == tag else f"({TAGS[tag]})")
