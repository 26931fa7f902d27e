"""The batch of one run split over devices: every device computes its rows, XLA sums the gradients."""

from __future__ import annotations

from typing import Any

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from lstmlab.config import Config, ConfigError

AXIS = "data"


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
    """Everything on every device."""
    return None if mesh is None else NamedSharding(mesh, PartitionSpec())


def split(mesh: Mesh | None, tree: Any) -> Any:
    """Inside a compiled function: arrays ``[batch, ...]`` with their rows shared out among the devices."""
    if mesh is None:
        return tree
    rows = NamedSharding(mesh, PartitionSpec(AXIS))
    return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, rows), tree)
