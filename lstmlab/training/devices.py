"""The batch of one run split over devices: every device runs the model on its rows, and gradients are summed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from lstmlab.arrays import Key
from lstmlab.config import Config, ConfigError

R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")

AXIS = "data"

Placement = jax.Device | jax.sharding.Sharding | None
"""where arrays are put; ``None``: on the default device"""


def batch_mesh(config: Config) -> Mesh | None:
    """The devices over which batches are split, or ``None`` for one device.

    Raises ``ConfigError`` when there are fewer devices, or a batch cannot be split evenly.
    """
    training, devices = config.training, jax.devices()
    count = training.devices or len(devices)
    if count > len(devices):
        more = f" (JAX_NUM_CPU_DEVICES={count} in the environment makes more)" if devices[0].platform == "cpu" else ""
        raise ConfigError(
            f"training.devices is {count}, but JAX finds {len(devices)} {devices[0].platform} device(s){more}"
        )
    if jax.process_count() > 1 and count != len(devices):
        raise ConfigError(
            f"training.devices is {count}, but with training.distributed=true it must be 0 or {len(devices)}: "
            f"all devices of the {jax.process_count()} processes"
        )
    for key in ("batch_size", "eval_batch_size"):
        size = getattr(training, key)
        if size % count:
            raise ConfigError(
                f"training.{key} is {size}, but must be a multiple of the {count} devices over which it is split "
                f"(training.devices={training.devices})"
            )
    if count == 1:
        return None
    return jax.make_mesh((count,), (AXIS,), devices=devices[:count], axis_types=(AxisType.Auto,))


def whole(mesh: Mesh | None) -> NamedSharding | None:
    """Everything replicated on every device."""
    return None if mesh is None else NamedSharding(mesh, PartitionSpec())


def rows_of_chunks(mesh: Mesh | None) -> NamedSharding | None:
    """Arrays ``[steps, batch, ...]`` with their rows split over the devices."""
    return None if mesh is None else NamedSharding(mesh, PartitionSpec(None, AXIS))


def split_rows(mesh: Mesh | None, tree: T) -> T:
    """Inside a compiled function: arrays ``[batch, ...]`` with their rows split over the devices."""
    if mesh is None:
        return tree
    rows = NamedSharding(mesh, PartitionSpec(AXIS))
    return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, rows), tree)


def by_rows(
    mesh: Mesh | None,
    function: Callable[[S, T, Key | None], R],
    shared: S,
    rows: T,
    key: Key | None,
) -> R:
    """``function(shared, rows, key)`` with its arrays ``[batch, ...]`` computed by the device that has the rows.

    Every device draws from a key of its own. The gradient of what is shared is summed over devices, once.
    """
    if mesh is None:
        return function(shared, rows, key)

    def on_one_device(shared: S, rows: T, key: Key | None) -> R:
        own = None if key is None else jax.random.fold_in(key, jax.lax.axis_index(AXIS))
        return function(shared, rows, own)

    # Without this XLA would gather all rows on every device, where sequences are flattened to [time · batch, ...].
    every, own = PartitionSpec(), PartitionSpec(AXIS)
    specs = (every, own, every)
    # check_vma=True would add a psum to every step of the backward recurrence.
    return jax.shard_map(on_one_device, mesh=mesh, in_specs=specs, out_specs=own, check_vma=False)(shared, rows, key)
