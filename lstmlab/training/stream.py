"""Training batches that are drawn on the host and read ahead, for training splits too large for the device.

A batch is a pure function of (training split, seed, step). Here this function is compiled for the CPU and called by
Grain's threads, one chunk of successive steps at a time, while the device trains on the chunk before. A stream
therefore gives exactly the batches that a split on the device would give, from any step on.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, PyTree

from lstmlab.config import Config, ConfigError, Member
from lstmlab.tasks import Batch
from lstmlab.training.functions import draw

# Chunks that wait while the device trains, and threads that draw them.
AHEAD, THREADS = 2, 2


def data_placement(config: Config, train: PyTree) -> str:
    """``device`` or ``stream``: where the training split of a run is kept.

    With ``auto`` it is streamed when it has more than ``data.device_bytes`` bytes, unless several processes train
    together. Raises ``ConfigError`` for a stream that is impossible.
    """
    wanted, size = config.data.placement, split_bytes(train)
    together = config.training.distributed
    if wanted == "stream":
        if not size:
            raise ConfigError(
                f"data.placement=stream, but task={config.task.name} draws its batches on the device from no data: "
                "auto or device is right"
            )
        if together:
            raise ConfigError(
                "data.placement=stream is for a single process: with training.distributed=true auto or device is right"
            )
    if wanted == "auto":
        wanted = "stream" if size > config.data.device_bytes and not together else "device"
    return wanted


def split_bytes(split: PyTree) -> int:
    """Size of a split's arrays."""
    return sum(int(np.size(leaf)) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(split))


class HostBatches:
    """Draws the batches of any member, on the CPU, from one training split; any thread may call.

    Raises ``ConfigError`` when JAX may not use the CPU.
    """

    def __init__(self, config: Config, train: PyTree) -> None:
        try:
            self._cpu = jax.local_devices(backend="cpu")[0]
        except RuntimeError:
            raise ConfigError(
                "data.placement=stream draws batches on the CPU, which JAX_PLATFORMS leaves out: add cpu to it"
            ) from None
        self.training = config.training
        self._config, self._train = config, train
        self._jitted = jax.jit(self._draw, static_argnames="count")
        self._lock = threading.Lock()
        self._on_cpu: PyTree = None

    def __len__(self) -> int:
        """Chunks of a whole run."""
        return -(-self.training.steps // self.training.log_every)

    def draw(self, member: Member, chunk: int) -> Batch:
        """The batches of a chunk as NumPy arrays ``[steps, batch, ...]``: those of steps ``chunk · log_every …``."""
        first = chunk * self.training.log_every
        count = min(self.training.log_every, self.training.steps - first)
        with self._lock:
            if self._on_cpu is None:
                # Not copied if the array is aligned, so that memory-mapped files stay on disk.
                self._on_cpu = jax.device_put(self._train, self._cpu, may_alias=True)
        # Arguments on the CPU make the whole program run there.
        seed, start = jax.device_put((member["seed"], np.int32(first)), self._cpu)
        return jax.device_get(self._jitted(self._on_cpu, seed, start, count=count))

    def shapes(self, count: int) -> Batch:
        """The shapes of a chunk of ``count`` steps."""
        scalar = jax.ShapeDtypeStruct((), np.uint32), jax.ShapeDtypeStruct((), np.int32)
        return jax.eval_shape(lambda *args: self._draw(*args, count=count), self._train, *scalar)

    def _draw(self, train: PyTree, seed: Array, start: Array, count: int) -> Batch:
        steps = start + np.arange(count, dtype=np.int32)
        config = dataclasses.replace(self._config, seed=seed)
        return jax.lax.map(lambda step: draw(config, train, step), steps)


class ResidentSplit:
    """A training split on the device, from which the compiled step draws its own batches."""

    started, position = True, None

    def __init__(self, split: PyTree) -> None:
        self._split = split

    def take(self) -> PyTree:
        """The split."""
        return self._split

    def close(self) -> None:
        """Nothing to stop."""


class Stream:
    """The chunks of one member in order, read ahead by Grain.

    Attributes:
        started: whether a chunk has been taken. The first one waits until its program is compiled.
    """

    def __init__(
        self,
        batches: HostBatches,
        values: Member,
        step: int,
        position: dict[str, Any] | None = None,
        *,
        put: Callable[[Batch], Batch] = lambda chunk: chunk,
    ) -> None:
        """Begin at a step, or at the ``position`` of an earlier stream; ``put`` moves a chunk to the device."""
        # Grain takes a second or two to import: only runs that stream pay for it.
        import grain

        options = grain.ReadOptions(num_threads=THREADS, prefetch_buffer_size=AHEAD)
        self._iterator = iter(grain.MapDataset.source(_Source(batches, values)).to_iter_dataset(options))
        self._iterator.set_state(position or {"next_index": step // batches.training.log_every})
        self._put = put
        self.started = False

    @property
    def position(self) -> dict[str, Any]:
        """Grain's state, plain JSON values: the next chunk to be taken, however many have been read ahead."""
        return dict(self._iterator.get_state())

    def take(self) -> Batch:
        """The next chunk."""
        self.started = True
        return self._put(next(self._iterator))

    def close(self) -> None:
        """Stop reading ahead."""
        self._iterator.close()


class _Source:
    """Grain's source: item ``i`` is chunk ``i`` of one member."""

    def __init__(self, batches: HostBatches, member: Member) -> None:
        self._batches, self._member = batches, member

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        return self._batches.draw(self._member, index)
