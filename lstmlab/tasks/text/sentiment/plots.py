"""Reviews with their predicted label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from lstmlab.tasks.specs import Plot

NAMES = ("negative", "positive")
SHOWN_WORDS = 80


def labelled_reviews(
    reviews: Sequence[Sequence[str]],
    labels: Int[np.ndarray, " reviews"],
    positive: Float[np.ndarray, " reviews"],
    keep: str,
) -> Plot:
    """Reviews with their true label and the predicted probability of a positive one.

    Long reviews are shortened to their ``keep="last"`` or ``"first"`` words.
    """
    texts = [
        f"{NAMES[label]}, P(positive) = {p:.3f}: {_excerpt(words, keep)}"
        for words, label, p in zip(reviews, labels, positive, strict=True)
    ]
    return Plot("reviews", text="\n\n".join(texts))


def _excerpt(words: Sequence[str], keep: str) -> str:
    if len(words) <= SHOWN_WORDS:
        return " ".join(words)
    return "… " + " ".join(words[-SHOWN_WORDS:]) if keep == "last" else " ".join(words[:SHOWN_WORDS]) + " …"
