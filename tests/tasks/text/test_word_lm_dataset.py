"""Words: the tokenisers, the vocabulary of the training split, the Penn Treebank's files, WikiText-2's archive."""

import dataclasses
import hashlib
import io
import json
import zipfile

import numpy as np
import pytest

from lstmlab.data import registry
from lstmlab.data.download import DataError
from lstmlab.tasks.text.word_lm.dataset import (
    PTB_PARTS,
    WIKITEXT_PARTS,
    WordVocabulary,
    load_ptb,
    load_wikitext2,
    tokenise,
)
from lstmlab.tracking.plain import from_plain, to_plain
from tests.data.download_server import server  # noqa: F401

PTB = {
    "ptb-train": " aer banknote berlitz \n pierre <unk> N years old u.s. n't \n",
    "ptb-valid": " consumers may want N \n",
    "ptb-test": " no it was n't black monday \n",
}


def test_words_keep_inner_signs_and_signs_stand_alone():
    text = "'Tis well-meant, o'clock!--\n[Exit <unk>.]\n\nA_b é."
    assert tokenise(text) == [
        "'", "Tis", "well-meant", ",", "o'clock", "!", "--", "<eos>",
        "[", "Exit", "<unk>", ".", "]", "<eos>", "<eos>", "A", "_", "b", "é", ".",
    ]  # fmt: skip
    assert tokenise("The THE the", lower=True) == ["the"] * 3


def test_text_that_is_tokenised_already_is_split_at_spaces():
    assert tokenise(PTB["ptb-train"], signs=False) == [
        "aer", "banknote", "berlitz", "<eos>", "pierre", "<unk>", "N", "years", "old", "u.s.", "n't", "<eos>",
    ]  # fmt: skip


def test_vocabulary_holds_what_occurs_often_enough_commonest_first():
    vocabulary = WordVocabulary.of(["b", "a", "<unk>", "c", "b", "a", "b", "<unk>", "d"], 2)
    assert vocabulary.words == ("<unk>", "b", "a")
    np.testing.assert_array_equal(vocabulary.encode("a z b <unk>"), [2, 0, 1, 0])
    assert vocabulary.encode("a").dtype == np.int32
    assert vocabulary.unknown("a z c z <unk>") == ["z", "c"]
    assert WordVocabulary.of(["b", "a", "<unk>"], 1).size == 3


def test_text_comes_back_from_its_words():
    text = "What, ho!\n[Exit (he) now.]\n\nNo; more: go?\n"
    vocabulary = WordVocabulary.of(tokenise(text), 1)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    spaced = WordVocabulary.of(tokenise("a ( b ) , c\n", signs=False), 1, signs=False)
    assert spaced.decode(spaced.encode("a ( b ) , c\n")) == "a ( b ) , c\n"


def test_what_is_no_vocabulary_or_no_index_is_refused():
    with pytest.raises(ValueError, match="first word of a vocabulary is <unk>"):
        WordVocabulary(("a",))
    with pytest.raises(ValueError, match="each word once"):
        WordVocabulary(("<unk>", "a", "a"))
    for index in (-1, 2):
        with pytest.raises(ValueError, match="indices must lie in 0 … 1"):
            WordVocabulary(("<unk>", "a")).decode([index])


@pytest.fixture
def treebank(tmp_path, monkeypatch):
    """A data directory with three tiny files of the treebank's layout."""
    (tmp_path / "ptb").mkdir()
    for name, text in PTB.items():
        entry = registry.REGISTRY[name]
        (tmp_path / entry.filename).write_text(text)
        known = "md5:" + hashlib.md5(text.encode()).hexdigest()
        monkeypatch.setitem(registry.REGISTRY, name, dataclasses.replace(entry, known_hash=known))
    return tmp_path


def test_the_treebank_is_read_as_it_is_published(treebank):
    assert load_ptb(treebank, offline=True) == {split: PTB[name] for split, name in PTB_PARTS.items()}


