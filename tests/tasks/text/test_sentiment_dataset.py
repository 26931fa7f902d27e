"""Reviews: the generated ones say nothing to a bag of words; IMDB's are read from their archive as published."""

import io
import re
import tarfile

import numpy as np
import pytest

from lstmlab.data.download import DataError
from lstmlab.tasks.text.sentiment import dataset as reviews
from lstmlab.tasks.text.sentiment.dataset import generate, load_reviews, read_imdb, tokenise


def valence_by_rule(text):
    """The label as a reader finds it who knows the grammar and not the generator."""
    sentence = next(s for s in " ".join(text).split(" . ") if "but" in s.split() or "although" in s.split())
    if " but " in sentence:
        main = sentence.split(" but ")[1]
    elif sentence.startswith("although"):
        main = sentence.split(" , ")[1]
    else:
        main = sentence.split(" , ")[0]
    words = re.findall(r"\w+", main)
    good = any(word in reviews._GOOD for word in words)
    return int(good != ("not" in words))


def test_order_decides_the_label_of_a_generated_review():
    part = generate(500, 7)
    assert [valence_by_rule(text) for text in part.texts] == part.labels.tolist()


def test_exchanging_the_clauses_exchanges_the_label_and_keeps_the_words():
    part = generate(300, 8)
    for text, label in zip(part.texts, part.labels, strict=True):
        line = " ".join(text)
        swapped = re.sub(r"(the \w+ was (?:not )?\w+)( but | , although )(the \w+ was (?:not )?\w+)", r"\3\2\1", line)
        swapped = re.sub(
            r"although (the \w+ was (?:not )?\w+) , (the \w+ was (?:not )?\w+)", r"although \2 , \1", swapped
        )
        assert sorted(swapped.split()) == sorted(text)
        assert valence_by_rule(swapped.split()) == 1 - label


def test_generated_splits_are_always_the_same_and_share_no_stream():
    splits = load_reviews("generated")
    assert {name: len(part.texts) for name, part in splits.items()} == {"train": 8000, "validation": 1000, "test": 2000}
    assert splits["test"].texts[:500] != splits["train"].texts[:500]
    seen = {" ".join(text) for text in splits["train"].texts}
    assert np.mean([" ".join(text) in seen for text in splits["test"].texts]) < 0.01


def test_tokens_are_lower_case_words_and_signs():
    assert tokenise("It's GREAT!<br /><br/>Isn\u2019t it? 10/10 — go.") == [
        "it's", "great", "!", "isn't", "it", "?", "10", "10", "go", ".",
    ]  # fmt: skip


def add(tar, name, text):
    member, content = tarfile.TarInfo(name), text.encode()
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def archive(path, skip=None):
    """The layout of the published archive, with twenty training files and four test files of each label."""
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "aclImdb/README", "about")
        add(tar, "aclImdb/train/unsup/0_0.txt", "never read")
        add(tar, "aclImdb/train/urls_pos.txt", "http://x")
        for part, count in (("train", 20), ("test", 4)):
            for kind in ("pos", "neg"):
                for number in reversed(range(count)):  # not in order, as published
                    if f"{part}/{kind}" != skip:
                        add(tar, f"aclImdb/{part}/{kind}/{number}_7.txt", f"{part} {kind} {number} café<br />film")
    return path


def test_imdb_is_split_by_file_number(tmp_path):
    splits = read_imdb(archive(tmp_path / "aclImdb_v1.tar.gz"), tokenise)
    assert {name: len(texts) for name, (texts, _) in splits.items()} == {"train": 36, "validation": 4, "test": 8}
    texts, labels = splits["validation"]
    assert [(text[1], int(text[2])) for text in texts] == [("neg", 18), ("neg", 19), ("pos", 18), ("pos", 19)]
    assert labels.tolist() == [0, 0, 1, 1]
    assert splits["test"][0][0] == ["test", "neg", "0", "caf", "film"]
    for texts, labels in splits.values():
        assert [int(text[1] == "pos") for text in texts] == labels.tolist()


def test_imdb_is_read_once_and_again_when_the_archive_changes(tmp_path):
    path, calls = archive(tmp_path / "aclImdb_v1.tar.gz"), []

    def counted(text):
        calls.append(text)
        return tokenise(text)

    first = read_imdb(path, counted)
    assert len(calls) == 48
    second = read_imdb(path, counted)
    assert len(calls) == 48
    assert [s[0] for s in first.values()] == [s[0] for s in second.values()]
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["aclImdb_v1.tar.gz", "aclImdb_v1.tokens-1.npz"]
    path.write_bytes(path.read_bytes() + b"\0")
    read_imdb(path, counted)
    assert len(calls) == 96


def test_a_broken_cache_is_made_anew_and_says_so(tmp_path):
    path = archive(tmp_path / "aclImdb_v1.tar.gz")
    (tmp_path / "aclImdb_v1.tokens-1.npz").write_bytes(b"PK\3\4 broken")
    with pytest.warns(UserWarning, match="made anew"):
        assert len(read_imdb(path, tokenise)["train"][0]) == 36


@pytest.mark.parametrize("spoil", ["cut", "text", "lacking"])
def test_a_wrong_archive_is_one_clear_line(tmp_path, spoil):
    path = archive(tmp_path / "aclImdb_v1.tar.gz", "test/neg" if spoil == "lacking" else None)
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:300])
    if spoil == "text":
        path.write_text("no archive")
    with pytest.raises(DataError, match=r"aclImdb_v1.tar.gz is not the archive of IMDB's reviews") as caught:
        read_imdb(path, tokenise)
    assert "\n" not in str(caught.value)


def test_an_archive_with_the_wrong_hash_is_refused(tmp_path):
    archive(tmp_path / "aclImdb_v1.tar.gz")
    with pytest.raises(DataError, match="expected md5:7c2ac02c"):
        load_reviews("imdb", tmp_path)


def test_unknown_corpus_names_those_there_are():
    with pytest.raises(DataError, match="generated, imdb"):
        load_reviews("yelp")
