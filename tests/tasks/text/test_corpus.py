"""Corpora and the character vocabulary."""

import random
import re
import string

import numpy as np
import pytest

from lstmlab.data.download import DataError
from lstmlab.tasks.text.corpus import CharVocabulary, load_text


@pytest.fixture(scope="module")
def shakespeare() -> str:
    return load_text("shakespeare")


def test_shakespeare_is_a_megabyte_of_a_small_alphabet(shakespeare):
    assert len(shakespeare) == 1_121_550
    assert set(shakespeare) == set(string.ascii_letters + " \n" + "!\"&'(),-.:;?[]")


def test_shakespeare_holds_the_plays_whole(shakespeare):
    titles = re.findall(r"^([A-Z][A-Z ,;]+)\n\nACT I\.$", shakespeare, flags=re.MULTILINE)
    assert len(titles) == 9
    assert titles[0] == "THE LIFE AND DEATH OF KING RICHARD III"
    assert titles[-1] == "THE TEMPEST"
    assert len(re.findall(r"^ACT V\.$", shakespeare, flags=re.MULTILINE)) == 9
    for line in (
        "Now is the winter of our discontent",
        "The quality of mercy is not strain'd;",
        "Beware the Ides of March.",
        "All the world's a stage,",
        "To-morrow, and to-morrow, and to-morrow,",
    ):
        assert line in shakespeare
    assert shakespeare.endswith("Let your indulgence set me free.\n")


def test_shakespeare_is_free_of_boilerplate_and_stray_space(shakespeare):
    boilerplate = r"gutenberg|e-?text|copyright|transcribe|footnote|http|dramatis personae"
    assert re.search(boilerplate, shakespeare, flags=re.IGNORECASE) is None
    assert re.search(r"\n{3,}|  |^ | $", shakespeare, flags=re.MULTILINE) is None


def test_speakers_stand_alone_in_capitals(shakespeare):
    speakers = re.findall(r"^[A-Z][A-Z ]+\.$", shakespeare, flags=re.MULTILINE)
    assert len(speakers) > 7000
    assert {"OTHELLO.", "ROSALIND.", "PROSPERO.", "FIRST WITCH."} <= set(speakers)


def test_unknown_corpus_names_the_known_ones():
    with pytest.raises(DataError, match=r"'milton'.*shakespeare, tiny_shakespeare"):
        load_text("milton")


@pytest.mark.parametrize("seed", range(20))
def test_vocabulary_round_trip(seed):
    rng = random.Random(seed)
    alphabet = rng.sample(string.printable + "äß€𝄞語", k=rng.randint(1, 60))
    text = "".join(rng.choices(alphabet, k=500))
    vocabulary = CharVocabulary.from_text(text)
    indices = vocabulary.encode(text)
    assert indices.dtype == np.int32
    assert indices.shape == (500,)
    assert set(indices.tolist()) == set(range(vocabulary.size))
    assert vocabulary.decode(indices) == text
    shuffled = "".join(rng.sample(vocabulary.characters, k=vocabulary.size))
    saved = CharVocabulary(shuffled)
    assert [saved.characters[i] for i in saved.encode(text)] == list(text)
    assert saved.decode(saved.encode(text)) == text


def test_vocabulary_is_sorted_and_restored_from_its_string():
    vocabulary = CharVocabulary.from_text("to be or not")
    assert vocabulary.characters == " benort"
    assert vocabulary.size == 7
    assert vocabulary.encode("note").tolist() == [3, 4, 6, 2]
    assert CharVocabulary(vocabulary.characters) == vocabulary


def test_vocabulary_encodes_a_corpus_and_nothing(shakespeare):
    vocabulary = CharVocabulary.from_text(shakespeare)
    indices = vocabulary.encode(shakespeare)
    assert vocabulary.size == 68
    assert vocabulary.decode(indices[-40:]) == shakespeare[-40:]
    assert np.bincount(indices)[vocabulary.encode("e")[0]] == shakespeare.count("e")
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.decode([]) == ""


@pytest.mark.parametrize("unknown", ["z", "\t", "é", "𝄞"])
def test_unknown_character_is_named_with_its_place(unknown):
    with pytest.raises(ValueError, match=re.escape(repr(unknown)) + r".*position 2"):
        CharVocabulary("abc").encode(f"ab{unknown}c")


@pytest.mark.parametrize("indices", [[0, 3], [-1], [[0, 1]], [0.5]])
def test_decode_refuses_what_is_no_index(indices):
    with pytest.raises(ValueError, match=r"indices must lie|expected integers"):
        CharVocabulary("abc").decode(indices)


@pytest.mark.parametrize("characters", ["", "aba"])
def test_vocabulary_refuses_what_is_no_bijection(characters):
    with pytest.raises(ValueError, match="vocabulary"):
        CharVocabulary(characters)
