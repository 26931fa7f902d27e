"""Moving MNIST: predict the next frames of digits that bounce in a box."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from lstmlab.settings import setting
from lstmlab.tasks.generated import Generated
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, weighted
from lstmlab.tasks.vision.frames import FORECASTS, IMAGES, bounce, digits_of, from_patches, to_patches
from lstmlab.tasks.vision.moving_mnist.baselines import baselines
from lstmlab.tasks.vision.moving_mnist.dataset import PUBLISHED_FRAMES, PUBLISHED_SEQUENCES, load_moving_mnist_test
from lstmlab.tasks.vision.ssim import ssim

TEST_SETS = ("generated", "published")


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
    """See ``input_frames`` frames, then predict ``target_frames`` frames without seeing any more.

    Two forms of model do that (``forecast``):

    * ``stepwise``: one stack of layers reads the input frames followed by as many blank frames as are to be
      predicted; the output at step t ≥ ``input_frames`` is the prediction of frame t, and outputs before that do not
      count. It is an encoder and a forecaster that share their weights.
    * ``encoder_forecaster``: the network of Shi et al. A second stack of layers starts from the states of the first
      and reads blank frames; a 1×1 convolution over the states of all its layers gives the frame.

    A frame of intensities in [0, 1] is rearranged into patches (space to depth)::

        [frame_size, frame_size] → [frame_size/patch, frame_size/patch, patch²]

    Outputs are logits of the intensities. Digits start anywhere in the box, move in a direction
    drawn from the circle and bounce off its walls; where they overlap, the brighter pixel is seen.
    No digit image is in two splits.

    ``mse`` and ``bce`` are summed over the pixels of a frame and averaged over frames and
    sequences, as in the literature; ``bce_sequence`` sums the cross-entropy over the predicted frames too, as Shi et
    al. do. ``ssim`` is structural similarity, see :func:`lstmlab.tasks.vision.ssim.ssim`.

    By default digits are 5000 of MNIST: 4000 train, 500 validate, 500 test. ``test_set=published`` tests on the file
    with which results are published, its first ``eval_examples`` of 10 000 sequences, by download (819 MB);
    ``images=mnist`` draws training and validation from MNIST's 60 000 training digits, by download.
    """

    frame_size: int = setting(64, "height and width of a frame, pixels", minimum=7)
    digit_size: int = setting(28, "height and width of a digit, pixels", minimum=1)
    digits: int = setting(2, "digits in a sequence", minimum=1)
    patch: int = setting(4, "height and width of the patches that become features", minimum=1)
    input_frames: int = setting(10, "frames that are seen", minimum=1)
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
            self._check_published()

    def _check_published(self) -> None:
        for key, value in {"frame_size": 64, "digit_size": 28, "digits": 2}.items():
            if getattr(self, key) != value:
                raise ValueError(f"task.test_set=published needs task.{key}={value}, not {getattr(self, key)}")
        if self.input_frames + self.target_frames > PUBLISHED_FRAMES:
            raise ValueError(
                f"task.test_set=published has {PUBLISHED_FRAMES} frames, but task.input_frames={self.input_frames} "
                f"and task.target_frames={self.target_frames} are more"
            )
        if self.eval_examples > PUBLISHED_SEQUENCES:
            raise ValueError(
                f"task.test_set=published has {PUBLISHED_SEQUENCES} sequences, "
                f"but task.eval_examples={self.eval_examples}"
            )

    @property
    def architecture(self) -> str:  # type: ignore[override]
        """One stack of layers, or two."""
        return "encoder_forecaster" if self.forecast == "encoder_forecaster" else "sequence"

    @property
    def inputs(self) -> Features:
        """Patches of a frame."""
        side = self.frame_size // self.patch
        return Features(self.patch**2, spatial=(side, side))

    @property
    def outputs(self) -> Features:
        """Logits of a frame's patches."""
        return self.inputs

    def data(self) -> Mapping[str, Any]:
        """Per split its digits, uint8 ``[count, digit_size, digit_size]``; of the published test set its frames
        ``[eval_examples, frames, 64, 64]``.
        """
        images = digits_of(self.images, self.digit_size, self.data_dir)
        if self.test_set == "published":
            frames = self.input_frames + self.target_frames
            images["test"] = load_moving_mnist_test(self.eval_examples, frames, self.data_dir)
        return images

    def train_batch(
        self, data: UInt8[Array, "n d d"], key: PRNGKeyArray, step: Int[Array, ""], batch_size: int
    ) -> Batch:
        """Fresh sequences at every step."""
        return self.batch(jax.vmap(self.frames, (None, 0))(data, jax.random.split(key, batch_size)))

    def eval_rows(self, data: UInt8[Array, "n d d"], split: Split, rows: Int[Array, " batch"]) -> Batch:
        """Sequences of the published test set, or drawn."""
        if jnp.ndim(data) == 3:  # digits, not frames
            return super().eval_rows(data, split, rows)
        return self.batch(jnp.asarray(data)[jnp.minimum(rows, len(data) - 1)].astype(jnp.float32) / 255)

    def draw(self, data: UInt8[Array, "n d d"], split: Split, key: PRNGKeyArray) -> Batch:
        """Digits of the split on a walk of their own."""
        return self.batch(self.frames(data, key)[None])

    def frames(self, images: UInt8[Array, "n d d"], key: PRNGKeyArray) -> Float[Array, "time h w"]:
        """One sequence of frames, intensities in [0, 1]."""
        k_which, k_where = jax.random.split(key)
        which = jax.random.randint(k_which, (self.digits,), 0, images.shape[0])
        room = self.frame_size - self.digit_size
        steps = self.input_frames + self.target_frames
        places = bounce(k_where, steps, self.digits)
        corners = (room * places).astype(jnp.int32)  # [time, digits, 2], whole pixels
        padded = jnp.pad(jnp.asarray(images)[which], ((0, 0), (room, room), (room, room)))
        window = (self.frame_size, self.frame_size)

        def render(image: Array, corner: Array) -> Array:
            return jax.lax.dynamic_slice(image, room - corner, window)

        drawn = jax.vmap(jax.vmap(render), (None, 0))(padded, corners)
        return jnp.max(drawn, axis=1).astype(jnp.float32) / 255

    def batch(self, frames: Float[Array, "batch time h w"]) -> Batch:
        """Input frames followed by blanks (``encoder_forecaster``: a pair of both), and the future frames as targets;
        all as patches.
        """
        patches = to_patches(frames, self.patch)
        if self.architecture == "encoder_forecaster":
            past, future = patches[:, : self.input_frames], patches[:, self.input_frames :]
            return Batch((past, jnp.zeros_like(future)), future)
        seen = jnp.arange(patches.shape[1]) < self.input_frames
        inputs = patches * seen[:, None, None, None]
        return Batch(inputs, patches[:, self.input_frames :])

    def loss(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Float[Array, ""]:
        """Binary cross-entropy per pixel of the predicted frames, nats."""
        return mean(self.metrics(outputs, batch)["bce"]) / self.frame_size**2

    def metrics(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Metrics:
        """Squared error and cross-entropy (nats) of the predicted frames, summed over pixels, and their similarity."""
        logits, truth = outputs[:, -self.target_frames :], batch.targets
        shown = jax.nn.sigmoid(logits)
        nats = jnp.sum(jax.nn.softplus(logits) - logits * truth, axis=(2, 3, 4))
        likeness = ssim(from_patches(shown, self.patch), from_patches(truth, self.patch))
        return {
            "mse": weighted(jnp.sum((shown - truth) ** 2, axis=(2, 3, 4)), batch),
            "ssim": weighted(likeness, batch),
            "bce": weighted(nats, batch),
            "bce_sequence": weighted(jnp.sum(nats, axis=1), batch),
        }

    def baselines(self) -> dict[str, float]:
        """Squared error of showing the mean training frame, nothing, or the last frame seen."""
        return dict(baselines(self)["mse"])

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The similarity that the same frames have."""
        return {"ssim": dict(baselines(self)["ssim"])}

    def seen(self, batch: Batch) -> Float[Array, "batch time y x f"]:
        """The input frames of a batch, as patches."""
        return (batch.inputs[0] if isinstance(batch.inputs, tuple) else batch.inputs)[:, : self.input_frames]

    def plot(self, predictor: Predictor) -> list[Plot]:
        """A film of three test sequences, truth beside prediction, and one of them as a grid."""
        from lstmlab.tasks.vision.moving_mnist.plots import plot

        return plot(self, predictor)
