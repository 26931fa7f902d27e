"""Wav files as samples at 8 kHz, and their log-mel spectrograms, against the definitions written out."""

import io
import math

import numpy as np
import pytest
from scipy.io import wavfile

from lstmlab.data.download import DataError
from lstmlab.tasks.speech.audio import (
    BANDS,
    EDGE,
    HOP,
    RANGE,
    RATE,
    WINDOW,
    log_mel,
    mel_filters,
    read_wav,
    trim,
)

TONE = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)


def wav(samples, rate=RATE):
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


@pytest.mark.parametrize(
    ("dtype", "scale", "middle"), [("int16", 32767, 0), ("int32", 2**31 - 1, 0), ("uint8", 127, 128), ("float32", 1, 0)]
)
def test_every_kind_of_samples_is_read_alike(dtype, scale, middle):
    written = np.round(TONE * scale + middle) if scale > 1 else TONE
    np.testing.assert_allclose(read_wav(wav(written.astype(dtype)), "a.wav"), TONE, atol=0.01)


def test_channels_are_averaged():
    both = np.stack([TONE, -TONE / 2], axis=1).astype("float32")
    np.testing.assert_allclose(read_wav(wav(both), "a.wav"), TONE / 4, atol=1e-6)


@pytest.mark.parametrize("rate", [16000, 44100, 4000])
def test_another_rate_is_resampled_to_the_same_tone(rate):
    tone = np.sin(2 * np.pi * 500 * np.arange(rate) / rate).astype("float32")
    found = read_wav(wav(tone, rate), "a.wav")
    assert abs(len(found) - RATE) <= 1
    expected = np.sin(2 * np.pi * 500 * np.arange(len(found)) / RATE)
    assert np.abs(found - expected)[400:-400].max() < 0.02


def test_what_lies_above_four_kilohertz_does_not_come_back_as_another_tone():
    high = np.sin(2 * np.pi * 7000 * np.arange(16000) / 16000).astype("float32")
    assert np.abs(read_wav(wav(high, 16000), "a.wav"))[100:-100].max() < 0.05


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a wav file"),
        (b"ID3 this is music", "not a wav file"),
        (wav(TONE.astype("float32"))[:30], "not a wav file"),
        (wav(np.zeros(0, "int16")), "holds no sound"),
        (wav(np.full(100, np.nan, "float32")), "not finite"),
    ],
)
def test_what_is_no_sound_is_named_in_one_line(content, message):
    with pytest.raises(DataError, match=rf"x/3_theo_1\.wav .*{message}|{message}") as error:
        read_wav(content, "x/3_theo_1.wav")
    assert str(error.value).startswith("x/3_theo_1.wav ")
    assert "\n" not in str(error.value)


def test_filters_are_the_triangles_of_the_definition():
    def mel(f):
        return 2595 * math.log10(1 + f / 700)

    def hertz(m):
        return 700 * (10 ** (m / 2595) - 1)

    width = (mel(4000) - mel(60)) / (BANDS + 1)
    edges = [hertz(mel(60) + k * width) for k in range(BANDS + 2)]
    for band in range(BANDS):
        left, centre, right = edges[band : band + 3]
        for index in range(WINDOW // 2 + 1):
            f = index * RATE / WINDOW
            rising, falling = (f - left) / (centre - left), (right - f) / (right - centre)
            assert mel_filters()[band, index] == pytest.approx(max(min(rising, falling), 0), abs=1e-9)
    assert (mel_filters().max(axis=1) > 0.3).all()  # no band falls between two bins


def test_a_spectrogram_is_that_of_the_definition():
    samples = np.random.default_rng(0).normal(size=1000)
    found = log_mel(samples)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    around = np.pad(samples, WINDOW // 2, mode="reflect")
    power = []
    for start in range(0, len(around) - WINDOW + 1, HOP):
        piece = around[start : start + WINDOW] * hann
        bins = [abs(sum(piece * np.exp(-2j * np.pi * k * np.arange(WINDOW) / WINDOW))) ** 2 for k in range(129)]
        power.append(mel_filters() @ bins)
    decibels = 10 * np.log10(np.array(power) / np.max(power))
    expected = 255 * (1 + np.maximum(decibels, -RANGE) / RANGE)
    assert found.shape == expected.shape == (len(samples) // HOP + 1, BANDS)
    assert np.abs(found - expected).max() <= 0.5 + 1e-6


def test_a_tone_is_loudest_in_its_band_and_loudness_does_not_matter():
    spectrogram = log_mel(TONE)
    band = spectrogram[20].argmax()
    assert mel_filters()[band, round(1000 * WINDOW / RATE)] > 0.3
    np.testing.assert_array_equal(log_mel(TONE / 100), spectrogram)


def test_silence_and_a_single_sample_have_a_spectrogram_too():
    assert not log_mel(np.zeros(1000)).any()
    assert log_mel(np.ones(1)).shape[1] == BANDS


def test_silence_at_the_ends_goes_and_a_pause_stays():
    silence, loud = np.zeros((5, BANDS), np.uint8), np.full((3, BANDS), 255, np.uint8)
    soft = np.full((1, BANDS), round(255 * (1 - (EDGE + 1) / RANGE)), np.uint8)
    edge = np.full((1, BANDS), round(255 * (1 - (EDGE - 1) / RANGE)), np.uint8)
    word = np.concatenate([edge, loud, silence, loud])
    np.testing.assert_array_equal(trim(np.concatenate([silence, soft, word, soft])), word)
    np.testing.assert_array_equal(trim(silence), silence)


def test_a_recording_that_is_cut_off_is_refused():
    whole = io.BytesIO()
    wavfile.write(whole, 8000, (TONE * 20000).astype(np.int16))
    content = whole.getvalue()
    assert len(read_wav(content, "a.wav")) == len(TONE)
    with pytest.raises(DataError, match=r"a\.wav is cut off"):
        read_wav(content[: len(content) // 2 // 2 * 2], "a.wav")
