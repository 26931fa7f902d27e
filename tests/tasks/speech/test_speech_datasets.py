"""Data sets of speech: those inside the package, and archives laid out as the published ones."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from lstmlab.data.download import DATA_DIR_VARIABLE, DataError, data_directory
from lstmlab.tasks.speech.audio import log_mel, read_wav, trim
from lstmlab.tasks.speech.japanese_vowels.dataset import load_vowels
from lstmlab.tasks.speech.spoken_words import dataset as speech_commands
from lstmlab.tasks.speech.spoken_words.dataset import DIGIT_ARCHIVE, SPEAKERS, load_digits, read_commands


def tone(pitch, length=2000):
    file = io.BytesIO()
    wavfile.write(file, 8000, np.int16(8000 * np.sin(2 * np.pi * pitch * np.arange(length) / 8000)))
    return file.getvalue()


def archive(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return path


DIGITS = {f"recordings/{d}_{s}_{i}.wav": tone(300 + 100 * d + 20 * SPEAKERS.index(s), 1500 + 100 * d)
          for d in (0, 7) for s in ("theo", "george") for i in (0, 1)}  # fmt: skip


def test_the_published_vowels():
    vowels = load_vowels()
    train, test = vowels["train"], vowels["test"]
    assert (train.frames.shape, test.frames.shape) == ((270, 29, 12), (370, 29, 12))
    assert np.bincount(train.labels).tolist() == [30] * 9
    assert np.bincount(test.labels).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert (train.lengths.min(), test.lengths.max()) == (7, 29)
    # The first and last value of the first recording in the published file.
    assert train.frames[0, 0, 0] == pytest.approx(1.860936)
    assert train.frames[0, train.lengths[0] - 1, 0] == pytest.approx(1.261441)
    assert not train.frames[0, train.lengths[0] :].any()


def test_the_embedded_digits():
    (frames, lengths, labels), speakers = load_digits("digits")
    assert (len(frames), frames.dtype) == (1200, np.uint8)
    assert np.bincount(labels).tolist() == [120] * 10
    assert np.bincount(speakers).tolist() == [200] * 6
    assert (frames.max(axis=(1, 2)) == 255).all()
    assert all(not frames[row, length:].any() for row, length in enumerate(lengths))


@pytest.mark.parametrize("unpacked", [False, True], ids=["archive", "folder"])
def test_recordings_are_read_with_their_digit_and_speaker(tmp_path, unpacked):
    if unpacked:
        for name, content in DIGITS.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
    else:
        archive(tmp_path / DIGIT_ARCHIVE, DIGITS)
    (frames, lengths, labels), speakers = load_digits("digit_recordings", tmp_path)
    keys = [(int(digit), SPEAKERS[speaker]) for digit, speaker in zip(labels, speakers, strict=True)]
    found = {key: frames[row, : lengths[row]] for row, key in enumerate(keys)}
    assert len(labels) == 8
    for digit in (0, 7):
        for speaker in ("theo", "george"):
            expected = trim(log_mel(read_wav(DIGITS[f"recordings/{digit}_{speaker}_1.wav"], "")))
            np.testing.assert_array_equal(found[digit, speaker], expected)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no wav files"),
        ({"recordings/3_nobody_1.wav": tone(400)}, "3_nobody_1.wav is not named DIGIT_SPEAKER_INDEX.wav"),
        ({"recordings/three.wav": tone(400)}, "three.wav is not named"),
        ({"recordings/3_theo_1.wav": b"RIFF"}, "3_theo_1.wav is not a wav file"),
    ],
)
def test_recordings_that_cannot_be_used(tmp_path, files, message):
    archive(tmp_path / DIGIT_ARCHIVE, files)
    with pytest.raises(DataError, match=message) as error:
        load_digits("digit_recordings", tmp_path)
    assert "\n" not in str(error.value)


def test_recordings_that_are_not_there(tmp_path):
    with pytest.raises(
        DataError, match=rf"put the folder recordings of .* into {tmp_path}, as it is or as {DIGIT_ARCHIVE}"
    ):
        load_digits("digit_recordings", tmp_path)


def test_all_recordings_of_the_data_set_begin_with_the_embedded_ones():
    if not (data_directory() / DIGIT_ARCHIVE).exists():
        pytest.skip(f"no {DIGIT_ARCHIVE} in ${DATA_DIR_VARIABLE}")
    (frames, lengths, labels), speakers = load_digits("digit_recordings")
    assert np.bincount(speakers).tolist() == [500] * 6
    embedded = load_digits("digits").utterances
    mine = np.flatnonzero((labels == 0) & (speakers == 0))[0]
    np.testing.assert_array_equal(frames[mine, : lengths[mine]], embedded.frames[0, : embedded.lengths[0]])


COMMANDS = {
    "validation_list.txt": b"bed/a_nohash_0.wav\n", "testing_list.txt": b"cat/b_nohash_0.wav\nbed/b_nohash_0.wav\n",
    "_background_noise_/hum.wav": tone(100), "README.md": b"words", "bed/a_nohash_0.wav": tone(400),
    "bed/b_nohash_0.wav": tone(500), "bed/c_nohash_0.wav": tone(600, 9000), "cat/b_nohash_0.wav": tone(700),
    "cat/c_nohash_0.wav": tone(800),
}  # fmt: skip


def test_commands_come_in_their_published_splits_and_are_kept(tmp_path, monkeypatch):
    path = archive(tmp_path / "commands.tar.gz", COMMANDS)
    splits, words = read_commands(path)
    assert words == ("bed", "cat")
    assert {split: part.labels.tolist() for split, part in splits.items()} == {
        "train": [0, 1], "validation": [0], "test": [0, 1]
    }  # fmt: skip
    assert splits["train"].lengths.tolist() == [64, 2000 // 128 + 1]
    expected = log_mel(read_wav(COMMANDS["cat/b_nohash_0.wav"], ""))
    np.testing.assert_array_equal(splits["test"].frames[1, : len(expected)], expected)
    read_commands.cache_clear()
    monkeypatch.setattr(speech_commands, "read_members", None)  # the archive is not read again
    again = read_commands(path).splits
    np.testing.assert_array_equal(again["test"].frames, splits["test"].frames)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["commands.log-mel-1.npz", "commands.tar.gz"]


@pytest.mark.parametrize("lacking", ["validation_list.txt", "testing_list.txt", "wav"])
def test_an_archive_without_what_it_needs_is_refused_and_nothing_is_kept(tmp_path, lacking):
    path = archive(tmp_path / "commands.tar.gz", {n: c for n, c in COMMANDS.items() if not n.endswith(lacking)})
    with pytest.raises(DataError, match=lacking if lacking != "wav" else "recordings"):
        read_commands(path)
    assert list(tmp_path.iterdir()) == [path]
