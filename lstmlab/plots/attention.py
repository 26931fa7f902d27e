"""Attention maps: which source tokens a decoder attends to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

_CELL = 24
"""side of a square, in pixels"""
_HEADER, _BAR = 44, 60
_TITLE, _LEGEND = "attention: rows are outputs, columns the source", "weight 0"


def attention_map(
    weights: Float[np.ndarray, "outputs source"], source: Sequence[str], outputs: Sequence[str]
) -> UInt8[np.ndarray, "height width"]:
    """A row per output token, a column per source token; the larger the attention weight, the darker.

    A header says so, with the scale of the greys. Weights beyond the tokens are those of padding and are left out.
    """
    from matplotlib.font_manager import findfont

    font = ImageFont.truetype(findfont("DejaVu Sans"), 11)  # comes with Matplotlib; Pillow's own font lacks letters
    rows, columns = len(outputs), len(source)
    left = max(12 + 7 * max([4, *map(len, outputs)]), 12 + round(font.getlength(_TITLE)) - _CELL * columns)
    names = 12 + 7 * max([1, *map(len, source)])
    top = _HEADER + names
    page = Image.new("L", (left + _CELL * columns, top + _CELL * rows), 255)
    draw = ImageDraw.Draw(page)
    draw.text((4, 4), _TITLE, fill=0, font=font)
    draw.text((4, 22), _LEGEND, fill=0, font=font)
    start = 10 + round(font.getlength(_LEGEND))
    page.paste(Image.linear_gradient("L").rotate(-90).resize((_BAR, 12)), (start, 23))
    draw.text((start + _BAR + 6, 22), "1", fill=0, font=font)
    for i, token in enumerate(outputs[: len(weights)]):
        draw.text((left - 8, top + i * _CELL + 12), token, fill=0, font=font, anchor="rm")
        for j in range(columns):
            shade = round(255 * (1 - float(weights[i, j])))
            x, y = left + j * _CELL, top + i * _CELL
            draw.rectangle((x, y, x + _CELL - 1, y + _CELL - 1), fill=shade, outline=220)
    for j, token in enumerate(source):
        if len(token) == 1:
            draw.text((left + j * _CELL + 8, top - 14), token, fill=0, font=font)
            continue
        label = Image.new("L", (names, _CELL), 255)
        ImageDraw.Draw(label).text((4, 6), token, fill=0, font=font)
        page.paste(label.rotate(90, expand=True), (left + j * _CELL, _HEADER))
    return np.asarray(page)
