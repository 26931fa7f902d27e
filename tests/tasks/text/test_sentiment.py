"""Sentiment: what is read of a review, and the bag of words beside it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import MultinomialNB

from lstmlab.tasks.text.sentiment import task as sentiment
from lstmlab.tasks.text.sentiment.baselines import Documents, log_odds, word_and_pair_counts
from lstmlab.tasks.text.sentiment.dataset import Reviews
from lstmlab.tasks.text.sentiment.task import Sentiment


def documents(rng, count, vocabulary, labels):
    lengths = rng.integers(1, 12, count)
    tokens = rng.integers(0, vocabulary, (count, 12)) * (np.arange(12) < lengths[:, None])
    return Documents(tokens, lengths, labels)


def bags(part, vocabulary):
    return np.stack([np.bincount(t[:n], minlength=vocabulary) for t, n in zip(part.tokens, part.lengths, strict=True)])


def test_naive_bayes_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    train = documents(rng, 60, 30, rng.integers(0, 2, 60))
    test = documents(rng, 40, 30, rng.integers(0, 2, 40))
    reference = MultinomialNB(alpha=1.0).fit(bags(train, 30), train.labels)
    each = reference.predict_log_proba(bags(test, 30))
    np.testing.assert_allclose(log_odds(train, test, 30), each[:, 1] - each[:, 0], atol=1e-6)


def test_naive_bayes_of_one_class_is_refused():
    one = Documents(np.zeros((2, 1), int), np.ones(2, int), np.ones(2, int))
    with pytest.raises(ValueError, match="both classes"):
        log_odds(one, one, 1)


@pytest.fixture
def tiny(monkeypatch):
    """A task with three training reviews and one of each other split."""
    texts = {
        "train": [["a", "b", "a"], ["c", "a"], ["b"]],
        "validation": [["a", "new", "b", "c"]],
        "test": [["b", "c", "a", "b", "a"], []],
    }
    parts = {s: Reviews(t, np.array([1, 0, 0][: len(t)], np.int32)) for s, t in texts.items()}
    monkeypatch.setattr(sentiment, "load_reviews", lambda corpus, data_dir: parts)
    return Sentiment(vocabulary=2, length=3)


def test_the_commonest_training_words_are_known_and_the_end_is_kept(tiny):
    assert tiny.index == {"a": 1, "b": 2}
    assert tiny.inputs.size == 3
    assert tiny.data()["train"]["tokens"].tolist() == [[1, 2, 1], [0, 1, 0], [2, 0, 0]]
    assert tiny.data()["train"]["lengths"].tolist() == [3, 2, 1]
    assert tiny.data()["validation"]["tokens"].tolist() == [[0, 2, 0]]
    assert tiny.data()["test"]["tokens"].tolist() == [[1, 2, 1], [0, 0, 0]]
    assert tiny.data()["test"]["lengths"].tolist() == [3, 1]  # a review without words is one unknown word


def test_the_start_is_kept_when_asked_for(tiny):
    first = dataclasses.replace(tiny, keep="first")
    assert first.data()["test"]["tokens"].tolist() == [[2, 0, 1], [0, 0, 0]]


def test_the_commoner_label_by_hand(tiny):
    assert tiny.baselines()["commoner label"] == 0.5  # 0 in training; test has one of each


def test_a_bag_of_words_learns_nothing_of_generated_reviews():
    for value in Sentiment().baselines().values():
        assert value == pytest.approx(0.5, abs=0.03)  # 2000 reviews: three standard errors are 0.034


def test_words_and_pairs_are_those_of_scikit_learn():
    texts = [["1 2 3", "2 3 1 2", "3 3", "1 2"], ["3 1 1 2 3", "2"]]
    counter = CountVectorizer(ngram_range=(1, 2), binary=True, min_df=2, token_pattern=r"\S+")
    expected = counter.fit_transform(texts[0]), counter.transform(texts[1])
    parts = []
    for part in texts:
        rows = [[int(word) for word in text.split()] for text in part]
        padded = np.array([row + [0] * (5 - len(row)) for row in rows])
        parts.append(Documents(padded, np.array([len(row) for row in rows]), np.zeros(len(rows), int)))
    order = np.argsort([word.count(" ") for word in sorted(counter.vocabulary_)], kind="stable")  # words, then pairs
    for matrix, found in zip(expected, word_and_pair_counts(*parts, vocabulary=4), strict=True):
        np.testing.assert_array_equal(found.features.toarray(), matrix.toarray()[:, order])


def test_metrics_agree_with_scikit_learn():
    task = Sentiment()
    batch = task.eval_batch(task.data()["test"], "test", jnp.asarray(0), 200)
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(200, 2)), jnp.float32)
    total, weight = task.metrics(outputs, batch)["accuracy"]
    assert float(total / weight) == pytest.approx(accuracy_score(batch.targets, outputs.argmax(-1)), abs=1e-6)


def test_reviews_of_both_labels_are_shown_with_what_the_model_thinks():
    class Certain:
        def predict(self, batch):
            return 20.0 * jax.nn.one_hot(batch.targets, 2)

        def generate(self, prompt, length, *, temperature=1.0, seed=0):
            raise NotImplementedError

    (shown,) = Sentiment().plot(Certain())
    assert shown.text is not None
    lines = shown.text.split("\n\n")
    assert [line.split(":")[0] for line in lines] == (
        ["positive, P(positive) = 1.000"] * 3 + ["negative, P(positive) = 0.000"] * 3
    )
