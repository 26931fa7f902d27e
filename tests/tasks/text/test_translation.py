"""Numbers and captions in two languages: what is read, how it is scored, and the command that uses a finished run."""

import io
import json
import tarfile

import numpy as np
import pytest
from num2words import num2words
from sacrebleu.metrics import BLEU
from small_runs import as_older_version, command, run, small

from lstmlab.data import registry
from lstmlab.data.download import DataError
from lstmlab.tasks.text.pair_data import SPECIAL
from lstmlab.tasks.text.translation import dataset as translations
from lstmlab.tasks.text.translation.dataset import (
    english_words,
    german_words,
    load_translations,
    numbers,
    tokenise,
)
from lstmlab.tasks.text.translation.metrics import scores
from lstmlab.tasks.text.translation.task import Translation

TELLING = [*range(200), 1000, 1001, 1100, 21_000, 100_000, 101_001, 999_999]
WORTH = {" ".join(english_words(number)): number for number in range(1000)}
DRAWN = np.random.default_rng(0).integers(0, 1_000_000, 300).tolist()


def test_numbers_are_said_as_num2words_says_them():
    for number in TELLING + DRAWN:
        theirs = num2words(number, lang="en").replace("-", " ").replace(",", "").replace(" and ", " ")
        assert " ".join(english_words(number)) == theirs
        if number // 1000 % 100 != 1 or number // 1000 == 1:
            assert "".join(german_words(number)) == num2words(number, lang="de")


def test_one_before_thousand_has_no_s_in_german_words():
    # As in the Duden; num2words says einhunderteinstausendeins.
    assert "".join(german_words(101_001)) == "einhunderteintausendeins"


@pytest.mark.parametrize("say", [english_words, german_words])
@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_other_numbers_are_refused(say, number):
    with pytest.raises(ValueError, match=f"{number} is not between 0 and 999999"):
        say(number)


def test_no_number_is_in_two_splits_and_every_word_is_trained():
    parts = numbers(6)
    sets = {split: set(part.en) for split, part in parts.items()}
    assert sum(map(len, sets.values())) == len(set.union(*sets.values())) > 10_000
    assert {len(parts[split].en) - len(sets[split]) for split in ("validation", "test")} == {0}
    assert {" ".join(english_words(number)) for number in range(100)} <= sets["train"]
    assert all(any(len(text.split()) <= 3 for text in part) for part in sets.values())
    words = {split: {word for text in part.de for word in text.split()} for split, part in parts.items()}
    assert words["validation"] | words["test"] <= words["train"]
    for part in parts.values():
        pairs = [(en, de) for en, de in zip(part.en, part.de, strict=True) if en in WORTH]
        assert pairs
        assert all(" ".join(german_words(WORTH[en])) == de for en, de in pairs)
    assert max(len(text.split()) for part in numbers(3).values() for text in part.en) == 4


TEXTS = {
    "train": (
        "A man eats.\nTwo men eat!\nA very long sentence on a man.\n",
        "Ein Mann isst.\nZwei Männer essen!\nLang.\n",
    ),
    "val": ("A man eats.\n", "Ein Mann isst.\n"),
    "test": ("Two dogs eat, and a very long while they do so.\n", "Zwei Hunde essen.\n"),
}  # fmt: skip
ARCHIVES = {"train": "training.tar.gz", "val": "validation.tar.gz", "test": "mmt16_task1_test.tar.gz"}


