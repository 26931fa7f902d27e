"""The compiled functions of one static configuration, shared by all its members."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from lstmlab.config import Config, ConfigError, Member, split_traced, to_tree
from lstmlab.training.devices import batch_mesh, whole
from lstmlab.training.engine import Engine

# Keys that change nothing of what is computed.
HOST_KEYS = ("resume", "name", "wandb")


def program_key(config: Config) -> str:
    """Equal for configurations that share one program: those that differ in traced values and host keys alone."""
    tree = {name: part for name, part in to_tree(split_traced(config)[0]).items() if name not in HOST_KEYS}
    return json.dumps(tree, sort_keys=True, default=str)


class Programs:
    """Compiles every function once, when it is first called; any thread may call.

    With ``lanes`` a function maps over a leading axis of so many members, by ``vmap``; without, it is the plain
    function of one run. Raises ``ConfigError`` when the parts of the configuration do not fit.

    Attributes:
        placement: of arguments and results on the devices that batches are split over; ``None`` for one device.
    """

    def __init__(self, config: Config) -> None:
        static, member = split_traced(config)
        mesh = batch_mesh(static)
        self.placement = whole(mesh)
        self.engine, self.task = Engine(static, mesh), static.task
        training = static.training
        try:
            self.template = jax.eval_shape(self.engine.init, member)
            host = self.task.data()
            batch = jax.tree.map(lambda a: jax.ShapeDtypeStruct(np.shape(a), a.dtype), host["train"])
            key = jax.eval_shape(lambda: jax.random.key(0))
            step = jax.ShapeDtypeStruct((), np.int32)
            jax.eval_shape(partial(self.task.train_batch, batch_size=training.batch_size), batch, key, step)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        self._host_data, self._data = host, {}
        self._compiled: dict[Any, Any] = {}
        self._lock = threading.Lock()

    def data(self, split: str, device: Any = None) -> Any:
        """A split on a device, put there once."""
        with self._lock:
            if (split, device) not in self._data:
                self._data[split, device] = jax.device_put(self._host_data[split], device)
            return self._data[split, device]

    def init(self, lanes: int | None, member: Member) -> tuple[Any, float]:
        """First states; every function here returns its result and the seconds that went into compiling it."""
        return self._call("init", lanes, self.engine.init, member)

    def advance(self, lanes: int | None, state: Any, member: Member, data: Any, steps: int) -> tuple[Any, float]:
        """``steps`` optimiser steps; the given state is used up."""

        def advance(state: Any, member: Member, data: Any) -> Any:
            return self.engine.advance(state, member, data, steps)

        return self._call(("advance", steps), lanes, advance, state, member, data=data, donate=(0,))

    def assess(self, lanes: int | None, state: Any, member: Member, data: Any) -> tuple[Any, float]:
        """Validation metrics, and the best model kept."""
        return self._call("assess", lanes, self.engine.assess, state, member, data=data)

    def evaluate(self, lanes: int | None, model: Any, member: Member, data: Any, split: Any) -> tuple[Any, float]:
        """Every metric of a split."""

        def evaluate(model: Any, member: Member, data: Any) -> Any:
            return self.engine.evaluate(model, member, data, split)

        return self._call(("evaluate", split), lanes, evaluate, model, member, data=data)

    def advance_bytes(self, lanes: int, member: Member, data: Any, steps: int) -> int | None:
        """Device memory that ``advance`` needs for so many lanes, or ``None`` where the backend does not say."""
        members = jax.tree.map(lambda v: jax.ShapeDtypeStruct((lanes, *np.shape(v)), np.asarray(v).dtype), member)
        states = jax.eval_shape(jax.vmap(self.engine.init), members)

        def advance(state: Any, member: Member, data: Any) -> Any:
            return self.engine.advance(state, member, data, steps)

        compiled = _jitted(advance, lanes, (0,), has_data=True).lower(states, members, data).compile()
        analysis = compiled.memory_analysis()
        if analysis is None:
            return None
        kept = analysis.argument_size_in_bytes + analysis.output_size_in_bytes - analysis.alias_size_in_bytes
        return int(kept + analysis.temp_size_in_bytes)

    def _call(
        self,
        name: Any,
        lanes: int | None,
        function: Callable[..., Any],
        *args: Any,
        data: Any = None,
        donate: tuple[int, ...] = (),
    ) -> tuple[Any, float]:
        args = args if data is None else (*args, data)
        key = (name, lanes, _device(args))
        seconds = 0.0
        with self._lock:
            if key not in self._compiled:
                started = time.perf_counter()
                jitted = _jitted(function, lanes, donate, has_data=data is not None, placement=self.placement)
                self._compiled[key] = jitted.lower(*args).compile()
                seconds = time.perf_counter() - started
        return jax.block_until_ready(self._compiled[key](*args)), seconds


def _jitted(
    function: Callable[..., Any],
    lanes: int | None,
    donate: tuple[int, ...],
    *,
    has_data: bool,
    placement: Any = None,
) -> Any:
    def mapped(*args: Any) -> Any:
        axes = [0] * len(args)
        if has_data:
            axes[-1] = None  # type: ignore[call-overload]
        return jax.vmap(function, in_axes=tuple(axes))(*args)

    return jax.jit(function if lanes is None else mapped, donate_argnums=donate, out_shardings=placement)


def _device(args: Any) -> Any:
    """The device that arguments lie on, where they say so."""
    for leaf in jax.tree.leaves(args):
        if isinstance(leaf, jax.Array):
            return leaf.sharding
    return None
