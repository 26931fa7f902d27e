"""Tasks on recordings: splits by speaker, normalisation, deltas, baselines, and nothing that leaks between splits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neighbors import NearestCentroid

from lstmlab.config import ConfigError, compose
from lstmlab.tasks import Batch, task_entry
from lstmlab.tasks.speech.baselines import pooled
from lstmlab.tasks.speech.features import deltas
from lstmlab.tasks.speech.japanese_vowels.dataset import load_vowels
from lstmlab.tasks.speech.recordings import Utterances
from lstmlab.tasks.speech.spoken_words.dataset import SPEAKERS, load_digits


def make(name="spoken_words", **options):
    return task_entry(name).cls(**options)


def speakers_of(task):
    """Who speaks in each split."""
    (frames, _, _), speakers = load_digits("digits")
    owner = {row.tobytes(): s for row, s in zip(frames[:, :64], speakers, strict=True)}
    return {split: {owner[row.tobytes()] for row in part.frames} for split, part in task.utterances.items()}


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_the_test_hears_one_speaker_who_is_in_no_other_split(speaker):
    mine = SPEAKERS.index(speaker)
    by_takes, by_speaker = (speakers_of(make(speaker=speaker, validate_on=how)) for how in ("takes", "speaker"))
    others = set(range(6)) - {mine}
    assert by_takes == {"test": {mine}, "train": others, "validation": others}
    neighbour = {(mine + 1) % 6}
    assert by_speaker == {"test": {mine}, "train": others - neighbour, "validation": neighbour}


def test_every_tenth_take_validates_and_none_of_them_trains():
    parts = make().utterances
    assert {split: len(part.labels) for split, part in parts.items()} == {"train": 900, "validation": 100, "test": 200}
    assert np.bincount(parts["validation"].labels).tolist() == [10] * 10
    train, validation = ({row.tobytes() for row in parts[split].frames} for split in ("train", "validation"))
    assert not train & validation


def test_vowels_split_the_published_training_recordings():
    task, published = make("japanese_vowels"), load_vowels()
    sizes = {split: np.bincount(part.labels).tolist() for split, part in task.utterances.items()}
    assert sizes["train"] == [24] * 9
    assert sizes["validation"] == [6] * 9
    np.testing.assert_array_equal(task.utterances["test"].frames, published["test"].frames)


def batch_of(task, split="test", size=8):
    return task.eval_batch(task.data()[split], split, jnp.asarray(0), size)


def test_a_recording_is_normalised_over_its_own_valid_frames():
    batch = batch_of(make(normalise="recording", deltas=False))
    for inputs, length in zip(np.asarray(batch.inputs), np.asarray(batch.lengths), strict=True):
        assert not inputs[length:].any()
        loud = inputs[:length].std(axis=0) > 0.1  # a band may be silent all along
        np.testing.assert_allclose(inputs[:length].mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(inputs[:length].std(axis=0)[loud], 1, atol=1e-3)


def test_one_level_for_all_bands_of_a_recording():
    own, level = (batch_of(make(normalise=how, deltas=False)) for how in ("recording", "level"))
    for inputs, other, length in zip(*map(np.asarray, (level.inputs, own.inputs, own.lengths)), strict=True):
        assert not inputs[length:].any()
        np.testing.assert_allclose(inputs[:length].mean(axis=0), 0, atol=1e-4)
        assert np.square(inputs[:length]).mean() == pytest.approx(1, abs=1e-3)
        deviations = inputs[:length].std(axis=0)
        assert deviations.max() > 1.1 * deviations.min()  # a band keeps its share
        np.testing.assert_allclose(inputs[:length], other[:length] * deviations, atol=2e-3)


def test_deltas_follow_the_features_and_end_with_them():
    plain, more = make(deltas=False), make()
    assert more.inputs.size == 3 * plain.inputs.size
    without, batch = batch_of(plain), batch_of(more)
    np.testing.assert_array_equal(batch.inputs[:, :, :24], without.inputs)
    np.testing.assert_allclose(batch.inputs[:, :3, 24:48], deltas(without.inputs)[:, :3], rtol=1e-5, atol=1e-6)
    assert all(not rows[length:].any() for rows, length in zip(batch.inputs, batch.lengths, strict=True))
    trained = more.train_batch(more.data()["train"], jax.random.key(0), jnp.asarray(0), 4)
    assert trained.inputs.shape[2] == 72


def test_the_training_split_sets_the_scale_and_no_other_does():
    task = make("japanese_vowels")
    before = np.asarray(batch_of(task, "train").inputs)
    other = make("japanese_vowels")
    changed = {split: part if split == "train" else part._replace(frames=part.frames * 3 + 1)
               for split, part in task.utterances.items()}  # fmt: skip
    object.__setattr__(other, "utterances", changed)
    np.testing.assert_array_equal(batch_of(other, "train").inputs, before)
    valid = np.concatenate([f[:n] for f, n in zip(*task.utterances["train"][:2], strict=True)])
    np.testing.assert_allclose(task._scale[0], valid.mean(axis=0), rtol=1e-5)
    first = (task.utterances["train"].frames[0, 0] - valid.mean(axis=0)) / valid.std(axis=0)
    np.testing.assert_allclose(before[0, 0], first, rtol=1e-3, atol=1e-4)


def test_metrics_are_those_of_scikit_learn():
    task, rng = make(), np.random.default_rng(0)
    logits, labels = rng.normal(size=(20, 10)), rng.integers(0, 10, 20)
    found = task.metrics(jnp.asarray(logits, "float32"), Batch(jnp.zeros((20, 1, 1)), jnp.asarray(labels)))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    total, weight = found["accuracy"]
    assert float(total / weight) == pytest.approx(accuracy_score(labels, logits.argmax(axis=1)), abs=1e-6)
    total, weight = found["nats"]
    assert float(total / weight) == pytest.approx(log_loss(labels, shares, labels=range(10)), abs=1e-6)


def test_the_baseline_is_the_nearest_centroid_of_scikit_learn():
    task = make("japanese_vowels")

    def mean_frames(part):
        return np.stack([f[:n].astype(float).mean(axis=0) for f, n in zip(part.frames, part.lengths, strict=True)])

    train, test = (task.utterances[split] for split in ("train", "test"))
    scale = task._scale[1]
    rule = NearestCentroid().fit(mean_frames(train) / scale, train.labels)
    expected = rule.score(mean_frames(test) / scale, test.labels)
    assert task.baselines()["nearest mean frame"] == pytest.approx(expected, abs=1e-6)


def test_recordings_are_pooled_over_their_quarters():
    frames = np.random.default_rng(0).normal(size=(3, 9, 2))
    lengths = np.array([9, 2, 6])
    found = pooled(frames, lengths).reshape(3, 5, 2)
    np.testing.assert_allclose(found[0, :4], [frames[0, a:b].mean(axis=0) for a, b in ((0, 2), (2, 4), (4, 6), (6, 9))])
    np.testing.assert_allclose(found[1, :4], frames[1, [0, 0, 1, 1]])
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(found[row, 4], frames[row, :length].std(axis=0))


def test_pooled_features_tell_the_speakers_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("LSTMLAB_CACHE_DIR", str(tmp_path))
    found = make("japanese_vowels").slow_baselines()
    assert found["logistic regression"] > 0.97
    assert found["k nearest neighbours"] > 0.93


class Knows:
    """Names every class rightly, but takes 3 for 8."""

    def __init__(self, task):
        self.labels = task.utterances["test"].labels

    def predict(self, batch):
        named = jnp.where(batch.targets == 3, 8, batch.targets)
        return jax.nn.one_hot(named, 10)


def test_the_plot_is_a_confusion_matrix(tmp_path):
    task = make()
    (plot,) = task.plot(Knows(task))
    table = plot.draw.keywords["table"]
    assert table[3, 8] == 20
    assert table.trace() == 180
    plot.draw(tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_unlabelled_padding_changes_nothing():
    task = make()
    longer = {split: Utterances(np.pad(p.frames, ((0, 0), (0, 9), (0, 0)), constant_values=77), p.lengths, p.labels)
              for split, p in task.utterances.items()}  # fmt: skip
    other = make()
    object.__setattr__(other, "utterances", longer)
    a, b = batch_of(task), batch_of(other)
    np.testing.assert_allclose(b.inputs[:, : a.inputs.shape[1]], a.inputs, atol=1e-5)
    assert not np.asarray(b.inputs[:, a.inputs.shape[1] :]).any()


@pytest.mark.parametrize("name", ["warp_time", "warp_bands"])
def test_a_warp_that_would_reverse_a_recording_is_refused(name):
    with pytest.raises(ConfigError, match=rf"task\.{name} is 1\.5, but must be below 1"):
        compose(["task=spoken_words", f"task.{name}=1.5"])
