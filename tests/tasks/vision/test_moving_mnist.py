"""Moving MNIST: digits stay in the box, move straight on, and are not shared between splits."""

import dataclasses
import functools
import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.metrics import structural_similarity
from sklearn.linear_model import Ridge

from lstmlab.data.download import DataError
from lstmlab.data.registry import REGISTRY
from lstmlab.tasks.task import mean
from lstmlab.tasks.vision.bouncing_digits import STEP_LENGTH, bounce
from lstmlab.tasks.vision.digits import Digits
from lstmlab.tasks.vision.frames import from_patches, to_patches
from lstmlab.tasks.vision.moving_mnist.plots import film
from lstmlab.tasks.vision.moving_mnist.task import MovingMNIST

SMALL = MovingMNIST(frame_size=16, digit_size=10, input_frames=3, target_frames=2, eval_examples=60)


@functools.cache
def a_training_batch():
    draw = jax.jit(SMALL.train_batch, static_argnums=3)
    return draw(SMALL.data()["train"], jax.random.key(0), 0, 4)


def test_no_digit_image_is_in_two_splits():
    splits = {name: {i.tobytes() for i in images} for name, images in MovingMNIST().data().items()}
    assert {name: len(images) for name, images in splits.items()} == {
        "train": 4000, "validation": 500, "test": 500,
    }  # fmt: skip
    assert len(set.union(*splits.values())) == 5000


def test_paths_are_straight_between_walls_and_stay_inside():
    paths = np.asarray(jax.vmap(lambda k: bounce(k, 50, 2))(jax.random.split(jax.random.key(0), 64)))
    assert paths.min() >= 0
    assert paths.max() <= 1
    assert (paths == 0).any()
    assert (paths == 1).any()
    moves = np.diff(paths, axis=1)
    on_wall = ((paths == 0) | (paths == 1)).any(axis=-1)
    free = ~(on_wall[:, 1:] | on_wall[:, :-1])
    np.testing.assert_allclose(np.linalg.norm(moves, axis=-1)[free], STEP_LENGTH, rtol=1e-4)
    straight = free[:, 1:] & free[:, :-1]
    turns = np.linalg.norm(np.diff(moves, axis=1), axis=-1)
    np.testing.assert_allclose(turns[straight], 0, atol=1e-6)
    component_on_wall = (paths[:, 1:-1] == 0) | (paths[:, 1:-1] == 1)
    assert (moves[:, :-1] * moves[:, 1:] <= 0)[component_on_wall].all()


@pytest.mark.parametrize("digits", [1, 3])
def test_every_digit_is_wholly_in_every_frame(digits):
    task = MovingMNIST(frame_size=20, digit_size=8, digits=digits, input_frames=5, target_frames=5)
    squares = np.full((1, 8, 8), 255, np.uint8)
    keys = jax.random.split(jax.random.key(0), 40)
    frames = np.asarray(jax.jit(jax.vmap(task.frames, (None, 0)))(squares, keys))
    assert frames.shape == (40, 10, 20, 20)
    assert set(np.unique(frames)) == {0.0, 1.0}
    areas = frames.sum(axis=(2, 3))
    if digits == 1:
        assert (areas == 64).all()
    assert areas.min() >= 64
    assert areas.max() <= 64 * digits
    assert frames[..., 0, :].any()  # the walls are reached
    assert frames[..., -1].any()


def test_overlapping_digits_show_the_brighter_pixel():
    task = MovingMNIST(frame_size=12, digit_size=11, digits=2, input_frames=5, target_frames=5)
    images = np.stack([np.full((11, 11), level, np.uint8) for level in (100, 200)])
    keys = jax.random.split(jax.random.key(1), 50)
    frames = np.asarray(jax.jit(jax.vmap(task.frames, (None, 0)))(images, keys)) * 255
    levels = {tuple(np.unique(np.rint(sequence)).astype(int)) for sequence in frames}
    assert levels == {(0, 100), (0, 200), (0, 100, 200)}


def test_frames_show_the_digits_of_the_split():
    task = MovingMNIST(digits=1, input_frames=1, target_frames=1)
    images = task.data()["test"]
    frame = np.asarray(jax.jit(task.frames)(images, jax.random.key(5)))[0]
    windows = np.lib.stride_tricks.sliding_window_view(np.rint(frame * 255), (28, 28))
    windows = {w.astype(np.uint8).tobytes() for w in windows.reshape(-1, 28, 28)}
    assert windows & {image.tobytes() for image in images}


def test_patches_are_squares_of_the_frame():
    frames = np.arange(2 * 6 * 8).reshape(2, 6, 8)
    patches = np.asarray(to_patches(jnp.asarray(frames), 2))
    assert patches.shape == (2, 3, 4, 4)
    assert patches[1, 2, 3].tolist() == frames[1, 4:6, 6:8].ravel().tolist()
    np.testing.assert_array_equal(from_patches(jnp.asarray(patches), 2), frames)


