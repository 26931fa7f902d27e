"""Character language model: windows that tile the text, a state dropped at the right place."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.data.download import DataError
from lstmlab.tasks.specs import Batch
from lstmlab.tasks.task import mean
from lstmlab.tasks.text.char_lm import baselines
from lstmlab.tasks.text.char_lm import task as char_lm
from lstmlab.tasks.text.char_lm.dataset import ByteVocabulary
from lstmlab.tasks.text.char_lm.task import CharLM
from lstmlab.tasks.text.corpus import CharVocabulary, load_text


@pytest.fixture
def little(monkeypatch):
    """The task on 997 characters, none of the split sizes a round number."""
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("abcde ROME:"), 997, p=[0.3, 0.2, 0.1, *[0.05] * 8]))
    monkeypatch.setattr(char_lm, "load_text", lambda corpus, data_dir: text)
    return CharLM(unroll=8)


def test_splits_are_contiguous_and_whole():
    task = CharLM()
    data = task.data()
    joined = np.concatenate([data["train"], data["validation"], data["test"]])
    assert task.vocabulary.decode(joined) == load_text("shakespeare")
    shares = [len(data[split]) / len(joined) for split in ("train", "validation", "test")]
    assert shares == pytest.approx([0.9, 0.05, 0.05], abs=1e-5)
    assert task.inputs.size == task.outputs.size == task.vocabulary.size == 68


@pytest.mark.parametrize("streams", [1, 4, 7])
def test_training_windows_tile_each_stream_and_then_start_again(little, streams):
    tokens = little.data()["train"]
    length = (len(tokens) - 1) // streams
    windows = length // 8
    draw = jax.jit(little.train_batch, static_argnums=3)
    batches = [draw(tokens, jax.random.key(0), step, streams) for step in range(2 * windows)]
    first_pass = np.concatenate([b.inputs for b in batches[:windows]], axis=1)
    targets = np.concatenate([b.targets for b in batches[:windows]], axis=1)
    for stream in range(streams):
        start = stream * length
        np.testing.assert_array_equal(first_pass[stream], tokens[start : start + 8 * windows])
        np.testing.assert_array_equal(targets[stream], tokens[start + 1 : start + 8 * windows + 1])
    second_pass = np.concatenate([b.inputs for b in batches[windows:]], axis=1)
    np.testing.assert_array_equal(first_pass, second_pass)
    resets = np.concatenate([b.resets for b in batches], axis=1)
    expected = np.zeros_like(resets)
    expected[:, [0, 8 * windows]] = True
    np.testing.assert_array_equal(resets, expected)
    assert len(tokens) - first_pass.size < streams * (8 + 1)


@pytest.mark.parametrize("streams", [1, 3, 6, 7, 30])
def test_evaluation_predicts_every_character_but_the_first_once_and_in_order(little, streams):
    tokens = np.arange(len(little.data()["test"]))  # so that a target names its own place
    windows = little.eval_batches("test", streams)
    draw = jax.jit(little.eval_batch, static_argnums=(1, 3))
    batches = [draw(tokens, "test", index, streams) for index in range(windows)]
    predicted = []
    for stream in range(streams):
        inputs, targets, resets = [], [], []
        for batch in batches:
            valid = int(batch.lengths[stream])
            inputs += batch.inputs[stream, :valid].tolist()
            targets += batch.targets[stream, :valid].tolist()
            resets += batch.resets[stream].tolist()
        assert inputs == [target - 1 for target in targets]
        assert targets == sorted(targets)
        assert resets == [True] + [False] * (8 * windows - 1)
        predicted += targets
    assert predicted == list(range(1, len(tokens)))
    assert any(int(batch.lengths.min()) < 8 for batch in batches)


def test_metrics_against_numpy():
    task = CharLM()
    outputs = np.random.default_rng(1).normal(size=(3, 5, 4))
    targets = np.asarray(jax.random.randint(jax.random.key(1), (3, 5), 0, 4))
    lengths, weights = [5, 2, 4], [1, 1, 0]
    batch = Batch(
        jnp.asarray(targets), jnp.asarray(targets), jnp.asarray(weights, jnp.float32),
        jnp.asarray(lengths),
    )  # fmt: skip
    p = np.exp(outputs) / np.exp(outputs).sum(-1, keepdims=True)
    counted = [(b, t) for b in range(3) if weights[b] for t in range(lengths[b])]
    bits = [-np.log2(p[b, t, targets[b, t]]) for b, t in counted]
    right = [outputs[b, t].argmax() == targets[b, t] for b, t in counted]
    metrics = task.metrics(jnp.asarray(outputs), batch)
    assert metrics["bpc"][1] == metrics["accuracy"][1] == 7
    assert mean(metrics["bpc"]) == pytest.approx(np.mean(bits), rel=1e-5)
    assert mean(metrics["accuracy"]) == pytest.approx(np.mean(right), rel=1e-5)
    assert task.loss(jnp.asarray(outputs), batch) == pytest.approx(np.mean(bits) * np.log(2), rel=1e-5)


def test_baselines_by_hand(monkeypatch):
    text = "aab" * 6 + "c" + "ab"
    train, test = text[:18], text[-2:]  # 21 characters: 18, 1 and 2
    monkeypatch.setattr(char_lm, "load_text", lambda corpus, data_dir: text)
    task = CharLM()
    assert task.vocabulary.decode(task.data()["train"]) == train
    assert task.vocabulary.decode(task.data()["test"]) == test
    assert task.baselines() == pytest.approx(
        {
            # the test split's only prediction is a → b; "aab" six times: N(ab) = 6, N(a·) = 12
            "bigram": -np.log2((6 + 1) / (12 + 3)),
            "unigram": -np.log2((6 + 1) / (18 + 3)),
            "uniform": np.log2(3),
            # the validation split, one character, predicts none: the lowest order is as good as any. N(b) = 6, V = 2
            "1-gram (Witten–Bell)": -np.log2((6 + 2 / 3) / (18 + 2)),
        }
    )


class Parrot:
    """Continues every prompt with its first character."""

    def generate(self, prompt, length, *, temperature=1.0, seed=0):
        assert (length, temperature) == (500, 0.8)
        return jnp.full(length, prompt[0])


def test_the_plot_is_the_prompt_and_what_follows(little, monkeypatch):
    (sample,) = little.plot(Parrot())
    assert sample.text == "ROMEO:" + "R" * 500
    monkeypatch.setattr(char_lm, "load_text", lambda corpus, data_dir: "xyz" * 50)
    (sample,) = CharLM().plot(Parrot())
    assert sample.text == "xyzxyz" + "x" * 500


def test_too_many_streams_are_refused(little):
    with pytest.raises(ValueError, match=r"task\.unroll=8 .* 200 parallel streams"):
        little.train_batch(little.data()["train"], jax.random.key(0), jnp.asarray(0), 200)


def test_states_are_dropped_at_random_at_the_start_of_training_windows(little):
    tokens = little.data()["train"]
    often = dataclasses.replace(little, reset_rate=0.25)
    draw = jax.jit(often.train_batch, static_argnums=3)
    plain = little.train_batch(tokens, jax.random.key(0), 1, 20)
    resets = np.stack([draw(tokens, jax.random.key(seed), 1, 20).resets for seed in range(50)])
    assert not resets[:, :, 1:].any()
    assert not np.asarray(plain.resets).any()
    assert resets[:, :, 0].mean() == pytest.approx(0.25, abs=0.06)
    assert len({row.tobytes() for row in resets}) > 1
    np.testing.assert_array_equal(draw(tokens, jax.random.key(1), 1, 20).inputs, plain.inputs)
    assert np.asarray(draw(tokens, jax.random.key(1), 0, 20).resets)[:, 0].all()
    with pytest.raises(ValueError, match=r"task\.reset_rate is 1\.5, but must be at most 1"):
        CharLM(reset_rate=1.5)


def test_corpus_and_vocabulary_come_from_the_data_directory(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(char_lm, "load_text", lambda *a: seen.append(a) or "hello")
    task = CharLM(corpus="tiny_shakespeare", data_dir=str(tmp_path))
    assert task.vocabulary == CharVocabulary("ehlo")
    assert seen == [("tiny_shakespeare", str(tmp_path))]


def test_a_text_of_bytes_is_split_and_drawn_like_one_of_characters(monkeypatch):
    content = np.frombuffer(("Größe – " * 40).encode(), np.uint8)
    monkeypatch.setattr(char_lm, "load_bytes", lambda corpus, data_dir: content)
    task = CharLM(corpus="enwik8", unroll=5)
    data = task.data()
    assert task.vocabulary == ByteVocabulary(bytes(sorted(set(content.tolist()))))
    assert {split.dtype for split in data.values()} == {np.dtype(np.uint8)}
    joined = np.concatenate([data["train"], data["validation"], data["test"]])
    np.testing.assert_array_equal(np.frombuffer(task.vocabulary.values, np.uint8)[joined], content)
    batch = task.train_batch(data["train"], jax.random.key(0), jnp.asarray(0), 2)
    assert batch.inputs.dtype == batch.targets.dtype == jnp.int32
    np.testing.assert_array_equal(batch.inputs[0], data["train"][:5])


def test_pairs_are_counted_across_the_pieces(monkeypatch):
    tokens = np.random.default_rng(3).integers(0, 5, 103).astype(np.uint8)
    expected = np.zeros((5, 5))
    np.add.at(expected, (tokens[:-1], tokens[1:]), 1)
    for piece in (1, 7, 17, 102, 103, 1000):
        monkeypatch.setattr(baselines, "PIECE", piece)
        np.testing.assert_array_equal(baselines.count_pairs(tokens, 5), expected)


@pytest.mark.parametrize("corpus", ["tiny_shakespeare", "enwik8"])
def test_the_vocabulary_is_saved_and_used_without_the_corpus(corpus, monkeypatch):
    text = "Größe – NaN\n" * 40
    monkeypatch.setattr(char_lm, "load_text", lambda corpus, data_dir: text)
    monkeypatch.setattr(char_lm, "load_bytes", lambda corpus, data_dir: np.frombuffer(text.encode(), np.uint8))
    task = CharLM(corpus=corpus)
    saved, expected = json.loads(json.dumps(task.artifacts())), task.data()["test"]
    tokens = task.vocabulary.encode("Größe")
    task = CharLM(corpus=corpus).with_artifacts(saved)
    np.testing.assert_array_equal(task.data()["test"], expected)
    text = "another corpus"
    task = CharLM(corpus=corpus).with_artifacts(saved)
    assert task.inputs.size == task.outputs.size == task.vocabulary.size
    assert task.vocabulary.decode(tokens) == "Größe"
    with pytest.raises(DataError, match=f"{corpus} .* not those of the run's vocabulary"):
        task.data()
    with pytest.raises(KeyError):
        CharLM(corpus=corpus).with_artifacts({"words": "<unk>"})


@pytest.mark.slow  # seconds of counting
def test_the_best_ngram_of_the_plays_has_its_known_cost():
    task = CharLM()
    (found,) = baselines.best_ngram(*task.data().values(), task.size).items()
    assert found == ("5-gram (Witten–Bell)", pytest.approx(2.695, abs=5e-4))
