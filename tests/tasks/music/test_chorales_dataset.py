"""Piano rolls: Bach's chorales with the published splits, and generated pieces that are always the same."""

from pathlib import Path

import numpy as np
import pytest

from lstmlab.data.download import DataError, data_directory
from lstmlab.tasks.music.chorales.dataset import LOWEST, load_chorales

FILE = Path("jsb_chorales/jsb-chorales-quarter.json")
needs_bach = pytest.mark.skipif(not (data_directory() / FILE).exists(), reason="the chorales are not downloaded")


@needs_bach
def test_the_chorales_are_the_published_splits():
    rolls = load_chorales("jsb")
    assert {split: len(r.lengths) for split, r in rolls.items()} == {"train": 229, "validation": 76, "test": 77}
    train = rolls["train"]
    assert train.notes.shape == (229, 129, 88)
    assert train.lengths.sum() == 13807
    assert list(np.flatnonzero(train.notes[0, 0]) + LOWEST) == [60, 72, 79, 88]


def test_cadences_are_four_voices_without_a_key_out_of_range():
    rolls = load_chorales("cadences")
    for roll in rolls.values():
        steps = [notes[:length] for notes, length in zip(roll.notes, roll.lengths, strict=True)]
        assert all(piece.sum(1).min() >= 2 and piece.sum(1).max() == 4 for piece in steps)
        assert all(not notes[length:].any() for notes, length in zip(roll.notes, roll.lengths, strict=True))
        # A piece stays in one major key: seven pitch classes at most.
        for piece in steps:
            assert len({(key + LOWEST) % 12 for key in np.flatnonzero(piece.any(0))}) <= 7


def test_cadences_are_always_the_same_and_splits_differ():
    once, again = load_chorales("cadences"), load_chorales("cadences")
    for split in once:
        np.testing.assert_array_equal(once[split].notes, again[split].notes)
    assert not np.array_equal(once["validation"].notes[:, :10], once["test"].notes[:, :10])


def test_an_unknown_corpus_names_the_known_ones():
    with pytest.raises(DataError, match=r"'wtc'.*cadences, jsb"):
        load_chorales("wtc")


def test_a_wrong_file_is_refused(tmp_path):
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(DataError, match=r"jsb-chorales-quarter\.json"):
        load_chorales("jsb", tmp_path)
