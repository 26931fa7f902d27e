"""Words and phonemes: splits, error rates, baselines, and the command that uses a finished run."""

import functools

import numpy as np
import pytest

from lstmlab.tasks.text.pair_data import PAD
from lstmlab.tasks.text.pronunciation.dataset import load_pronunciations
from lstmlab.tasks.text.pronunciation.metrics import edit_distance, error_rates
from lstmlab.tasks.text.pronunciation.task import Pronunciation
from lstmlab.tasks.text.splits import split_of
from tests.small_runs import command, run, small

TASK = Pronunciation(max_letters=4, test_words=40)


def test_the_dictionary_is_cmudicts():
    words = load_pronunciations(stress=True)
    assert words["tomato"] == [("T", "AH0", "M", "EY1", "T", "OW2"), ("T", "AH0", "M", "AA1", "T", "OW2")]
    plain = load_pronunciations()
    assert plain["tomato"][0] == ("T", "AH", "M", "EY", "T", "OW")
    assert len({phoneme for pronunciations in plain.values() for one in pronunciations for phoneme in one}) == 39


def test_no_word_is_in_two_splits():
    train, validation, test = (set(part) for part in Pronunciation().words.values())
    assert not train & validation
    assert not train & test
    assert not validation & test
    total = len(train) + len(validation) + len(test)
    assert abs(len(test) / total - 0.10) < 0.01
    assert abs(len(validation) / total - 0.05) < 0.01
    assert split_of("tomato") in ("train", "validation", "test")


@pytest.mark.parametrize(
    ("output", "references", "per", "wer"),
    [("AB", ["AB"], 0, 0), ("AB", ["ABC", "AC"], 50, 100), ("", ["AB"], 100, 100), ("AXB", ["AB", "AXB"], 0, 0)],
)
def test_error_rates_take_the_closest_pronunciation(output, references, per, wer):
    expected = error_rates([output], [references])
    assert expected["wer"] == wer
    assert expected["per"] == pytest.approx(per if references != ["ABC", "AC"] else 100 / 3)


def test_edit_distances_equal_the_recursive_definition():
    @functools.cache
    def distance(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0]))

    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = ("".join(rng.choice(list("xyz"), rng.integers(0, 7))) for _ in range(2))
        assert edit_distance(a, b) == distance(a, b)


def test_the_unigram_baseline_is_the_smoothed_frequency():
    train, test = (TASK.arrays[split]["target"][:, 1:] for split in ("train", "test"))
    counts = np.bincount(train[train != PAD], minlength=TASK.outputs.size)[2:] + 1
    shares = counts / counts.sum()
    # The other table of the class smooths each row of pairs alike.
    assert TASK.baselines()["unigram"] == pytest.approx(-np.mean(np.log(shares[test[test != PAD] - 2])), abs=1e-6)


def test_capitals_count_as_small_letters_and_others_are_named():
    assert TASK.read(" Ab'c ") == list("ab'c")
    with pytest.raises(ValueError, match="'ß'"):
        TASK.read("Maß")


def test_a_finished_run_has_error_rates_and_translates(tmp_path):
    trained = run(small("pronunciation"), tmp_path / "a")
    assert {"per", "wer", "nll", "accuracy"} <= trained.summary["test"].keys()
    assert 0 <= trained.summary["test"]["wer"] <= 100
    one = command("translate", str(tmp_path / "a"), "cat", "Dog")
    assert one.code == 0, one.err
    assert len(one.out.splitlines()) == 2
    many = command("translate", str(tmp_path / "a"), "cat", "--beam", "3", "--n-best")
    rows = [line.split("\t") for line in many.out.splitlines()]
    assert len(rows) == 3
    scores = [float(row[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    wrong = command("translate", str(tmp_path / "a"), "c4t")
    assert wrong.code == 1
    assert "'4'" in wrong.err
    assert len(wrong.err.splitlines()) == 1


def test_a_run_of_another_task_is_refused(tmp_path):
    run(small("adding"), tmp_path / "b")
    refused = command("translate", str(tmp_path / "b"), "cat")
    assert refused.code == 1
    assert "task adding, which translates nothing" in refused.err


def test_attention_without_a_decoder_is_refused():
    from lstmlab.config import ConfigError

    with pytest.raises(ConfigError, match=r"model\.attention is 'dot'.*adding"):
        small("adding", "model.attention=dot")
