"""Moving MNIST: predict the next frames of digits that bounce in a box."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from lstmlab.tasks.base import (
    Batch,
    Features,
    Illustration,
    Metrics,
    Predictor,
    Split,
    Task,
    field,
    mean,
    weighted,
)
from lstmlab.tasks.generated import eval_key
from lstmlab.tasks.moving_frames import bounce, film, from_patches, scaled_digits, to_patches
from lstmlab.tasks.registry import register_task

SPLITS = {"train": (0, 4000), "validation": (4000, 4500), "test": (4500, 5000)}


@register_task(
    "moving_mnist",
    title="next ten frames of two bouncing digits",
    data="generated on the device from 5000 MNIST digits, embedded (CC BY-SA 3.0, LeCun & Cortes)",
    paper="Srivastava, Mansimov & Salakhutdinov 2015; patches and protocol of Shi et al. 2015",
)
@dataclasses.dataclass(frozen=True)
class MovingMNIST(Task):
    """See ``input_frames`` frames, then predict ``target_frames`` frames without seeing any more.

    The sequence the model reads is the input frames followed by as many blank frames as are to be
    predicted; the output at step t ≥ ``input_frames`` is the prediction of frame t, and outputs
    before that do not count. It is an encoder and an unconditioned forecaster that share their
    weights, where Shi et al. have two sets of weights.

    A frame of intensities in [0, 1] is rearranged into patches (space to depth)::

        [frame_size, frame_size] → [frame_size/patch, frame_size/patch, patch²]

    Outputs are logits of the intensities. Digits start anywhere in the box, move in a direction
    drawn from the circle and bounce off its walls; where they overlap, the brighter pixel is seen.
    No digit image is in two splits.

    ``mse`` and ``bce`` are summed over the pixels of a frame and averaged over frames and
    sequences, as in the literature; Shi et al. sum the cross-entropy over the ten frames too, so
    divide theirs by ten. Training digits are 4000 of MNIST's 60 000.
    """

    frame_size: int = field(64, "height and width of a frame, pixels", minimum=2)
    digit_size: int = field(28, "height and width of a digit, pixels", minimum=1)
    digits: int = field(2, "digits in a sequence", minimum=1)
    patch: int = field(4, "height and width of the patches that become features", minimum=1)
    input_frames: int = field(10, "frames that are seen", minimum=1)
    target_frames: int = field(10, "frames that are predicted", minimum=1)
    eval_examples: int = field(200, "sequences in the validation split and in the test split", minimum=1)

    metric = "mse"

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit; raises ``ValueError``."""
        if self.frame_size % self.patch:
            raise ValueError(f"task.patch={self.patch} does not divide task.frame_size={self.frame_size}")
        if self.digit_size >= self.frame_size:
            raise ValueError(
                f"task.digit_size={self.digit_size} leaves a digit no room to move: "
                f"it must be smaller than task.frame_size={self.frame_size}"
            )

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
        """Per split its digits, uint8 ``[count, digit_size, digit_size]``."""
        images = scaled_digits(self.digit_size)
        return {split: images[first:end] for split, (first, end) in SPLITS.items()}

    def train_batch(
        self, data: UInt8[Array, "n d d"], key: PRNGKeyArray, step: Int[Array, ""], batch_size: int
    ) -> Batch:
        """Fresh sequences at every step."""
        return self.batch(jax.vmap(self.frames, (None, 0))(data, jax.random.split(key, batch_size)))

    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Enough batches for ``eval_examples``."""
        return -(-self.eval_examples // batch_size)

    def eval_batch(self, data: UInt8[Array, "n d d"], split: Split, index: Int[Array, ""], batch_size: int) -> Batch:
        """Every sequence has its own key, so that a split is the same at any batch size."""
        rows = index * batch_size + jnp.arange(batch_size)
        frames = jax.vmap(lambda row: self.frames(data, eval_key(split, row)))(rows)
        return self.batch(frames)._replace(weights=(rows < self.eval_examples).astype(jnp.float32))

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
        """Input frames followed by blanks, and the future frames as targets; both as patches."""
        patches = to_patches(frames, self.patch)
        seen = jnp.arange(patches.shape[1]) < self.input_frames
        inputs = patches * seen[:, None, None, None]
        return Batch(inputs, patches[:, self.input_frames :])

    def loss(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Float[Array, ""]:
        """Binary cross-entropy per pixel of the predicted frames, nats."""
        return mean(self.metrics(outputs, batch)["bce"]) / self.frame_size**2

    def metrics(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Metrics:
        """Squared error and cross-entropy (nats) of the predicted frames, summed over pixels."""
        logits, truth = outputs[:, self.input_frames :], batch.targets
        squares = (jax.nn.sigmoid(logits) - truth) ** 2
        nats = jax.nn.softplus(logits) - logits * truth
        pixels = (2, 3, 4)
        return {
            "mse": weighted(jnp.sum(squares, axis=pixels), batch),
            "bce": weighted(jnp.sum(nats, axis=pixels), batch),
        }

    def baselines(self) -> dict[str, float]:
        """Squared error of showing the mean training frame, nothing, or the last frame seen."""
        return dict(_baselines(self))

    def illustrate(self, predictor: Predictor) -> list[Illustration]:
        """A film of three test sequences, truth beside prediction, and one of them as a grid."""
        from lstmlab.tracking.pictures import frames_grid, to_pixels

        draw = jax.jit(self.eval_batch, static_argnums=(1, 3))
        batch = draw(self.data()["test"], "test", 0, 3)
        logits = jnp.asarray(predictor.predict(batch))[:, self.input_frames :]
        patches = (batch.inputs[:, : self.input_frames], batch.targets, jax.nn.sigmoid(logits))
        seen, truth, predicted = (np.asarray(from_patches(p, self.patch)) for p in patches)
        total = self.input_frames + self.target_frames
        grid = {
            f"input 1-{self.input_frames}": to_pixels(seen[0]),
            f"truth {self.input_frames + 1}-{total}": to_pixels(truth[0]),
            "prediction": to_pixels(predicted[0]),
        }
        return [
            Illustration("film", frames=to_pixels(film(seen, truth, predicted))),
            Illustration("frames", picture=frames_grid(grid)),
        ]


@functools.cache
def _baselines(task: MovingMNIST) -> dict[str, float]:
    """Measured on the test split; the mean frame is that of as many training sequences."""
    data, size = task.data(), 50

    def batches(split: Split) -> Iterator[Batch]:
        draw = jax.jit(lambda images, index: task.eval_batch(images, split, index, size))
        return (draw(data[split], index) for index in range(task.eval_batches(split, size)))

    @jax.jit
    def brightness(batch: Batch) -> Array:
        return jnp.mean(batch.targets, axis=(0, 1))

    @jax.jit
    def errors(batch: Batch, mean_frame: Array) -> dict[str, tuple[Array, Array]]:
        last = batch.inputs[:, task.input_frames - 1, None]
        guesses = {"mean frame": mean_frame, "blank": 0.0, "last frame": last}
        squares = {name: (guess - batch.targets) ** 2 for name, guess in guesses.items()}
        return {name: weighted(jnp.sum(e, axis=(2, 3, 4)), batch) for name, e in squares.items()}

    def sum_up(totals: Iterable[Any]) -> Any:
        return functools.reduce(lambda a, b: jax.tree.map(jnp.add, a, b), totals)

    mean_frame = sum_up(map(brightness, batches("train"))) / task.eval_batches("train", size)
    sums = sum_up(errors(batch, mean_frame) for batch in batches("test"))
    values = {name: float(mean(pair)) for name, pair in sums.items()}
    return dict(sorted(values.items(), key=lambda item: item[1]))
