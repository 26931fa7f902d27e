"""Tagging: documents are whole, every word counts once, unknown words are known as such."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from lstmlab.tasks.specs import Batch
from lstmlab.tasks.text.tagging.baselines import commonest_tags, share_right
from lstmlab.tasks.text.tagging.dataset import TAGS, load_brown
from lstmlab.tasks.text.tagging.task import Tagging


@pytest.fixture(scope="module")
def task():
    return Tagging()


def test_no_document_is_in_two_splits(task):
    documents = list(load_brown().values())
    for place, document in enumerate(documents):
        split = {8: "validation", 9: "test"}.get(place % 10, "train")
        assert all(sentence in task.sentences[split] for sentence in document[:1])
    ids = {split: {id(s) for s in sentences} for split, sentences in task.sentences.items()}
    assert sum(map(len, ids.values())) == sum(map(len, documents)) == len(set.union(*ids.values()))


def test_known_words_are_those_of_the_training_split_alone(task):
    seen = {word.lower() for s in task.sentences["train"] for word in s.words}
    assert all(word.lower() in seen for word in task.vocabulary.known)
    elsewhere = {word for s in task.sentences["test"] for word in s.words if word.lower() not in seen}
    assert len(elsewhere) > 1000
    tokens = [task.vocabulary.encode(["the", word])[0][1] for word in elsewhere]
    assert min(tokens) >= len(task.vocabulary.known)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_every_word_counts_exactly_once(task, split):
    words = sum(len(s.words) for s in task.sentences[split])
    outputs, weight = jnp.zeros((1024, task.length, len(TAGS))), 0.0
    for index in range(task.eval_batches(split, 1024)):
        batch = task.eval_batch(task.data()[split], split, index, 1024)
        weight += float(task.metrics(outputs, batch)["accuracy"][1])
    assert weight == words


def test_long_sentences_are_cut_into_pieces_without_loss(task):
    short = Tagging(length=7)
    pieces, sentences = short.data()["test"], task.sentences["test"]
    assert pieces["lengths"].sum() == sum(len(s.words) for s in sentences)
    first = np.concatenate([row[:n] for row, n in zip(pieces["tags"], pieces["lengths"], strict=True)][:20])
    tags = [tag for s in sentences for tag in s.tags]
    assert first.tolist() == tags[: len(first)]


def test_known_words_are_hidden_behind_their_class_as_often_as_promised(task):
    data = task.data()["train"]
    count = task.vocabulary.counts
    assert data["dropout"][0] == pytest.approx(1 / (1 + count[0]))
    assert not data["dropout"][len(count) :].any()
    shown = task.train_batch(data, jax.random.key(1), jnp.asarray(0), 512)
    assert shown.lengths is not None
    valid = np.arange(task.length) < np.asarray(shown.lengths)[:, None]
    unknown = np.mean(np.asarray(shown.inputs)[valid] >= len(count))
    places = np.arange(task.length) < data["lengths"][:, None]
    words = data["words"][places]
    expected = np.mean(np.where(words >= len(count), 1.0, data["dropout"][words]))
    assert unknown == pytest.approx(expected, abs=0.015)
    plain = task.train_batch({**data, "dropout": 0 * data["dropout"]}, jax.random.key(1), jnp.asarray(0), 512)
    assert np.mean(np.asarray(plain.inputs)[valid] >= len(count)) < unknown - 0.02


def test_metrics_agree_with_scikit_learn(task):
    batch = task.eval_batch(task.data()["test"], "test", 0, 64)
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(*batch.targets.shape, len(TAGS))), jnp.float32)
    valid = np.arange(task.length) < np.asarray(batch.lengths)[:, None]
    named, truth = np.asarray(outputs.argmax(-1)), np.asarray(batch.targets)
    unknown = valid & (np.asarray(batch.inputs) >= len(task.vocabulary.known))
    metrics = {name: float(total / weight) for name, (total, weight) in task.metrics(outputs, batch).items()}
    assert metrics["accuracy"] == pytest.approx(accuracy_score(truth[valid], named[valid]), abs=1e-6)
    assert metrics["unknown_accuracy"] == pytest.approx(accuracy_score(truth[unknown], named[unknown]), abs=1e-6)


def test_padding_counts_for_nothing(task):
    batch = Batch(jnp.zeros((1, 3), int), jnp.asarray([[1, 2, 0]]), lengths=jnp.asarray([2]))
    outputs = jax.nn.one_hot(jnp.asarray([[1, 0, 5]]), len(TAGS))
    total, weight = task.metrics(outputs, batch)["accuracy"]
    assert (float(total), float(weight)) == (1.0, 2.0)


def test_counting_baselines_by_hand():
    train = {  # tokens 0 and 1 are words, 2 and 3 classes, 3 is never seen; the last column is padding in part
        "words": np.array([[0, 0, 1], [0, 2, 2], [1, 2, 0]]),
        "tags": np.array([[0, 0, 2], [1, 1, 1], [2, 0, 0]]),
        "lengths": np.array([3, 3, 2]),
    }
    tables = commonest_tags(train, 2, 4, 3)
    assert {name: table.tolist() for name, table in tables.items()} == {
        "word or ending": [0, 2, 1, 1], "word": [0, 2, 1, 1], "commonest tag": [0, 0, 0, 0],
    }  # fmt: skip
    test = {"words": np.array([[0, 1, 3, 2]]), "tags": np.array([[0, 1, 1, 1]]), "lengths": np.array([3])}
    assert share_right(tables["word"][test["words"]], test) == pytest.approx(2 / 3)
    assert share_right(tables["word"][test["words"]], test, 2) == 1.0
    assert share_right(tables["commonest tag"][test["words"]], test) == pytest.approx(1 / 3)


def test_a_hidden_markov_model_is_better_than_words_alone(task):
    found = task.baselines()
    assert next(iter(found)) == "hidden Markov model"
    assert found["hidden Markov model"] == pytest.approx(0.955, abs=1e-3)


def test_a_tagger_that_knows_the_answer_is_shown_without_mistakes(task, tmp_path):
    class Oracle:
        def predict(self, batch):
            return jax.nn.one_hot(batch.targets, len(TAGS))

        def generate(self, prompt, length, *, temperature=1.0, seed=0):
            raise NotImplementedError

    sentences, table = task.plot(Oracle())
    assert sentences.text is not None
    assert "(" not in sentences.text.split("\n", 2)[2].replace("(/.", "")
    assert table.draw is not None
    table.draw(tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size > 10_000
    assert np.trace(table.draw.keywords["table"]) == table.draw.keywords["table"].sum() > 10_000
