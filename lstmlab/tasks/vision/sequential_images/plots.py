"""A sheet of classified images."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8

_FRAME, _PER_ROW, _ZOOM = 2, 5, 3
_WRONG = (213, 94, 0)


def image_sheet(
    images: UInt8[np.ndarray, "count h w channels"], wrong: Bool[np.ndarray, " count"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Images five in a row, in colour and enlarged; those classified wrongly have a red frame.

    The number of images must be a multiple of five.
    """
    height, width = images.shape[1:3]
    framed = np.full((len(images), height + 2 * _FRAME, width + 2 * _FRAME, 3), 255, np.uint8)
    framed[wrong] = _WRONG
    framed[:, _FRAME:-_FRAME, _FRAME:-_FRAME] = images
    rows = [np.concatenate(list(framed[k : k + _PER_ROW]), axis=1) for k in range(0, len(framed), _PER_ROW)]
    return np.kron(np.concatenate(rows), np.ones((_ZOOM, _ZOOM, 1), np.uint8))