def test_inputs_go_blank_when_the_future_starts():
    batch = a_training_batch()
    assert batch.inputs.shape == (4, 5, 4, 4, 16)
    assert batch.targets.shape == (4, 2, 4, 4, 16)
    assert (batch.inputs[:, 3:] == 0).all()
    assert (batch.inputs[:, :3].max(axis=(2, 3, 4)) > 0.5).all()
    assert (batch.targets.max(axis=(2, 3, 4)) > 0.5).all()


def test_metrics_against_numpy_and_past_outputs_do_not_count():
    batch = a_training_batch()
    outputs = jnp.asarray(np.random.default_rng(1).normal(size=batch.inputs.shape), jnp.float32)
    metrics = SMALL.metrics(outputs, batch)
    p = 1 / (1 + np.exp(-np.asarray(outputs[:, 3:], np.float64)))
    truth = np.asarray(batch.targets, np.float64)
    nats = -(truth * np.log(p) + (1 - truth) * np.log(1 - p))
    mse, bce = mean(metrics["mse"]), mean(metrics["bce"])
    assert mse == pytest.approx(((p - truth) ** 2).sum() / 8, rel=1e-5)
    assert bce == pytest.approx(nats.sum() / 8, rel=1e-5)
    assert mean(metrics["bce_sequence"]) == pytest.approx(nats.sum() / 4, rel=1e-5)
    frames = (np.asarray(from_patches(jnp.asarray(x, jnp.float32), 4), np.float64) for x in (p, truth))
    pairs = zip(*(x.reshape(-1, 16, 16) for x in frames), strict=True)
    similarity = [structural_similarity(a, b, data_range=1.0) for a, b in pairs]
    assert mean(metrics["ssim"]) == pytest.approx(np.mean(similarity), abs=1e-6)
    assert SMALL.loss(outputs, batch) == pytest.approx(nats.mean(), rel=1e-5)
    assert SMALL.loss(outputs.at[:, :3].set(9.0), batch) == SMALL.loss(outputs, batch)


def test_baselines_are_those_of_the_evaluation_batches():
    def frames(split, count):
        draw = jax.jit(SMALL.eval_batch, static_argnums=(1, 3))
        batch = draw(SMALL.data()[split], split, 0, count)
        pair = (from_patches(x, 4) for x in (batch.inputs[:, :3], batch.targets))
        return [np.asarray(x, np.float64) for x in pair]

    seen, truth = frames("test", 60)
    read, followed = frames("train", 100)
    constant = followed.mean(axis=(0, 1))

    def error(prediction):
        return ((truth - prediction) ** 2).sum(axis=(2, 3)).mean()

    # the mean frame is taken over whole batches of 50
    expected = {
        "mean frame": error(constant), "blank": error(0.0), "last frame": error(seen[:, -1:]),
        "mean of the frames read": error(seen.mean(axis=1, keepdims=True)),
        "linear extrapolation": error(np.clip(np.stack([seen[:, -1] + k * (seen[:, -1] - seen[:, -2])
                                                        for k in range(1, truth.shape[1] + 1)], axis=1), 0, 1)),
    }  # fmt: skip

    def neighbours(frames, y, x):
        """The last two frames around one patch of 4 × 4 pixels."""
        return np.pad(frames[:, -2:], ((0, 0), (0, 0), (4, 4), (4, 4)))[:, :, y : y + 12, x : x + 12].reshape(
            len(frames), -1
        )

    places = [(y, x) for y in range(0, 16, 4) for x in range(0, 16, 4)]
    rows = np.concatenate([neighbours(read, y, x) for y, x in places])
    after = np.concatenate([followed[:, :, y : y + 4, x : x + 4].reshape(100, -1) for y, x in places])
    mean_square = (np.square(rows).sum() + len(rows)) / (rows.shape[1] + 1)
    model = Ridge(alpha=1e-4 * mean_square, solver="cholesky").fit(rows, after)
    regression = np.zeros_like(truth)
    for y, x in places:
        found = model.predict(neighbours(seen, y, x)).reshape(60, 2, 4, 4)
        regression[:, :, y : y + 4, x : x + 4] = np.clip(found, 0, 1)
    expected["ridge regression"] = error(regression)
    assert SMALL.baselines() == pytest.approx(expected, rel=1e-3)
    similarity = [structural_similarity(seen[i, -1], frame, data_range=1.0) for i in range(60) for frame in truth[i]]
    assert SMALL.other_baselines()["ssim"]["last frame"] == pytest.approx(np.mean(similarity), abs=1e-5)


