"""text8 and enwik8: read from archives as they are published, and the vocabulary of bytes."""

import dataclasses
import hashlib
import zipfile

import numpy as np
import pytest

from lstmlab.data import registry
from lstmlab.data.download import DataError
from lstmlab.tasks.text.char_lm.dataset import BYTE_CORPORA, ByteVocabulary, load_bytes

CONTENT = " anarchism originated as a term of abuse"


@pytest.mark.parametrize("corpus", BYTE_CORPORA)
def test_an_archive_is_read_without_unpacking(corpus, tmp_path, monkeypatch):
    path = tmp_path / f"{corpus}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(corpus, CONTENT)
    with pytest.raises(DataError, match=f"is not the {corpus} file it should be"):
        load_bytes(corpus, tmp_path, offline=True)
    known = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    entry = dataclasses.replace(registry.REGISTRY[corpus], known_hash=known)
    monkeypatch.setitem(registry.REGISTRY, corpus, entry)
    content = load_bytes(corpus, tmp_path, offline=True)
    assert content.dtype == np.uint8
    assert content.tobytes() == CONTENT.encode()
    assert [path.name for path in tmp_path.iterdir()] == [f"{corpus}.zip"]


def test_a_missing_archive_names_its_address_and_place(tmp_path):
    with pytest.raises(DataError, match=r"put https://mattmahoney\.net/dc/text8\.zip at .*text8\.zip"):
        load_bytes("text8", tmp_path, offline=True)
    with pytest.raises(DataError, match="'text9'; there are: text8, enwik8"):
        load_bytes("text9", tmp_path)


def test_text_goes_to_bytes_and_back():
    content = np.frombuffer("[[Größe]] – 1\n".encode(), np.uint8)
    vocabulary = ByteVocabulary.of(content)
    assert vocabulary.size == len(set(content.tolist()))
    indices = vocabulary.indices(content)
    assert indices.dtype == np.uint8
    np.testing.assert_array_equal(vocabulary.encode("[[Größe]] – 1\n"), indices)
    assert vocabulary.decode(indices) == "[[Größe]] – 1\n"
    assert vocabulary.decode(vocabulary.encode("ö")[:1]) == "�"
    assert vocabulary.encode("").shape == (0,)


def test_what_is_unknown_or_no_index_is_refused():
    vocabulary = ByteVocabulary(b"abc")
    with pytest.raises(ValueError, match=r"the vocabulary of 3 bytes has no 'ö' \(at position 1\)"):
        vocabulary.encode("aö")
    for index in (-1, 3):
        with pytest.raises(ValueError, match=r"indices must lie in 0 … 2"):
            vocabulary.decode([0, index])
    with pytest.raises(ValueError, match="at least one byte"):
        ByteVocabulary(b"")
    with pytest.raises(ValueError, match="each byte once"):
        ByteVocabulary(b"aa")
