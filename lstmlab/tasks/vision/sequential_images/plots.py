"""A sheet of classified images."""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer, UInt8
from PIL import Image, ImageDraw, ImageFont

_FRAME, _PER_ROW, _SIDE = 6, 5, 80
"""pixels of a frame, images in a row, and the least pixels of an image, under which its caption has room"""
_HEADER, _CAPTION = 24, 18
_WRONG, _TEXT, _PAPER = (213, 94, 0), (60, 60, 60), (255, 255, 255)


def image_sheet(
    images: UInt8[np.ndarray, "count h w channels"],
    labels: Integer[np.ndarray, " count"],
    predictions: Integer[np.ndarray, " count"],
) -> UInt8[np.ndarray, "height width 3"]:
    """Images five in a row, in colour and enlarged, each above the number of its class.

    Those classified wrongly have a red frame, and the number of the class that the model named. A header says so.
    """
    zoom = -(-_SIDE // images.shape[2])
    height, width = (side * zoom + 2 * _FRAME for side in images.shape[1:3])
    rows = -(-len(images) // _PER_ROW)
    sheet = Image.new("RGB", (width * _PER_ROW, _HEADER + rows * (height + _CAPTION)), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    count = int(np.sum(labels != predictions))
    draw.text((_FRAME, _HEADER // 2), f"first test images; framed: wrong ({count} of {len(images)})", _TEXT, font, "lm")
    for number, (image, label, prediction) in enumerate(zip(images, labels, predictions, strict=True)):
        row, column = divmod(number, _PER_ROW)
        left, top = column * width, _HEADER + row * (height + _CAPTION)
        wrong = label != prediction
        if wrong:
            draw.rectangle((left + 1, top + 1, left + width - 2, top + height - 2), _WRONG)
        pixels = np.broadcast_to(image, (*image.shape[:2], 3)).repeat(zoom, axis=0).repeat(zoom, axis=1)
        sheet.paste(Image.fromarray(np.ascontiguousarray(pixels)), (left + _FRAME, top + _FRAME))
        caption = f"{label} taken for {prediction}" if wrong else str(label)
        place = (left + width // 2, top + height + _CAPTION // 2 - 2)
        draw.text(place, caption, _WRONG if wrong else _TEXT, font, "mm")
    return np.asarray(sheet)
