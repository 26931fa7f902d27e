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
from lstmlab.tasks import Split
from lstmlab.training.devices import batch_mesh, rows_of_chunks, whole
from lstmlab.training.engine import Engine
from lstmlab.training.stream import HostBatches, data_placement

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
        data_placement: ``device`` or ``stream``: where the training split is kept.
        batches: draws what is streamed; ``None`` where the split is on the device.
    """

    def __init__(self, config: Config) -> None:
        static, member = split_traced(config)
        mesh = batch_mesh(static)
        self.placement, self._chunk_placement = whole(mesh), rows_of_chunks(mesh)
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
        self.data_placement = data_placement(static, host["train"])
        self.batches = HostBatches(self.engine, host["train"]) if self.data_placement == "stream" else None
        self._host_data, self._data = host, {}
        self._compiled: dict[Any, Any] = {}
        self._lock = threading.Lock()
        self._locks: dict[Any, threading.Lock] = {}

    def data(self, split: Split, device: Any = None) -> Any:
        """A split on a device, put there once."""
        with self._lock:
            if (split, device) not in self._data:
                self._data[split, device] = jax.device_put(self._host_data[split], device)
            return self._data[split, device]

    def chunk(self, batches: Any, device: Any = None) -> Any:
        """Streamed batches on a device, or their rows shared out."""
        return jax.device_put(batches, self._chunk_placement or device)

    def init(self, lanes: int | None, member: Member) -> tuple[Any, float]:
        """First states; every function here returns its result and the seconds that went into compiling it."""
        return self._call("init", lanes, self.engine.init, (member,), has_data=False)

    def advance(self, lanes: int | None, state: Any, member: Member, data: Any, steps: int) -> tuple[Any, float]:
        """``steps`` optimiser steps; the given state is used up. ``data`` is the split, or a chunk of its batches."""
        return self._call(("advance", steps), lanes, self._advance(steps), (state, member, data), (0,))

    def assess(self, lanes: int | None, state: Any, member: Member, data: Any) -> tuple[Any, float]:
        """Validation metrics, and the best model kept."""
        return self._call("assess", lanes, self.engine.assess, (state, member, data))

    def evaluate(self, lanes: int | None, model: Any, member: Member, data: Any) -> tuple[Any, float]:
        """Every metric of the test split."""
        return self._call("evaluate", lanes, self._evaluate, (model, member, data))

    def advance_bytes(self, lanes: int, member: Member, data: Any, steps: int) -> int | None:
        """Device memory that ``advance`` needs for so many lanes, or ``None`` where the backend does not say."""
        members = jax.tree.map(lambda v: jax.ShapeDtypeStruct((lanes, *np.shape(v)), np.asarray(v).dtype), member)
        states = jax.eval_shape(jax.vmap(self.engine.init), members)
        compiled = _jitted(self._advance(steps), lanes, (0,), has_data=True).lower(states, members, data).compile()
        analysis = compiled.memory_analysis()
        if analysis is None:
            return None
        kept = analysis.argument_size_in_bytes + analysis.output_size_in_bytes - analysis.alias_size_in_bytes
        return int(kept + analysis.temp_size_in_bytes)

    def warm_up(self, member: Member) -> list[Callable[[], Any]]:
        """What compiles the programs of a run on one device, one by one, for workers that would wait for them.

        The longest comes first. What a program raises is raised again where it is called.
        """
        training = self.engine.static.training
        shapes = {split: jax.eval_shape(lambda d: d, data) for split, data in self._host_data.items()}
        state, steps = self.template, min(training.log_every, training.steps)
        if self.batches:
            shapes["train"] = self.batches.shapes(steps)
        train, validation, test = (shapes[split] for split in ("train", "validation", "test"))
        return [
            partial(self._compile, ("advance", steps), None, self._advance(steps), (state, member, train), (0,)),
            partial(self._compile, "init", None, self.engine.init, (member,), has_data=False),
            partial(self._compile, "assess", None, self.engine.assess, (state, member, validation)),
            partial(self._compile, "evaluate", None, self._evaluate, (state.best_model, member, test)),
        ]

    def _advance(self, steps: int) -> Callable[..., Any]:
        if self.batches:
            return self.engine.advance_on
        return lambda state, member, data: self.engine.advance(state, member, data, steps)

    def _evaluate(self, model: Any, member: Member, data: Any) -> Any:
        return self.engine.evaluate(model, member, data, "test")

    def _call(
        self, name: Any, lanes: int | None, function: Any, args: Any, *how: Any, **more: Any
    ) -> tuple[Any, float]:
        compiled, seconds = self._compile(name, lanes, function, args, *how, **more)
        return jax.block_until_ready(compiled(*args)), seconds

    def _compile(
        self,
        name: Any,
        lanes: int | None,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        donate: tuple[int, ...] = (),
        *,
        has_data: bool = True,
    ) -> tuple[Any, float]:
        """The program, and the seconds that this call has spent on it, be it by waiting for another thread."""
        key = (name, lanes, _device(args))
        started = time.perf_counter()
        with self._lock:
            own = self._locks.setdefault(key, threading.Lock())
        with own:
            if key in self._compiled:
                return self._compiled[key], time.perf_counter() - started
            jitted = _jitted(function, lanes, donate, has_data=has_data, placement=self.placement)
            self._compiled[key] = jitted.lower(*args).compile()
        return self._compiled[key], time.perf_counter() - started


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
    """The device that arguments lie on, where there are several."""
    if jax.local_device_count() == 1:
        return None
    for leaf in jax.tree.leaves(args):
        if isinstance(leaf, jax.Array):
            return leaf.sharding
    return None
