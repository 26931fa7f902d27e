"""What a decoder looked at, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8


def attention_map(
    weights: Float[np.ndarray, "outputs source"], source: Sequence[str], outputs: Sequence[str]
) -> UInt8[np.ndarray, "height width"]:
    """A row per output token, a column per source token, dark where much attention is; weights beyond the tokens are
    those of padding and are left out."""
    from matplotlib.font_manager import findfont
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(findfont("DejaVu Sans"), 11)  # comes with Matplotlib; Pillow's own font lacks letters
    cell, left, top = 24, 12 + 7 * max([4, *map(len, outputs)]), 12 + 7 * max([1, *map(len, source)])
    rows, columns = len(outputs), len(source)
    page = Image.new("L", (left + cell * columns, top + cell * rows), 255)
    draw = ImageDraw.Draw(page)
    for i, token in enumerate(outputs[: len(weights)]):
        draw.text((4, top + i * cell + 6), token, fill=0, font=font)
        for j in range(columns):
            shade = round(255 * (1 - float(weights[i, j])))
            x, y = left + j * cell, top + i * cell
            draw.rectangle((x, y, x + cell - 1, y + cell - 1), fill=shade, outline=220)
    for j, symbol in enumerate(source):
        if len(symbol) == 1:
            draw.text((left + j * cell + 8, top - 14), symbol, fill=0, font=font)
            continue
        label = Image.new("L", (top, cell), 255)
        ImageDraw.Draw(label).text((4, 6), symbol, fill=0, font=font)
        page.paste(label.rotate(90, expand=True), (left + j * cell, 0))
    return np.asarray(page)
