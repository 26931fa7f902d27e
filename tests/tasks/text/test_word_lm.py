"""Word language model: a vocabulary of the training split, perplexity as the exponential of a mean, baselines."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import overrides, quick_programs, run

from lstmlab.config import compose
from lstmlab.tasks.text.corpus import load_text
from lstmlab.tasks.text.word_lm import task as word_lm
from lstmlab.tasks.text.word_lm.dataset import tokenise
from lstmlab.tasks.text.word_lm.task import WordLM


@pytest.fixture
def of_text(monkeypatch):
    """A function that makes the task of a text."""

    def make(text, **options):
        monkeypatch.setattr(word_lm, "load_text", lambda corpus, data_dir: text)
        return WordLM(**options)

    return make


def test_splits_are_contiguous_and_whole():
    task = WordLM(lower=True)
    joined = [word for split in ("train", "validation", "test") for word in task.words[split]]
    assert joined == tokenise(load_text("shakespeare"), lower=True)
    shares = [len(task.words[split]) / len(joined) for split in ("train", "validation", "test")]
    assert shares == pytest.approx([0.9, 0.05, 0.05], abs=1e-4)
    assert {split: len(part) for split, part in task.data().items()} == {k: len(v) for k, v in task.words.items()}


def test_the_vocabulary_knows_nothing_of_validation_and_test(of_text):
    words = ["a", "b"] * 9 + ["later"] + ["last"]
    for text in (" ".join(words), " ".join([*words[:18], "other", "words"])):
        task = of_text(text, minimum_count=1)
        assert task.vocabulary.words == ("<unk>", "a", "b")
        assert task.data()["validation"].tolist() == task.data()["test"].tolist() == [0]


def test_the_minimum_count_and_lower_case_are_options(of_text):
    text = " ".join(["the"] * 9 + ["The"] * 5 + ["rare"] * 2 + ["once"] + ["x"] * 3)
    assert of_text(text).vocabulary.words == ("<unk>", "the", "The")
    assert of_text(text, minimum_count=2).vocabulary.words == ("<unk>", "the", "The", "rare")
    assert of_text(text, lower=True).vocabulary.words == ("<unk>", "the")
    assert of_text(text, minimum_count=1).size == 6


@pytest.mark.parametrize(("corpus", "loader"), [("ptb", "load_ptb"), ("wikitext2", "load_wikitext2")])
def test_published_corpora_come_in_their_own_splits(corpus, loader, monkeypatch, tmp_path):
    seen = []
    texts = {"train": "a <unk> N\nu.s.\n", "validation": "a b\n", "test": "N N\n"}
    monkeypatch.setattr(word_lm, loader, lambda data_dir: seen.append(data_dir) or texts)
    task = WordLM(corpus=corpus, data_dir=str(tmp_path))
    assert task.vocabulary.words == ("<unk>", "<eos>", "N", "a", "u.s.")
    assert {split: part.tolist() for split, part in task.data().items()} == {
        "train": [3, 0, 2, 1, 4, 1], "validation": [3, 0, 1], "test": [2, 2, 1],
    }  # fmt: skip
    assert seen == [str(tmp_path)]


def test_metrics_and_loss_against_numpy(of_text):
    task = of_text("a b " * 50, unroll=4)
    batch = task.eval_batch(task.data()["test"], "test", jnp.asarray(0), 2)
    outputs = np.random.default_rng(0).normal(size=(2, 4, task.size))
    p = np.exp(outputs) / np.exp(outputs).sum(-1, keepdims=True)
    costs = [
        -np.log(p[row, t, batch.targets[row, t]]) for row in range(2) for t in range(int(batch.lengths[row]))
    ]  # fmt: skip
    total, weight = task.metrics(jnp.asarray(outputs), batch)["nats"]
    assert weight == len(costs) > 0
    assert total == pytest.approx(sum(costs), rel=1e-5)
    assert task.loss(jnp.asarray(outputs), batch) == pytest.approx(np.mean(costs), rel=1e-5)


def test_baselines_by_hand(of_text):
    # train: a b a b … a b (18 words), validation: one, test: b a c, and c is unknown
    task = of_text(" ".join(["a", "b"] * 27 + ["x"] * 3 + ["b", "a", "c"]))
    assert task.vocabulary.words == ("<unk>", "a", "b")
    unigram = {"a": 28 / 57, "<unk>": 1 / 57}
    # N(b·) = 26 and T(b) = 1; N(a·) = 27 and T(a) = 1
    bigram = [(26 + unigram["a"]) / 27, (0 + unigram["<unk>"]) / 28]
    assert {k: v for k, v in task.baselines().items() if "Kneser" not in k} == pytest.approx(
        {
            "unigram": -np.mean([np.log(unigram["a"]), np.log(unigram["<unk>"])]),
            "bigram": -np.mean(np.log(bigram)),
            "uniform": np.log(3),
        }
    )
    assert task.other_baselines()["perplexity"]["uniform"] == pytest.approx(3)


@pytest.mark.parametrize("before", ["a", "b", "c", "<unk>"])
def test_the_bigram_is_a_distribution_also_after_a_word_that_nothing_followed(before):
    words = {"train": ["a", "b", "a", "a", "b", "c"], "validation": [], "test": []}
    costs = []
    for after in ("<unk>", "a", "b", "c"):
        task = WordLM(minimum_count=1)
        task.__dict__["words"] = words | {"test": [before, after]}
        costs.append(task.baselines()["bigram"])
    assert np.exp(-np.array(costs)).sum() == pytest.approx(1)


def test_perplexity_of_a_run_is_the_exponential_of_its_mean_over_all_words(tmp_path, tmp_path_factory):
    with quick_programs(tmp_path_factory):
        trained = run(compose(overrides("word_lm")), tmp_path)
    for split in ("test", "validation"):
        values = trained.summary[split]
        assert values["perplexity"] == pytest.approx(np.exp(values["nats"]), rel=1e-5)
    tokens = trained.task.data()["test"]
    size = 8  # training.eval_batch_size
    length = -(-(len(tokens) - 1) // size)
    costs = []
    for first in range(0, len(tokens) - 1, length):
        stream = tokens[first : first + length + 1]
        logits = trained(stream[None, :-1])[0]
        costs += (-jax.nn.log_softmax(logits))[np.arange(len(stream) - 1), stream[1:]].tolist()
    assert len(costs) == len(tokens) - 1
    assert trained.summary["test"]["perplexity"] == pytest.approx(np.exp(np.mean(costs)), rel=1e-4)


def test_the_plot_is_text(of_text):
    class Parrot:
        def generate(self, prompt, length, *, temperature=1.0, seed=0):
            return np.full(length, prompt[0])

    task = of_text("a b\n" * 50)
    (sample,) = task.plot(Parrot())
    assert sample.text == "\n" * word_lm.SAMPLE_LENGTH
