"""Sound as a picture: wav files, and the log-mel spectrogram that speech recognisers read."""

from __future__ import annotations

import functools
import io
import math
import warnings

import numpy as np
from jaxtyping import Float, Int, UInt8

from lstmlab.data.download import DataError

RATE = 8000  # Hz
BANDS = 24
WINDOW, HOP = 256, 128  # samples: 32 ms, 16 ms
LOWEST, HIGHEST = 60.0, 4000.0  # Hz
RANGE = 35.0  # dB below the loudest point of a recording
EDGE = 25.0  # dB below it: what is softer at the ends is not speech


def read_wav(content: bytes, name: str) -> Float[np.ndarray, " samples"]:
    """A wav file's samples at 8 kHz, between −1 and 1.

    Channels are averaged; another rate is resampled (polyphase filter of SciPy), which removes what lies above 4 kHz.

    Raises:
        DataError: ``name`` is no wav file, or holds no sound.
    """
    # SciPy's signal processing takes half a second to import: only those who read sound pay for it.
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks that are no sound
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
    """Whether a wav file ends before its samples do; programs that write to a pipe say 0 or 2³² − 1 bytes of them."""
    at = 12
    while content[:4] == b"RIFF" and at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"data":
            return size not in (0, 2**32 - 1) and at + 8 + size > len(content)
        at += 8 + size + size % 2
    return False


def log_mel(samples: Float[np.ndarray, " samples"]) -> UInt8[np.ndarray, "frames bands"]:
    """The power in 24 mel bands, every 16 ms, in steps of 35/255 dB: 255 at the loudest point, 0 at 35 dB below it
    and less: what is softer is mostly the noise of the room, by which a model would know the speaker.

    A frame is a Hann window of 32 ms, centred; bands are triangles between 60 and 4000 Hz, equally wide in mel.
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
    loudest point: how much silence there is around a word depends on who cut the recording."""
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


def pad_frames(
    recordings: list[np.ndarray], longest: int | None = None
) -> tuple[np.ndarray, Int[np.ndarray, " recordings"]]:
    """Recordings ``[frames, features]`` of one type as one array ``[recordings, longest, features]``, zeros behind
    their ends, and their lengths; what is longer than ``longest`` is cut off."""
    lengths = np.array([len(frames) for frames in recordings], np.int32)
    longest = int(lengths.max()) if longest is None else longest
    lengths = np.minimum(lengths, longest)
    padded = np.zeros((len(recordings), longest, recordings[0].shape[1]), recordings[0].dtype)
    for row, (frames, length) in enumerate(zip(recordings, lengths, strict=True)):
        padded[row, :length] = frames[:length]
    return padded, lengths