def test_a_wrong_or_missing_file_of_the_treebank_is_named(treebank, monkeypatch):
    path = treebank / "ptb/ptb.valid.txt"
    path.write_text("something else")
    with pytest.raises(DataError, match=r"ptb\.valid\.txt is not the ptb-valid file it should be"):
        load_ptb(treebank, offline=True)
    path.unlink()
    with pytest.raises(DataError, match=r"put https://raw.*data/ptb\.valid\.txt at .*ptb/ptb\.valid\.txt"):
        load_ptb(treebank, offline=True)
    path.write_bytes(b"\xff\xfe")
    known = "md5:" + hashlib.md5(b"\xff\xfe").hexdigest()
    entry = dataclasses.replace(registry.REGISTRY["ptb-valid"], known_hash=known)
    monkeypatch.setitem(registry.REGISTRY, "ptb-valid", entry)
    with pytest.raises(DataError, match=r"ptb\.valid\.txt is no text in UTF-8"):
        load_ptb(treebank, offline=True)


WIKITEXT = {
    "train": " \n = Robert <unk> = \n \n A well @-@ , 1 @.@ 5 m <unk> ( 2 @,@ 000 ) – é . \n \n = = Career = = \n",
    "validation": " \n = Homarus = \n",
    "test": " \n = Infinity = \n NaN \n",
}


def archive(parts=WIKITEXT_PARTS, texts=WIKITEXT):
    """A zip in the layout of WikiText-2."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("wikitext-2/", "")
        for split, name in parts.items():
            text = texts[split]
            file.writestr(name, text if isinstance(text, bytes) else text.encode())
    return packed.getvalue()


@pytest.fixture
def served(server, tmp_path, monkeypatch):  # noqa: F811
    """A function that puts an archive on a server, and reads WikiText-2 from there."""

    def read(content):
        server.content = content
        known = "sha256:" + hashlib.sha256(content).hexdigest()
        entry = dataclasses.replace(registry.REGISTRY["wikitext2"], url=f"{server.url}/range", known_hash=known)
        monkeypatch.setitem(registry.REGISTRY, "wikitext2", entry)
        return load_wikitext2(tmp_path)

    return read


def test_wikitext_is_downloaded_and_read_without_unpacking(served, tmp_path):
    assert served(archive()) == WIKITEXT
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")] == ["wikitext2/wikitext-2-v1.zip"]
    assert load_wikitext2(tmp_path, offline=True) == WIKITEXT
    words = tokenise(WIKITEXT["train"], signs=False)
    assert words[:6] == ["<eos>", "=", "Robert", "<unk>", "=", "<eos>"]
    assert words.count("<eos>") == WIKITEXT["train"].count("\n")
    assert {"@-@", "@.@", "@,@", "–", "é"} <= set(words)


def test_an_archive_of_another_layout_is_named_with_what_it_lacks(served, tmp_path):
    moved = WIKITEXT_PARTS | {"validation": "wikitext-2/wiki.valid.raw"}
    with pytest.raises(DataError, match=r"wikitext-2-v1\.zip holds no file wikitext-2/wiki\.valid\.tokens"):
        served(archive(moved))
    (tmp_path / "wikitext2/wikitext-2-v1.zip").unlink()
    with pytest.raises(DataError, match=r"wiki\.test\.tokens in .*wikitext-2-v1\.zip is no text in UTF-8"):
        served(archive(texts=WIKITEXT | {"test": b"\xff"}))
    (tmp_path / "wikitext2/wikitext-2-v1.zip").unlink()
    with pytest.raises(DataError, match=r"put http.* at .*wikitext2/wikitext-2-v1\.zip"):
        load_wikitext2(tmp_path, offline=True)


def test_a_vocabulary_comes_back_from_a_file(tmp_path):
    vocabulary = WordVocabulary(("<unk>", "NaN", "Infinity", "<eos>", "é", "\u2028"), signs=False, lower=True)
    assert WordVocabulary.from_plain(from_plain(json.loads(json.dumps(to_plain(vocabulary.plain()))))) == vocabulary
    for error, wrong in ((KeyError, {"words": "<unk>"}), (TypeError, vocabulary.plain() | {"words": ["<unk>"]})):
        with pytest.raises(error):
            WordVocabulary.from_plain(wrong)
