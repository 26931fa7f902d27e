"""Moving MNIST: predict the next frames of digits that bounce in a box."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from lstmlab.arrays import Key, RowNumbers, Scalar, Step
from lstmlab.settings import setting
from lstmlab.tasks.batching import Generated
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean
from lstmlab.tasks.vision.bouncing_digits import draw_frames, resize
from lstmlab.tasks.vision.frames import ARCHITECTURES, FORECASTS, from_patches, to_patches
from lstmlab.tasks.vision.moving_mnist.baselines import baselines
from lstmlab.tasks.vision.moving_mnist.dataset import IMAGES, check_published, load_published_test, load_split_digits
from lstmlab.tasks.vision.moving_mnist.metrics import frame_metrics
from lstmlab.tasks.vision.moving_mnist.plots import plots

TEST_SETS = ("generated", "published")
PLOTTED_SEQUENCES = 3
_BASELINE_BATCH = 50


@register_task(
    "moving_mnist",
    title="next ten frames of two bouncing digits",
    data="generated on the device from 5000 MNIST digits, embedded (CC BY-SA 3.0, LeCun & Cortes); "
    "or images=mnist, test_set=published by download",
    paper="Srivastava, Mansimov & Salakhutdinov 2015; patches and protocol of Shi et al. 2015",
    published="bce_sequence: FC-LSTM 4832, ConvLSTM of one layer 3888, two 3734, three 3671 (Shi et al. 2015, a test "
    "set of their own); test_set=published task.eval_examples=10000: ConvLSTM mse 29.8 "
    "(OpenSTL, Tan et al. 2023, 200 epochs; its ssim of .929 is with other constants, which give higher values)",
)
@dataclasses.dataclass(frozen=True)
class MovingMNIST(Generated):
    """Read ``input_frames`` frames, then predict the next ``target_frames`` frames.

    There are two forms of model (``forecast``):

    * ``stepwise``: one stack of layers reads the input frames, then a blank frame for each frame to predict; the
      output at step t ≥ ``input_frames`` is the prediction of frame t, and earlier outputs do not count. It is an
      encoder and a forecaster that share their weights.
    * ``encoder_forecaster``: the network of Shi et al. A second stack of layers starts from the states of the first
      and reads blank frames; a 1×1 convolution over the states of all its layers gives the frame.

    A frame of intensities in [0, 1] is rearranged into patches (space to depth)::

        [frame_size, frame_size] → [frame_size/patch, frame_size/patch, patch²]

    Outputs are logits of the intensities. Digits start anywhere in the box, move in a uniformly drawn direction and
    bounce off its walls; where they overlap, the brighter pixel is shown. No digit image is in two splits.

    ``mse`` and ``bce`` are summed over the pixels of a frame and averaged over frames and sequences, as in the
    literature; ``bce_sequence`` sums the cross-entropy over the predicted frames too, as Shi et al. do. ``ssim`` is
    structural similarity, see :func:`lstmlab.tasks.vision.ssim.ssim`.

    By default digits are 5000 of MNIST: 4000 train, 500 validate, 500 test. ``test_set=published`` tests on the first
    ``eval_examples`` of the 10 000 sequences on which results are published, by download (819 MB);
    ``images=mnist`` draws training and validation from MNIST's 60 000 training digits, by download.
    """

    frame_size: int = setting(64, "height and width of a frame, pixels", minimum=7)
    digit_size: int = setting(28, "height and width of a digit, pixels", minimum=1)
    digits: int = setting(2, "digits in a sequence", minimum=1)
    patch: int = setting(4, "height and width of the patches that become features", minimum=1)
    input_frames: int = setting(10, "frames that are read", minimum=1)
    target_frames: int = setting(10, "frames that are predicted", minimum=1)
    eval_examples: int = setting(200, "sequences in the validation split and in the test split", minimum=1)
    forecast: str = setting("stepwise", "the form of the model, see `lstmlab tasks moving_mnist`", choices=FORECASTS)
    images: str = setting("embedded", "digits: embedded (5000 of MNIST) or mnist (70 000, downloaded)", choices=IMAGES)
    test_set: str = setting(
        "generated",
        "generated from the test's digits, or published (mnist_test_seq.npy, by download)",
        choices=TEST_SETS,
    )

    metric = "mse"
    defaults = (
        "model.hidden_size=32", "training.steps=1000", "training.batch_size=8", "training.log_every=10",
        "training.eval_every=100",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit; raises ``ValueError``."""
        if self.frame_size % self.patch:
            raise ValueError(f"task.patch={self.patch} does not divide task.frame_size={self.frame_size}")
        if self.digit_size >= self.frame_size:
            raise ValueError(
                f"task.digit_size={self.digit_size} leaves a digit no room to move: "
                f"it must be smaller than task.frame_size={self.frame_size}"
            )
        if self.test_set == "published":
            sizes = {"frame_size": self.frame_size, "digit_size": self.digit_size, "digits": self.digits}
            check_published(sizes, self.input_frames, self.target_frames, self.eval_examples)

    @property
    def reference_value(self) -> float:  # type: ignore[override]
        """On the published test set 29.8, by ConvLSTM (OpenSTL, Tan et al. 2023); on others the perfect one, 0."""
        return 29.8 if self.test_set == "published" else 0.0

    @property
    def architecture(self) -> str:  # type: ignore[override]
        """One stack of layers, or two."""
        return ARCHITECTURES[self.forecast]

    @property
    def inputs(self) -> Features:
        """Patches of a frame."""
        side = self.frame_size // self.patch
        return Features(self.patch**2, spatial=(side, side))

    @property
    def outputs(self) -> Features:
        """Logits of a frame's patches."""
        return self.inputs

    def data(self) -> Mapping[str, np.ndarray]:
        """Per split its digits, uint8 ``[count, digit_size, digit_size]``; for the published test set its frames
        ``[eval_examples, frames, 64, 64]``.
        """
        digits = load_split_digits(self.images, self.data_dir)
        arrays = {split: resize(images, self.digit_size) for split, images in digits.items()}
        if self.test_set == "published":
            frames = self.input_frames + self.target_frames
            arrays["test"] = load_published_test(self.eval_examples, frames, self.data_dir)
        return arrays

    def train_batch(self, data: UInt8[Array, "n d d"], key: Key, step: Step, batch_size: int) -> Batch:
        """New sequences at every step."""
        return self.batch(jax.vmap(self.frames, (None, 0))(data, jax.random.split(key, batch_size)))

    def eval_rows(self, data: UInt8[Array, "n *frames d d"], split: Split, rows: RowNumbers) -> Batch:
        """Sequences of the published test set, or generated ones."""
        if jnp.ndim(data) == 3:  # digits, not frames
            return super().eval_rows(data, split, rows)
        return self.batch(jnp.asarray(data)[jnp.minimum(rows, len(data) - 1)].astype(jnp.float32) / 255)

    def draw(self, data: UInt8[Array, "n d d"], split: Split, key: Key) -> Batch:
        """One sequence with digits of the split."""
        return self.batch(self.frames(data, key)[None])

    def frames(self, images: UInt8[Array, "n d d"], key: Key) -> Float[Array, "time h w"]:
        """One sequence of frames, intensities in [0, 1]."""
        steps = self.input_frames + self.target_frames
        return draw_frames(images, key, steps=steps, digits=self.digits, frame_size=self.frame_size)

    def batch(self, frames: Float[Array, "batch time h w"]) -> Batch:
        """Input frames followed by blank ones (``encoder_forecaster``: a pair of both), and the future frames as
        targets; all as patches.
        """
        patches = to_patches(frames, self.patch)
        past, future = patches[:, : self.input_frames], patches[:, self.input_frames :]
        if self.architecture == "encoder_forecaster":
            return Batch((past, jnp.zeros_like(future)), future)
        seen = jnp.arange(patches.shape[1]) < self.input_frames
        return Batch(patches * seen[:, None, None, None], future)

    def seen(self, batch: Batch) -> Float[Array, "batch time y x f"]:
        """The input frames of a batch, as patches."""
        return (batch.inputs[0] if isinstance(batch.inputs, tuple) else batch.inputs)[:, : self.input_frames]

    def loss(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Scalar:
        """Binary cross-entropy per pixel of the predicted frames, nats."""
        return mean(self.metrics(outputs, batch)["bce"]) / self.frame_size**2

    def metrics(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Metrics:
        """Squared error and cross-entropy (nats) of the predicted frames, summed over pixels, and their similarity."""
        return frame_metrics(outputs[:, -self.target_frames :], batch, self.patch)

    def baselines(self) -> dict[str, float]:
        """Squared error of the predictions in :mod:`~lstmlab.tasks.vision.moving_mnist.baselines`."""
        return dict(_baselines(self)["mse"])

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The similarity of the same predictions."""
        return {"ssim": dict(_baselines(self)["ssim"])}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """A film of three test sequences, truth beside prediction, and one of them as a grid."""
        batch = jax.jit(self.eval_batch, static_argnums=(1, 3))(self.data()["test"], "test", 0, PLOTTED_SEQUENCES)
        logits = jnp.asarray(predictor.predict(batch))[:, -self.target_frames :]
        patches = (self.seen(batch), batch.targets, jax.nn.sigmoid(logits))
        return plots(*(np.asarray(from_patches(p, self.patch)) for p in patches))


@functools.cache
def _baselines(task: MovingMNIST) -> dict[str, dict[str, float]]:
    data = task.data()

    def batches(split: Split) -> Iterator[Batch]:
        """Sequences of a split; of the training split as many as the others have."""

        @jax.jit
        def draw(arrays: Array, index: Array) -> Batch:
            batch = task.eval_batch(arrays, split, index, _BASELINE_BATCH)
            return batch._replace(inputs=task.seen(batch))

        return (draw(data[split], index) for index in range(task.eval_batches(split, _BASELINE_BATCH)))

    return baselines(batches("train"), batches("test"), task.patch)
