"""The embedded part of the Brown corpus, its tags, and the classes of unknown words."""

import pytest

from lstmlab.tasks.text.tagging.dataset import LETTERS, TAGS, ShapeVocabulary, load_brown, universal


@pytest.mark.parametrize(("brown", "tag"), [
    ("nn-tl", "NOUN"), ("np$", "NOUN"), ("nr-tl-hl", "NOUN"), ("bedz*", "VERB"), ("md", "VERB"), ("*", "ADV"),
    ("ppss+bem", "PRON"), ("wps+hvz", "PRON"), ("pp$", "DET"), ("at", "DET"), ("cs", "ADP"), ("to", "PRT"),
    ("cd-tl", "NUM"), ("cc", "CONJ"), (".-hl", "."), ("--", "."), ("fw-in+at-tl", "X"), ("uh", "X"), ("od", "ADJ"),
    ("wrb", "ADV"), ("ex", "PRON"), ("nil", "X"),
])  # fmt: skip
def test_brown_tags_become_universal_ones(brown, tag):
    assert universal(brown) == tag


def test_a_tag_that_is_none_is_an_error():
    with pytest.raises(KeyError):
        universal("zz")


def test_the_embedded_documents():
    documents = load_brown()
    assert len(documents) == 250
    assert {name[1] for name in documents} == set("abcdefghjklmnpr")
    assert sum(len(s.words) for d in documents.values() for s in d) == 579_752
    assert all(len(s.words) == len(s.tags) > 0 for d in documents.values() for s in d)
    assert {tag for d in documents.values() for s in d for tag in s.tags} == set(range(len(TAGS)))
    first = documents["ca01"][0]
    assert first.words[:5] == ("The", "Fulton", "County", "Grand", "Jury")
    assert "".join(LETTERS[tag] for tag in first.tags[:6]) == "DNNANV"


def trained():
    """Eleven rare words in -ing, capitalised ones in -sky, and two known words."""
    ing = [f"xx{letter}ing" for letter in "abcdefghijk"]
    names = [f"Q{letter}sky" for letter in "abcdefghijk"]
    sentences = [["The", "dog", *ing], ["the", "dog", *names], ["Dogs", "saw", "US"], ["we", "US", "us", "us", "the"]]
    return ShapeVocabulary.of(sentences, 2)


def name_of(vocabulary, token):
    names = {index: key for key, index in (vocabulary.known | vocabulary.classes).items()}
    return names[token]


def test_words_that_occur_often_enough_are_known_whatever_starts_a_sentence():
    vocabulary = trained()
    assert set(vocabulary.known) == {"the", "dog", "US", "us"}
    assert sorted(vocabulary.counts) == [2, 2, 2, 3]
    words, _ = vocabulary.encode(["The", "DOG", "US", "us"])
    assert [name_of(vocabulary, token) for token in words] == ["the", "dog", "US", "us"]


def test_unknown_words_are_classes_by_shape_and_longest_common_ending():
    vocabulary = trained()
    sentence = ["Blorbing", "blorbing", "Kandinsky", "wasp", "1,000", "%", "I", "the"]
    words, classes = vocabulary.encode(sentence)
    assert [name_of(vocabulary, token) for token in words[:-1]] == [
        ("Start", "ing"), ("low", "ing"), ("Cap", "sky"), ("low", ""), ("digit", ""), ("sign", ""), ("Cap", ""),
    ]  # fmt: skip
    assert name_of(vocabulary, words[-1]) == "the"
    assert name_of(vocabulary, classes[-1]) == ("low", "")
    assert vocabulary.size == len(vocabulary.known) + len(vocabulary.classes)
    assert sorted([*vocabulary.known.values(), *vocabulary.classes.values()]) == list(range(vocabulary.size))
