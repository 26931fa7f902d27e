"""Wav files, and the log-mel spectrograms that speech recognisers read."""

from __future__ import annotations

import functools
import io
import math
import warnings

import numpy as np
from jaxtyping import Float, UInt8

from lstmlab.data.download import DataError

RATE = 8000  # Hz
BANDS = 24
WINDOW, HOP = 256, 128  # samples: 32 ms, 16 ms
LOWEST, HIGHEST = 60.0, 4000.0  # Hz
RANGE = 35.0  # dB below the loudest point of a recording
EDGE = 25.0  # dB below it: softer frames at the ends are not speech


def read_wav(content: bytes, name: str) -> Float[np.ndarray, " samples"]:
    """A wav file's samples at 8 kHz, between −1 and 1.

    Channels are averaged; another rate is resampled by SciPy's polyphase filter, which removes frequencies above 4 kHz.

    Raises:
        DataError: ``name`` is not a wav file, is cut off, or holds no sound.
    """
    # scipy.signal takes half a second to import, which other tasks need not wait for.
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks other than sound
            rate, samples = wavfile.read(io.BytesIO(content))
    except Exception as error:  # SciPy raises whatever the broken bytes lead to
        raise DataError(f"{name} is not a wav file that can be read ({' '.join(str(error).split())})") from error
    if samples.size == 0 or rate <= 0:
        raise DataError(f"{name} holds no sound")
    if cut_short(content):
        raise DataError(f"{name} is cut off: it is shorter than its header says")
    if samples.dtype.kind in "iu":
        middle = 128.0 if samples.dtype == np.uint8 else 0.0  # 8-bit wav files are unsigned
        samples = (samples - middle) / (np.iinfo(samples.dtype).max - middle)
    mono = np.asarray(samples, np.float64).reshape(len(samples), -1).mean(axis=1)
    if not np.isfinite(mono).all():
        raise DataError(f"{name} holds samples that are not finite")
    common = math.gcd(rate, RATE)
    return mono if rate == RATE else resample_poly(mono, RATE // common, rate // common)


def cut_short(content: bytes) -> bool:
    """Whether a wav file is shorter than its header says.

    Programs that write to a pipe give 0 or 2³² − 1 as the size, which says nothing.
    """
    at = 12
    while content[:4] == b"RIFF" and at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"data":
            return size not in (0, 2**32 - 1) and at + 8 + size > len(content)
        at += 8 + size + size % 2
    return False


def log_mel(samples: Float[np.ndarray, " samples"]) -> UInt8[np.ndarray, "frames bands"]:
    """The power in 24 mel bands every 16 ms, in steps of 35/255 dB: 255 at the loudest point, 0 at 35 dB below it and
    less. Softer sound is mostly the noise of the room, from which a model could recognise the speaker.

    A frame is a centred Hann window of 32 ms; bands are triangles between 60 and 4000 Hz, equally wide in mel.
    """
    from scipy.signal import stft

    short = max(WINDOW - len(samples), 0)
    padded = np.pad(samples, (0, short))
    _, _, spectrum = stft(padded, RATE, "hann", WINDOW, WINDOW - HOP, boundary="even", padded=False)
    power = mel_filters() @ np.abs(spectrum) ** 2
    loudest = power.max()
    if loudest <= 0:  # silence
        return np.zeros(power.T.shape, np.uint8)
    decibels = 10 * np.log10(np.maximum(power / loudest, 10 ** (-RANGE / 10)))
    return np.rint(255 * (1 + decibels.T / RANGE)).astype(np.uint8)


def trim(frames: UInt8[np.ndarray, "frames bands"]) -> UInt8[np.ndarray, "frames bands"]:
    """A spectrogram of :func:`log_mel` without the frames at its ends in which no band comes within 25 dB of the
    loudest point: how much silence surrounds a word depends on who cut the recording.
    """
    spoken = np.flatnonzero(frames.max(axis=1) > 255 * (1 - EDGE / RANGE))
    return frames[spoken[0] : spoken[-1] + 1] if len(spoken) else frames


@functools.cache
def mel_filters() -> Float[np.ndarray, "bands bins"]:
    """Triangular filters on the bins of a frame's spectrum; mel(f) = 2595 log10(1 + f/700) (O'Shaughnessy 1987)."""
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    low, high = (2595 * math.log10(1 + f / 700) for f in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    left, centre, right = (edges[k : k + BANDS, None] for k in range(3))
    return np.maximum(np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)), 0)
