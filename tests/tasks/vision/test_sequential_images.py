"""Images as sequences: the order of pixels, the splits, and baselines that ignore the order."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neighbors import NearestCentroid

from lstmlab.data.download import DataError, data_directory
from lstmlab.simple_models.classifiers import Labelled, nearest_neighbours
from lstmlab.tasks.task import mean
from lstmlab.tasks.vision.sequential_images.baselines import pixel_splits
from lstmlab.tasks.vision.sequential_images.dataset import load_images
from lstmlab.tasks.vision.sequential_images.task import SequentialImages

DEBIAN = Path("/usr/share/datasets")
PIXELS = [pytest.param(False, 1, id="in order"), pytest.param(True, 28, id="permuted")]


def first(task, count=20):
    return task.eval_batch(task.data()["test"], "test", jnp.asarray(0), count)


@pytest.mark.parametrize(("permuted", "at_once"), PIXELS)
def test_every_pixel_is_read_once_in_the_stated_order(permuted, at_once):
    task = SequentialImages(permuted=permuted, pixels_per_step=at_once)
    batch = first(task)
    assert batch.inputs.shape == (20, 784 // at_once, at_once)
    back = np.empty((20, 784))
    back[:, task.order] = np.asarray(batch.inputs).reshape(20, 784)
    images = task.splits["test"].images[:20, ..., 0]
    np.testing.assert_allclose(back.reshape(20, 28, 28) * 255, images, atol=1e-4)
    assert permuted == (not np.array_equal(task.order, np.arange(784)))


def test_the_order_is_the_same_for_every_run_and_split():
    one, other = SequentialImages(permuted=True), SequentialImages(permuted=True, pixels_per_step=4)
    np.testing.assert_array_equal(one.order, other.order)


def test_no_image_is_in_two_splits():
    splits = load_images("mnist_5k")
    assert [len(part.labels) for part in splits.values()] == [4000, 500, 500]
    seen = [{image.tobytes() for image in part.images} for part in splits.values()]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_metrics_against_scikit_learn():
    task = SequentialImages(pixels_per_step=784)
    batch = first(task, 100)
    logits = np.random.default_rng(0).normal(size=(100, 10))
    found = {k: float(mean(v)) for k, v in task.metrics(jnp.asarray(logits), batch).items()}
    p = np.asarray(jax.nn.softmax(jnp.asarray(logits)), "float64")
    p /= p.sum(1, keepdims=True)
    labels = np.asarray(batch.targets)
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, logits.argmax(1)), abs=1e-6)
    assert found["nats"] == pytest.approx(log_loss(labels, p, labels=range(10)), rel=1e-5)


def test_baselines_against_scikit_learn():
    task = SequentialImages()
    train, test = (task.splits[s] for s in ("train", "test"))
    flat = [part.images.reshape(len(part.images), -1).astype(float) for part in (train, test)]
    expected = NearestCentroid().fit(flat[0], train.labels).score(flat[1], test.labels)
    assert task.baselines()["nearest mean image"] == pytest.approx(expected, abs=0.005)
    assert 0.7 < expected < 0.9


def test_learned_classifiers_read_all_pixels():
    task = SequentialImages()
    train, validation, test = pixel_splits(task.splits)
    assert train.features.shape == (len(task.splits["train"].labels), 784)
    assert (train.features.min(), train.features.max()) == (0, 1)
    thinned = Labelled(train.features[::20], train.labels[::20])
    assert nearest_neighbours(thinned, validation, test) > 0.75


def test_steps_must_divide_an_image():
    with pytest.raises(ValueError, match=r"task\.pixels_per_step=5 does not divide the 784 pixels"):
        SequentialImages(pixels_per_step=5)


def test_an_unknown_data_set_names_the_known_ones():
    with pytest.raises(DataError, match=r"'svhn'.*mnist_5k, mnist"):
        load_images("svhn")


@pytest.mark.skipif(not (DEBIAN / "fashion-mnist").is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_from_debian():
    splits = load_images("fashion_mnist", DEBIAN)
    assert [part.images.shape for part in splits.values()] == [(n, 28, 28, 1) for n in (55000, 5000, 10000)]
    assert (np.bincount(splits["test"].labels) == 1000).all()


@pytest.mark.skipif(not (data_directory() / "mnist").is_dir(), reason="MNIST is not downloaded")
def test_mnist():
    assert [len(part.labels) for part in load_images("mnist").values()] == [55000, 5000, 10000]


def test_cifar10_is_read_as_published(tmp_path, monkeypatch):
    import io
    import pickle
    import tarfile

    rng = np.random.default_rng(0)
    planes = {f"data_batch_{k}": rng.integers(0, 256, (1200, 3072), np.uint8) for k in range(1, 6)}
    planes["test_batch"] = rng.integers(0, 256, (10, 3072), np.uint8)
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in planes.items():
            content = pickle.dumps({b"data": data, b"labels": [k % 10 for k in range(len(data))]})
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    monkeypatch.setattr("lstmlab.tasks.vision.sequential_images.dataset.fetch", lambda name, data_dir: path)
    splits = load_images("cifar10")
    assert [part.images.shape for part in splits.values()] == [(n, 32, 32, 3) for n in (1000, 5000, 10)]
    # A row of the archive is the red plane, the green one, the blue one.
    assert splits["train"].images[0, 0, 1].tolist() == planes["data_batch_1"][0, [1, 1025, 2049]].tolist()
    task = SequentialImages(dataset="cifar10")
    assert task.data()["test"]["pixels"].shape == (10, 1024, 3)
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="is not the archive of CIFAR-10"):
        load_images("cifar10")


class Sure:
    def predict(self, batch):
        return jnp.tile(jax.nn.one_hot(3, 10), (len(batch.inputs), 1))


def test_mistakes_are_framed():
    task = SequentialImages(pixels_per_step=784)
    (shown,) = task.plot(Sure())
    header, caption, side = 24, 18, 28 * 3 + 2 * 6
    assert shown.picture.shape == (header + 5 * (side + caption), 5 * side, 3)
    labels = task.splits["test"].labels
    for k in range(25):
        corner = shown.picture[header + (k // 5) * (side + caption) + 2, (k % 5) * side + 2].tolist()
        assert (corner == [255, 255, 255]) == (labels[k] == 3)
