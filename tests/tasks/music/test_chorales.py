"""Chorales: the likelihood of the literature, counted over valid steps, and the baselines."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import mido
import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from lstmlab.tasks.music.chorales import baselines as chorale_baselines
from lstmlab.tasks.music.chorales.baselines import chord_ngrams, logistic_keys, note_ngrams, voice_chains
from lstmlab.tasks.music.chorales.dataset import KEYS, LOWEST, Rolls
from lstmlab.tasks.music.chorales.task import Chorales
from lstmlab.tasks.music.note_tokens import chords, note_tokens
from lstmlab.tasks.music.voicing import Voicing
from lstmlab.tasks.task import mean


def pieces(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    notes = np.zeros((len(lengths), max(lengths), KEYS), np.uint8)
    for row, length in enumerate(lengths):
        notes[row, :length] = rng.random((length, KEYS)) < 0.05
    return Rolls(notes, np.array(lengths, np.int32))


@pytest.fixture
def task():
    """A task with tiny pieces of its own."""
    made = Chorales()
    made.__dict__["rolls"] = {"train": pieces(5, 3), "validation": pieces(4), "test": pieces(4, 2, seed=1)}
    return made


def test_the_likelihood_is_summed_over_keys_and_averaged_over_all_steps(task):
    batch = task.eval_batch(task.data()["test"], "test", 0, 3)
    logits = np.random.default_rng(2).normal(size=batch.targets.shape).astype("float32")
    assert batch.inputs.shape == (3, 3, KEYS)
    # Four steps are predicted: three of the first piece, one of the second; the third row only fills up.
    steps = [(0, 0), (0, 1), (0, 2), (1, 0)]
    p = 1 / (1 + np.exp(-logits.astype(float)))
    expected = np.mean([
        log_loss(np.asarray(batch.targets)[s], p[s], labels=[0, 1]) * KEYS for s in steps
    ])  # fmt: skip
    found = task.metrics(jnp.asarray(logits), batch)
    assert float(mean(found["nll"])) == pytest.approx(expected, rel=1e-6)
    assert float(found["nll"][1]) == 4
    truth, predicted = np.asarray(batch.targets) > 0.5, logits > 0
    both = sum((truth[s] & predicted[s]).sum() for s in steps)
    either = sum((truth[s] | predicted[s]).sum() for s in steps)
    assert float(mean(found["accuracy"])) == pytest.approx(both / either)


def test_targets_are_the_next_step(task):
    batch = task.eval_batch(task.data()["test"], "test", 0, 2)
    np.testing.assert_array_equal(batch.targets[0, :2], batch.inputs[0, 1:3])
    np.testing.assert_array_equal(batch.lengths, [3, 1])


def test_baselines_by_hand(task):
    train, test = task.rolls["train"], task.rolls["test"]

    def pairs(rolls):
        return [(rolls.notes[i, t], rolls.notes[i, t + 1]) for i, n in enumerate(rolls.lengths) for t in range(n - 1)]

    nll = {"frequency": 0.0, "hold": 0.0}
    for before, after in pairs(test):
        for key in range(KEYS):
            counts = {"frequency": [a[key] for _, a in pairs(train)]}
            counts["hold"] = [a[key] for b, a in pairs(train) if b[key] == before[key]]
            for name, seen in counts.items():
                share = (sum(map(int, seen)) + 1) / (len(seen) + 2)
                nll[name] -= np.log(share if after[key] else 1 - share) / len(pairs(test))
    assert {name: value for name, value in task.baselines().items() if name in nll} == pytest.approx(nll)


def test_ngrams_of_chords_are_a_distribution_over_all_sets_of_keys():
    """Of two keys there are four sets; all are tried, after a chord that training knows and after a new one."""
    rng = np.random.default_rng(0)
    train = Rolls(rng.integers(0, 2, (3, 6, 2)).astype(np.uint8), np.array([6, 4, 5], np.int32))
    train.notes[(train.notes == 1).all(axis=2)] = [1, 0]  # both keys at once are new
    for before in ([0, 1], [1, 1]):
        total = 0.0
        for after in itertools.product((0, 1), repeat=2):
            test = Rolls(np.array([[before, after]], np.uint8), np.array([2], np.int32))
            (cost,) = chord_ngrams(train, train, test).values()
            total += np.exp(-cost)
        marks = 0.2  # the share of the next piece's mark is lost
        assert 1 - marks < total <= 1 + 1e-9


def test_ngrams_of_chords_do_not_cross_pieces():
    a, b = [1, 0], [0, 1]
    train = Rolls(np.array([[a, b], [a, b], [a, b]], np.uint8), np.array([2, 2, 2], np.int32))
    right, wrong = (
        next(iter(chord_ngrams(train, train, Rolls(np.array([steps], np.uint8), np.array([2], np.int32))).values()))
        for steps in ([a, b], [b, a])
    )
    assert right < np.log(2) < wrong


def test_logistic_keys_are_those_of_scikit_learn(monkeypatch):
    rng = np.random.default_rng(1)
    notes = (rng.random((20, 9, 3)) < [0.2, 0.5, 0.7]).astype(np.uint8)
    rolls = Rolls(notes, np.full(20, 9, np.int32))
    monkeypatch.setattr(chorale_baselines, "PENALTIES", (1e-2,))
    x, y = notes[:, :-1].reshape(-1, 3), notes[:, 1:].reshape(-1, 3)
    rules = [LogisticRegression(C=1 / (1e-2 * len(x)), tol=1e-8).fit(x, y[:, key]) for key in range(3)]
    expected = sum(log_loss(y[:, key], rule.predict_proba(x)[:, 1]) for key, rule in enumerate(rules))
    assert logistic_keys(rolls, rolls, rolls)["logistic regression"] == pytest.approx(expected, rel=1e-4)


def test_training_batches_hold_whole_pieces(task):
    data = task.data()["train"]
    batch = task.train_batch(data, jax.random.key(0), 0, 20)
    assert set(np.asarray(batch.lengths).tolist()) == {4, 2}
    for row, length in enumerate(np.asarray(batch.lengths)):
        mine = list(task.rolls["train"].lengths).index(length + 1)
        np.testing.assert_array_equal(batch.inputs[row], data["notes"][mine, :-1])


class Knows:
    stepwise = True

    def predict(self, batch):
        return 20 * batch.targets - 10

    def continue_sequence(self, prompt, length, draw, *, seed=0):
        return np.tile(prompt[-1:], (length, 1))


def test_the_picture_shows_the_same_roll_twice_for_one_who_knows(task, tmp_path):
    shown = task.plot(Knows())[0]
    rolls = shown.draw.keywords["rolls"]
    np.testing.assert_allclose(rolls["expected"], rolls["the piece"], atol=1e-3)
    shown.draw(tmp_path / "roll.png")
    assert np.asarray(Image.open(tmp_path / "roll.png")).shape[0] > 300


def test_what_was_composed_is_shown_and_written(tmp_path):
    task = Chorales()
    _, picture, music = task.plot(Knows())
    assert picture.draw.keywords["rolls"]["keys"].shape == (8 + 64, 88)
    picture.draw(tmp_path / "composed.png")
    assert (tmp_path / "composed.png").stat().st_size > 3000
    assert music.suffix == ".mid"
    music.write(tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.length == pytest.approx((8 + 64) * 60 / 90, rel=1e-4)
    opening = task.rolls["test"].notes[0, :8]
    first = {m.note - LOWEST for m in file.tracks[0][: 2 + int(opening[0].sum())] if m.type == "note_on"}
    assert first == set(np.flatnonzero(opening[0]))


def test_one_that_reads_both_directions_composes_nothing():
    both = Knows()
    both.stepwise = False
    assert [item.name for item in Chorales().plot(both)] == ["piano_roll"]


@pytest.mark.parametrize(("steps", "piece", "message"), [
    (0, 0, "no opening of 0 steps"), (500, 1, "no opening of 500 steps: from 1 to"), (3, 50, "no test piece 50"),
    (3, -1, "no test piece -1"),
])  # fmt: skip
def test_an_opening_that_no_piece_has_is_refused(steps, piece, message):
    with pytest.raises(ValueError, match=message):
        Chorales().opening(steps, piece)


@pytest.fixture
def joint(task):
    made = Chorales(output="joint")
    made.__dict__["rolls"] = task.rolls
    return made


def test_joint_keys_cost_what_their_tokens_cost_by_hand(joint):
    """Three chords after the first of one piece, one of the other: their keys from the lowest on, then their ends."""
    rolls = joint.rolls["test"]
    batch = joint.eval_batch(joint.data()["test"], "test", 0, 3)
    logits = np.random.default_rng(2).normal(size=(*batch.inputs.shape, KEYS + 1)).astype("float32")
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    nats = 0.0
    for row, length in enumerate(rolls.lengths):
        spelt = [[*np.flatnonzero(step), KEYS] for step in rolls.notes[row, :length]]
        place = len(spelt[0]) - 1  # where the first token after the first chord is predicted
        for token in itertools.chain(*spelt[1:]):
            nats -= log_p[row, place, token]
            place += 1
        assert place == batch.lengths[row]
    found = joint.metrics(jnp.asarray(logits), batch)["nll"]
    assert (float(mean(found)), float(found[1])) == (pytest.approx(nats / 4, rel=1e-5), 4)


def test_tokens_are_the_chords_that_they_were_made_of(task):
    rolls = task.rolls["train"]
    spelt = note_tokens(*rolls)
    for notes, length, tokens, count in zip(*rolls, spelt.tokens, spelt.lengths, strict=True):
        np.testing.assert_array_equal(chords(tokens[:count], KEYS), notes[:length])
        assert len(chords(tokens[: count - 1], KEYS)) == length - 1


def test_training_reads_excerpts_of_pieces(joint):
    task = dataclasses.replace(joint, excerpt=9)
    task.__dict__["rolls"] = joint.rolls
    pieces = [tokens[:length].tolist() for tokens, length in zip(*joint.data()["train"].values(), strict=True)]
    batch = task.train_batch(task.data()["train"], jax.random.key(0), 0, 30)
    starts = set()
    for tokens, length, targets in zip(*map(np.asarray, (batch.inputs, batch.lengths, batch.targets)), strict=True):
        assert length == 9
        read = [*tokens.tolist(), int(targets[-1, 0])]
        places = [(n, i) for n, piece in enumerate(pieces) for i in range(len(piece)) if piece[i : i + 10] == read]
        assert places
        starts |= set(places)
        np.testing.assert_array_equal(targets[:, 1], np.cumsum(tokens == KEYS) > 0)
    assert len(starts) > 10
    with pytest.raises(ValueError, match=r"needs task\.output=joint"):
        Chorales(excerpt=9)


class Composer:
    """Repeats a pattern of tokens."""

    stepwise = True

    def __init__(self, *pattern):
        self.pattern = pattern

    def generate(self, prompt, length, *, temperature, seed):
        assert prompt[-1] == KEYS
        return np.resize(self.pattern, length)


def test_joint_chords_are_composed_until_there_are_enough(joint):
    opening = joint.opening(2)
    long_chord = [*range(10), KEYS]
    found = joint.compose(Composer(*long_chord), opening, 3, Voicing())
    np.testing.assert_array_equal(found, np.arange(KEYS) < np.full((3, 1), 10))
    assert [plot.name for plot in joint.plot(Composer(3, KEYS))] == ["composed", "composed"]
    with pytest.raises(ValueError, match="its chords do not end"):
        joint.compose(Composer(1), opening, 3, Voicing())
    with pytest.raises(ValueError, match="leave --voices out"):
        joint.compose(Composer(*long_chord), opening, 3, Voicing(voices=4))


def test_ngrams_of_notes_and_voices_are_at_most_a_distribution_over_all_sets_of_keys():
    """Of two keys there are four sets; what is missing to 1 was given to keys out of order and to marks."""
    rng = np.random.default_rng(0)
    train = Rolls(rng.integers(0, 2, (3, 6, 2)).astype(np.uint8), np.array([6, 4, 5], np.int32))
    models = (lambda test: note_ngrams(train, train, test), 0.6), (lambda test: voice_chains(train, test), 0.5)
    for find, lost in models:
        for before in ([0, 1], [1, 1], [0, 0]):
            total = 0.0
            for after in itertools.product((0, 1), repeat=2):
                (cost,) = find(Rolls(np.array([[before, after]], np.uint8), np.array([2], np.int32))).values()
                total += np.exp(-cost)
            assert 1 - lost < total <= 1 + 1e-9


def test_a_voice_follows_its_own_line():
    """The upper voice always rises from 1 to 2, the lower one stays at 0: each is all but certain."""
    steps = np.zeros((1, 41, 3), np.uint8)
    steps[0, :, 0] = 1
    steps[0, ::2, 1], steps[0, 1::2, 2] = 1, 1
    rolls = Rolls(steps, np.array([41], np.int32))
    assert voice_chains(rolls, rolls)["Markov chain per voice"] < 0.2
    other = Rolls(steps[:, :, [1, 0, 2]].copy(), rolls.lengths)
    assert voice_chains(rolls, other)["Markov chain per voice"] > 1