def test_an_encoder_forecaster_gets_past_and_blanks_apart():
    task = dataclasses.replace(SMALL, forecast="encoder_forecaster")
    assert (SMALL.architecture, task.architecture) == ("sequence", "encoder_forecaster")
    frames = jnp.asarray(np.random.default_rng(0).random((2, 5, 16, 16)), jnp.float32)
    whole, apart = SMALL.batch(frames), task.batch(frames)
    np.testing.assert_array_equal(jnp.concatenate(apart.inputs, axis=1), whole.inputs)
    np.testing.assert_array_equal(apart.targets, whole.targets)
    np.testing.assert_array_equal(task.seen(apart), SMALL.seen(whole))


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A test set of twelve sequences in the place and the layout of the published one."""
    frames = np.random.default_rng(0).integers(0, 256, (20, 12, 64, 64), dtype=np.uint8)
    path = tmp_path / "moving_mnist" / "mnist_test_seq.npy"
    path.parent.mkdir()
    np.save(path, frames)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = dataclasses.replace(REGISTRY["moving_mnist_test"], known_hash=f"sha256:{digest}")
    monkeypatch.setitem(REGISTRY, "moving_mnist_test", entry)
    return frames, tmp_path


def test_the_published_test_set_is_read_time_first(published):
    frames, directory = published
    task = MovingMNIST(test_set="published", eval_examples=5, data_dir=str(directory))
    data = task.data()
    assert data["train"].shape == (4000, 28, 28)
    batches = [task.eval_batch(data["test"], "test", i, 3) for i in range(task.eval_batches("test", 3))]
    assert np.concatenate([b.weights for b in batches]).tolist() == [1] * 5 + [0]
    seen = np.concatenate([from_patches(b.inputs[:, :10], 4) for b in batches])[:5]
    future = np.concatenate([from_patches(b.targets, 4) for b in batches])[:5]
    both = np.concatenate([seen, future], axis=1)
    np.testing.assert_allclose(both, frames.swapaxes(0, 1)[:5] / 255, atol=1e-6)


def test_a_published_test_set_of_another_form_is_refused(published):
    _, directory = published
    path = directory / "moving_mnist" / "mnist_test_seq.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(DataError, match=r"mnist_test_seq\.npy is not the moving_mnist_test file"):
        MovingMNIST(test_set="published", data_dir=str(directory)).data()


def test_all_of_mnist_keeps_its_test_digits_apart(monkeypatch):
    marked = [Digits(np.full((n, 28, 28), n // 10000, np.uint8), np.zeros(n, np.uint8)) for n in (60000, 10000)]
    monkeypatch.setattr("lstmlab.tasks.vision.moving_mnist.dataset.load_mnist", lambda data_dir: tuple(marked))
    data = MovingMNIST(images="mnist").data()
    assert {split: (len(d), d.max()) for split, d in data.items()} == {
        "train": (55000, 6), "validation": (5000, 6), "test": (10000, 1),
    }  # fmt: skip


class Oracle:
    """Predicts the future exactly and with certainty."""

    def predict(self, batch):
        past = jnp.zeros_like(batch.inputs[:, :3])
        return jnp.concatenate([past, 1000 * (batch.targets - 0.5)], axis=1)


def test_plots_show_truth_beside_prediction():
    plots = {item.name: item for item in SMALL.plot(Oracle())}
    frames = plots["film"].frames
    assert frames.dtype == np.uint8
    assert len(frames) == 5
    left, right = np.split(frames.astype(int), 2, axis=2)
    np.testing.assert_array_equal(left[:3], right[:3])
    assert np.abs(left[3:] - right[3:]).max() < 128  # the same, but for shades of grey
    assert plots["frames"].picture.dtype == np.uint8
    assert plots["frames"].picture.shape[-1] == 3


def test_film_puts_each_sequence_in_its_row():
    seen = np.zeros((2, 1, 128, 128))
    truth, predicted = np.full((2, 1, 128, 128), 0.5), np.full((2, 1, 128, 128), 0.75)
    truth[1], predicted[1] = 0.1, 0.2
    frames = film(seen, truth, predicted)
    assert frames.shape == (2, 2 * 132, 2 * 132)
    assert frames[1][66, 66] == 0.5
    assert frames[1][66, 198] == 0.75
    assert frames[1][198, 66] == 0.1
    assert frames[1][198, 198] == 0.2
    assert frames[0][0, 0] == 0.25
    assert frames[1][0, 0] == 1.0


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"frame_size": 30}, "task.patch=4"),
        ({"frame_size": 28}, "task.digit_size=28"),
        ({"test_set": "published", "digits": 3}, "needs task.digits=2, not 3"),
        ({"test_set": "published", "target_frames": 11}, "has 20 frames, but task.input_frames=10"),
        ({"test_set": "published", "eval_examples": 10001}, "has 10000 sequences, but task.eval_examples=10001"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(options, key):
    with pytest.raises(ValueError, match=key.replace(".", r"\.")):
        MovingMNIST(**options)