@pytest.fixture
def captions(tmp_path, monkeypatch):
    """Three archives laid out as the published ones, in the place of the real files; the hash is not asked."""
    for name, texts in TEXTS.items():
        with tarfile.open(tmp_path / ARCHIVES[name], "w:gz") as archive:
            for language, text in zip(("en", "de"), texts, strict=True):
                entry = tarfile.TarInfo(f"{name}.{language}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
    monkeypatch.setattr(translations, "fetch", lambda name, data_dir: tmp_path / ARCHIVES[name.split("_")[1]])
    return tmp_path


def test_captions_are_read_line_by_line(captions):
    parts = load_translations("multi30k")
    assert parts["train"].en[1] == "Two men eat!"
    assert parts["train"].de[1] == "Zwei Männer essen!"
    assert [len(part.en) for part in parts.values()] == [3, 1, 1]


def test_long_sentences_are_left_out_of_training_alone(captions):
    corpus = Translation(corpus="multi30k", length=4, min_count=1).corpus_data
    assert [len(texts) for texts in corpus.sources.values()] == [2, 1, 1]
    assert corpus.target_symbols[len(SPECIAL) :] == ("!", ".", "ein", "essen", "isst", "mann", "männer", "zwei")
    task = Translation(corpus="multi30k", length=4, min_count=1, direction="de-en")
    assert task.corpus_data.sources["test"] == [["zwei", "hunde", "essen", "."]]
    assert task.encode(["hunde"]) == [SPECIAL.index("<unk>")]
    assert task.read("Hunde, essen") == ["hunde", ",", "essen"]


def test_languages_of_different_length_are_reported(captions, monkeypatch):
    monkeypatch.setitem(TEXTS, "val", ("A.\nB.\n", "A.\n"))
    with tarfile.open(captions / ARCHIVES["val"], "w:gz") as archive:
        for language, text in zip(("en", "de"), TEXTS["val"], strict=True):
            entry = tarfile.TarInfo(f"val.{language}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    with pytest.raises(DataError, match=r"validation.tar.gz: val.en has 2 lines, and val.de 1"):
        load_translations("multi30k")


def test_every_split_of_the_captions_has_a_download():
    assert all(registry.REGISTRY[f"multi30k_{name}"].filename.endswith(ARCHIVES[name]) for name in TEXTS)


def test_scores_are_those_of_sacrebleu():
    references = ["Zwei Männer stehen am Herd.", "Ein Hund läuft über das Gras.", "Sie lacht."]
    outputs = ["zwei männer stehen an einem herd .", "ein hund rennt über das gras .", "sie lacht ."]
    # Without signs that sacreBLEU's own tokeniser reads otherwise, both ways of counting agree.
    expected = BLEU(lowercase=True).corpus_score(outputs, [references]).score
    words, right = list(map(tokenise, outputs)), list(map(tokenise, references))
    assert scores(words, right) == {"bleu": pytest.approx(expected, abs=1e-6), "exact": pytest.approx(100 / 3)}


@pytest.mark.parametrize("sentence", ["der Zahl 3,5 sind zwei.", "„Stop“ sagt der Mann.", "The dogs' owner can't run."])
def test_a_sentence_is_worth_all_beside_itself_and_an_unknown_word_is_one_word(sentence):
    words = tokenise(sentence)
    assert scores([words], [words]) == {"bleu": pytest.approx(100), "exact": 100}
    unknown, wrong = (scores([[*words[:-1], word]], [words])["bleu"] for word in ("<unk>", "anders"))
    assert unknown == pytest.approx(wrong)


def test_copying_is_a_baseline(captions):
    task = Translation(corpus="multi30k")
    (copied,) = task.other_baselines()["exact"].values()
    assert copied == 0
    assert task.other_baselines()["bleu"]["copy of the source"] < 100


def test_a_word_that_no_number_has_is_named():
    with pytest.raises(ValueError, match=r"'two dogs' holds 'dogs', but known are: eight, .* two"):
        Translation(digits=3).read("two dogs")
    with pytest.raises(ValueError, match=r"task.digits=7 is too many"):
        Translation(digits=7)
    assert tokenise("Don't stop-and-go, please!") == ["don't", "stop-and-go", ",", "please", "!"]


def test_a_finished_run_is_scored_and_translates(tmp_path, monkeypatch):
    trained = run(small("translation"), tmp_path)
    assert set(trained.summary["test"]) == {"nll", "accuracy", "bleu", "exact"}
    first = command("translate", str(tmp_path), "twenty one", "Seven")
    assert (first.code, len(first.out.splitlines())) == (0, 2)
    saved = json.loads((tmp_path / "task.json").read_text())
    assert saved["source"].split("\n")[: len(SPECIAL)] == list(SPECIAL)
    monkeypatch.setattr(translations, "numbers", lambda digits: pytest.fail("the corpus is read again"))
    assert command("translate", str(tmp_path), "twenty one", "Seven") == first
    wrong = command("translate", str(tmp_path), "twenty dogs")
    assert wrong.code == 1
    assert "'dogs'" in wrong.err
    assert len(wrong.err.splitlines()) == 1
    assert command("translate", str(tmp_path), "--beam", "1", "twenty one", "Seven") == first
    (tmp_path / "sources.txt").write_text("\ufeffseven\r\n\n  \ntwenty one\n\n", encoding="utf-8")
    kept = command("translate", str(tmp_path), "--file", str(tmp_path / "sources.txt")).out.split("\n")
    assert kept == [first.out.splitlines()[1], "", "", first.out.splitlines()[0], "", ""]
    (tmp_path / "sources.txt").write_text("seven\n\ntwenty dogs\n")
    in_file = command("translate", str(tmp_path), "--file", str(tmp_path / "sources.txt"))
    assert (in_file.code, in_file.err.count("\n")) == (1, 1)
    assert "sources.txt, line 3: 'twenty dogs' holds 'dogs'" in in_file.err
    assert "cannot use nowhere.txt: No such file" in command("translate", str(tmp_path), "--file", "nowhere.txt").err
    (as_older_version(tmp_path) / "task.json").write_text(json.dumps({**saved, "target": "a\nb"}))
    broken = command("translate", str(tmp_path), "seven")
    assert broken.code == 1
    assert "its symbols do not begin with <pad>" in broken.err
    assert "task.json" in broken.err
