"""lstmlab compose: music from a finished run."""

import mido
import numpy as np
import pytest
from small_runs import command, overrides, quick_programs

from lstmlab import load
from lstmlab.tasks.music.voicing import Voicing


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def music_run(tmp_path_factory):
    """The directory of a tiny model of cadences."""
    directory = tmp_path_factory.mktemp("music")
    assert command(*overrides("chorales", "training.steps=20", "optimizer.learning_rate=0.03"),
                   f"hydra.run.dir={directory}").code == 0  # fmt: skip
    return directory


def notes(path):
    return [m for m in mido.MidiFile(path).tracks[0] if m.type == "note_on"]


def test_a_run_ends_with_music_and_its_picture(music_run):
    (music,) = (music_run / "samples").glob("composed-*.mid")
    assert mido.MidiFile(music).length == pytest.approx(72 * 60 / 90, rel=1e-4)
    assert notes(music)
    assert list((music_run / "pictures").glob("composed-*.png"))


def test_a_piece_is_opening_and_continuation(music_run, tmp_path):
    path = tmp_path / "piece.mid"
    shown = command("compose", str(music_run), "--output", str(path), "--length", "12", "--prime", "4", "--voices", "3",
                    "--tempo", "120", "--restrike")  # fmt: skip
    assert (shown.code, shown.err) == (0, "")
    assert "4 + 12 quarter notes, 8 s, 3.0 keys at a time, 0% silence" in shown.out
    assert mido.MidiFile(path).length == pytest.approx(8, rel=1e-4)
    opening = load(music_run).task.opening(4)
    assert len(notes(path)) == opening.sum() + 12 * 3


def test_it_follows_its_seed(music_run, tmp_path):
    def piece(seed):
        assert command("compose", str(music_run), "--output", str(tmp_path / "a.mid"), "--seed", str(seed)).code == 0
        return (tmp_path / "a.mid").read_bytes()

    assert piece(1) == piece(1) != piece(2)


def test_the_loop_is_that_of_the_model_step_by_step(music_run):
    """Chords by hand: one step at a time, the likeliest four keys."""
    trained = load(music_run)
    opening = trained.task.opening(6)
    composed = trained.continue_sequence(opening, 5, Voicing(0, voices=4))
    state, expected = None, []
    for chord in opening:
        output, state = trained.step(chord[None], state)
    for _ in range(5):
        chord = np.zeros(88, np.float32)
        chord[np.argsort(-np.asarray(output)[0], kind="stable")[:4]] = 1
        expected.append(chord)
        output, state = trained.step(chord[None], state)
    np.testing.assert_array_equal(composed, expected)


@pytest.mark.parametrize(("arguments", "message"), [
    (["--length", "0"], "--length is 0, but must be at least 1"),
    (["--temperature", "nan"], "--temperature is nan, but must be at least 0"),
    (["--temperature", "inf"], "--temperature is inf, but must be at least 0"),
    (["--tempo", "0"], "--tempo is 0.0, but must be between 4 and 1000"),
    (["--voices", "89"], "--voices is 89, but must be between 0 and 88"),
    (["--program", "200"], "--program is 200, but must be between 0 and 127"),
    (["--prime", "999"], "--prime, --piece: test piece 0 has no opening of 999 steps"),
    (["--piece", "999"], "--prime, --piece: there is no test piece 999"),
    (["--output", "nowhere/a.mid"], "--output: there is no directory"),
])  # fmt: skip
def test_mistakes_are_one_line(music_run, arguments, message):
    shown = command("compose", str(music_run), *arguments)
    assert shown.code != 0
    assert message in shown.err
    assert len(shown.err.splitlines()) == 1


def test_a_run_without_music_is_named(tmp_path):
    assert command(*overrides("adding"), f"hydra.run.dir={tmp_path}").code == 0
    shown = command("compose", str(tmp_path))
    assert (shown.code, shown.out) == (1, "")
    assert f"{tmp_path} holds a run of task adding, which has no music" in shown.err


def test_a_model_of_both_directions_is_refused_before_it_is_trained(tmp_path):
    told = command(*overrides("chorales", "model.bidirectional=true"), f"hydra.run.dir={tmp_path}")
    assert told.code == 1
    assert "model.bidirectional" in told.err
    assert "read ahead" in told.err
