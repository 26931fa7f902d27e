"""Images as arrays of pixels: checked, enlarged, put side by side, and encoded as PNG and GIF."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_TEXT = (60, 60, 60)
_BACKGROUND = (255, 255, 255)


def to_pixels(values: np.ndarray, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Numbers of any shape as uint8 of the same shape: ``low`` is black, ``high`` is white.

    Values outside are clipped; NaN becomes black. Raises ``ValueError`` unless ``low < high``.
    """
    if not low < high:
        raise ValueError(f"low must be below high, not {low} and {high}")
    scaled = (np.asarray(values, np.float64) - low) * (255.0 / (high - low))
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255)).astype(np.uint8)


def image_from(pixels: np.ndarray) -> Image.Image:
    """A Pillow image of uint8 pixels ``height width`` or ``height width 3``.

    Raises ``ValueError`` for another type or shape: floats in [0, 1] would otherwise become black images.
    """
    pixels = np.asarray(pixels)
    grey_or_colour = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == 3)
    if pixels.dtype != np.uint8 or not grey_or_colour or pixels.size == 0:
        raise ValueError(
            "an image is uint8 of shape (height, width) or (height, width, 3), "
            f"not {pixels.dtype} of shape {pixels.shape} (see lstmlab.plots.images.to_pixels)"
        )
    return Image.fromarray(np.ascontiguousarray(pixels))


def png_bytes(pixels: np.ndarray) -> bytes:
    """uint8 pixels ``height width`` or ``height width 3`` as a PNG file."""
    buffer = io.BytesIO()
    image_from(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def gif_bytes(frames: np.ndarray, *, frames_per_second: float = 5.0, smallest_side: int = 128) -> bytes:
    """uint8 frames ``time height width`` (or ``… 3``) as an animated GIF that loops.

    Small frames are enlarged by a whole factor, without smoothing, until their shorter side has
    ``smallest_side`` pixels: a frame of 16×16 pixels is too small to judge by eye.
    Raises ``ValueError`` for another type or shape, or without frames.
    """
    frames = np.asarray(frames)
    if frames.ndim not in (3, 4) or len(frames) == 0:
        raise ValueError(
            "a video is uint8 of shape (time, height, width) or (time, height, width, 3) with "
            f"at least one frame, not {frames.dtype} of shape {frames.shape}"
        )
    first, *rest = (image_from(enlarged(frame, smallest_side)) for frame in frames)
    buffer = io.BytesIO()
    first.save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=rest,
        duration=round(1000 / frames_per_second),
        loop=0,
    )
    return buffer.getvalue()


def frames_to_gif(path: Path | str, frames: np.ndarray, *, frames_per_second: float = 5.0) -> None:
    """Write uint8 frames ``time height width`` (or ``… 3``) as an animated GIF."""
    Path(path).write_bytes(gif_bytes(frames, frames_per_second=frames_per_second))


def enlarged(pixels: np.ndarray, smallest_side: int) -> np.ndarray:
    """``height width …`` repeated by the smallest whole factor that reaches ``smallest_side``."""
    factor = max(1, -(-smallest_side // min(pixels.shape[:2])))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def frames_grid(rows: Mapping[str, np.ndarray], *, smallest_side: int = 64, first_time: int = 1) -> np.ndarray:
    """Labelled rows of frames (say input, truth, prediction) as one image.

    ``rows`` maps a label to uint8 frames ``time height width`` or ``time height width 3``, all of
    the same height and width; rows may have fewer frames than others. Columns are numbered from
    ``first_time``. Returns uint8 ``height width 3``, for ``Tracker.image``.
    Raises ``ValueError`` without rows or when the frames differ in size.
    """
    strips = {label: np.asarray(frames) for label, frames in rows.items()}
    sizes = {frames.shape[1:3] for frames in strips.values()}
    if len(sizes) != 1 or any(frames.ndim not in (3, 4) for frames in strips.values()):
        shapes = ", ".join(f"{label} {frames.shape}" for label, frames in strips.items())
        raise ValueError(f"rows of frames need one height and width: {shapes or 'no rows given'}")
    height, width = enlarged(next(iter(strips.values()))[0], smallest_side).shape[:2]
    gap, font = 4, ImageFont.load_default(size=14)
    header = 22
    margin = 14 + round(max(font.getlength(label) for label in strips))
    columns = max(len(frames) for frames in strips.values())
    size = (margin + columns * (width + gap), header + len(strips) * (height + gap))
    sheet = Image.new("RGB", size, _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for column in range(columns):
        middle = margin + column * (width + gap) + width // 2
        draw.text((middle, header // 2), str(first_time + column), _TEXT, font, anchor="mm")
    for row, (label, frames) in enumerate(strips.items()):
        top = header + row * (height + gap)
        draw.text((margin - 8, top + height // 2), label, _TEXT, font, anchor="rm")
        for column, frame in enumerate(frames):
            tile = image_from(enlarged(frame, smallest_side))
            sheet.paste(tile.convert("RGB"), (margin + column * (width + gap), top))
    return np.asarray(sheet)
