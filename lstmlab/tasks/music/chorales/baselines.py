"""Baselines that predict each piano key by itself."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from lstmlab.tasks.music.chorales.dataset import Rolls


def key_frequencies(train: Rolls, test: Rolls) -> dict[str, float]:
    """Nats per test step, best first, of independent keys with add-one-smoothed training frequencies.

    ``hold`` knows whether the key sounded one step before, ``frequency`` does not.
    """
    (before, after), (test_before, test_after) = _pairs(train), _pairs(test)
    nats = {}
    for name, conditional in (("hold", True), ("frequency", False)):
        nll = 0.0
        for state in (0, 1):
            counted = (before == state) | (not conditional)
            share = ((after * counted).sum(0) + 1) / (counted.sum(0) + 2)
            cost = -np.where(test_after > 0, np.log(share), np.log(1 - share))
            nll += float((cost * (test_before == state)).sum() / len(test_before))
        nats[name] = nll
    return dict(sorted(nats.items(), key=lambda item: item[1]))


def _pairs(rolls: Rolls) -> tuple[UInt8[np.ndarray, "steps 88"], UInt8[np.ndarray, "steps 88"]]:
    """All steps of all pieces but their last, and the steps that follow them."""
    pieces = [notes[:length] for notes, length in zip(rolls.notes, rolls.lengths, strict=True)]
    return np.concatenate([p[:-1] for p in pieces]), np.concatenate([p[1:] for p in pieces])
