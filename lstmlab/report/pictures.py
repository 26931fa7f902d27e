"""Pictures and texts from run directories, small enough to be part of a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, ImageSequence

_WIDTH = 900
"""pixels of the widest picture"""
_VIDEO_WIDTH, _MOST_FRAMES = 480, 40
_QUALITY = 82
_MOST_CHARACTERS = 2000


class Unusable(Exception):
    """A file that cannot be shown; the message is one line that says why."""


def inside(directory: Path, path: Path) -> bool:
    """Whether a file lies in a run directory; a link to elsewhere would show what the run did not write."""
    return path.resolve().is_relative_to(directory.resolve())


def embedded(path: Path) -> str:
    """A PNG or GIF as a ``data:`` address of a WebP image, at most 900 pixels wide.

    Raises ``Unusable`` where it is no image that can be read.
    """
    try:
        with Image.open(path) as image:
            stream = io.BytesIO()
            if getattr(image, "n_frames", 1) > 1:
                _animation(image, stream)
            else:
                small = _smaller(image.convert("RGB"), _WIDTH)
                small.save(stream, format="WEBP", quality=_QUALITY, method=4)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise Unusable(f"{path} cannot be shown: {' '.join(str(error).split())}") from None
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()


def beginning(path: Path) -> str:
    """The first 2000 characters of a text file. Raises ``Unusable`` where it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(_MOST_CHARACTERS + 1)
    except OSError as error:
        raise Unusable(f"{path} cannot be shown: {error.strerror}") from None
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"


def _animation(image: Image.Image, stream: io.BytesIO) -> None:
    every = -(-getattr(image, "n_frames", 1) // _MOST_FRAMES)
    frames, durations = [], []
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        if number % every == 0:
            frames.append(_smaller(frame.convert("RGB"), _VIDEO_WIDTH))
            durations.append(int(frame.info.get("duration", 200)) * every)
    frames[0].save(
        stream, format="WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=_QUALITY
    )


def _smaller(image: Image.Image, width: int) -> Image.Image:
    if image.width <= width:
        return image
    return image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
