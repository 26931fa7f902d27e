"""The compiled functions of one static configuration, and its data on the device; members share both."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from lstmlab.config import Config, ConfigError, Member, merge_traced, split_traced, to_tree
from lstmlab.models import SequenceModel
from lstmlab.tasks import Split
from lstmlab.training import functions
from lstmlab.training.devices import Placement, batch_mesh, rows_of_chunks, whole
from lstmlab.training.functions import Metrics, RunState, StepLog
from lstmlab.training.stream import HostBatches, ResidentSplit, Stream, data_placement
from lstmlab.training.timer import Activity, Timer

Name = str | tuple[str, int]
"""of a function, with the number of steps where it has one"""
ProgramKey = tuple[Name, int | None, jax.sharding.Sharding | None]
"""name, number of members under ``vmap``, and where the arguments lie"""

# Keys that change nothing of what is computed.
HOST_KEYS = ("resume", "name", "wandb")


def program_key(config: Config) -> str:
    """Equal for configurations that share compiled functions: they differ in traced values and host keys alone."""
    tree = {name: part for name, part in to_tree(split_traced(config)[0]).items() if name not in HOST_KEYS}
    return json.dumps(tree, sort_keys=True, default=str)


class CompiledRun:
    """The functions of :mod:`lstmlab.training.functions`, each compiled when it is first called; any thread may call.

    Their first argument is a member's traced values; they enter the configuration here and nowhere else. With ``size``
    a function is mapped over a leading axis of that many members by ``vmap``; without it is the plain function of one
    run. Compiling counts as such on the ``timer`` of the caller.

    Raises ``ConfigError`` when the parts of the configuration do not fit.

    Attributes:
        config: the static configuration.
        template: the shapes of a run's state.
        placement: of arguments and results on the devices that batches are split over; ``None`` for one device.
        data_placement: ``device`` or ``stream``: where the training split is kept.
        batches: draws what is streamed; ``None`` where the split is on the device.
    """

    def __init__(self, config: Config) -> None:
        self.config, values = split_traced(config)
        self._mesh = batch_mesh(self.config)
        self.placement, self._chunk_placement = whole(self._mesh), rows_of_chunks(self._mesh)
        try:
            self.template: RunState = jax.eval_shape(self._with_config(functions.init), values)
            self._host_data = self.config.task.data()
            self._check_batches(values)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        train = self._host_data["train"]
        self.data_placement = data_placement(self.config, train)
        self.batches = HostBatches(self.config, train) if self.data_placement == "stream" else None
        self._data: dict[tuple[Split, Placement], PyTree] = {}
        self._compiled: dict[ProgramKey, jax.stages.Compiled] = {}
        self._lock = threading.Lock()
        self._locks: dict[ProgramKey, threading.Lock] = {}

    def data(self, split: Split, device: Placement = None) -> PyTree:
        """A split on a device, put there once."""
        with self._lock:
            if (split, device) not in self._data:
                self._data[split, device] = jax.device_put(self._host_data[split], device)
            return self._data[split, device]

    def training_data(
        self, values: Member, step: int, position: dict[str, Any] | None = None, device: Placement = None
    ) -> ResidentSplit | Stream:
        """What :meth:`advance` learns from: the split on the device, or a stream of one member's batches.

        A stream begins at ``step``, or at the ``position`` of a checkpoint.
        """
        if self.batches is None:
            return ResidentSplit(self.data("train", device))
        put = partial(jax.device_put, device=self._chunk_placement or device)
        return Stream(self.batches, values, step, position, put=put)

    def init(self, values: Member, timer: Timer, size: int | None = None) -> RunState:
        """The state before the first step. Its time counts as compiling."""
        return self._call("init", functions.init, (values,), timer, "compile", size, has_data=False)

    def advance(
        self, values: Member, state: RunState, data: PyTree, steps: int, timer: Timer, size: int | None = None
    ) -> tuple[RunState, StepLog]:
        """``steps`` optimiser steps; the given state is used up. ``data`` is the split, or a chunk of its batches."""
        arguments = (values, state, data)
        return self._call(("advance", steps), self._advance(steps), arguments, timer, "train", size, donate=(1,))

    def validate(
        self, values: Member, state: RunState, data: PyTree, timer: Timer, size: int | None = None
    ) -> tuple[RunState, Metrics]:
        """Validation metrics, and the best model kept."""
        return self._call("validate", self._validate, (values, state, data), timer, "evaluate", size)

    def evaluate(
        self, values: Member, model: SequenceModel, data: PyTree, timer: Timer, size: int | None = None
    ) -> Metrics:
        """Every metric of the test split."""
        return self._call("evaluate", self._evaluate, (values, model, data), timer, "evaluate", size)

    def advance_bytes(self, size: int, values: Member, data: PyTree, steps: int) -> int | None:
        """Device memory that ``advance`` needs for so many members, or ``None`` where the backend does not say."""
        members = jax.tree.map(lambda v: jax.ShapeDtypeStruct((size, *np.shape(v)), np.asarray(v).dtype), values)
        states = jax.eval_shape(jax.vmap(self._with_config(functions.init)), members)
        jitted = self._jitted(self._advance(steps), size, donate=(1,))
        analysis = jitted.lower(members, states, data).compile().memory_analysis()
        if analysis is None:
            return None
        kept = analysis.argument_size_in_bytes + analysis.output_size_in_bytes - analysis.alias_size_in_bytes
        return int(kept + analysis.temp_size_in_bytes)

    def warm_up(self, values: Member) -> list[Callable[[], Any]]:
        """What compiles the functions of a run on one device, one by one, for workers that would wait for them.

        The longest comes first. What compiling raises is raised again where the function is called.
        """
        training = self.config.training
        shapes: dict[str, Any] = {split: jax.eval_shape(lambda d: d, d) for split, d in self._host_data.items()}
        state, steps = self.template, min(training.log_every, training.steps)
        if self.batches:
            shapes["train"] = self.batches.shapes(steps)
        train, validation, test = (shapes[split] for split in ("train", "validation", "test"))
        return [
            partial(self._compile, ("advance", steps), self._advance(steps), (values, state, train), donate=(1,)),
            partial(self._compile, "init", functions.init, (values,), has_data=False),
            partial(self._compile, "validate", self._validate, (values, state, validation)),
            partial(self._compile, "evaluate", self._evaluate, (values, state.best_model, test)),
        ]

    def _advance(self, steps: int) -> Callable[..., Any]:
        if self.batches:
            return partial(functions.advance_on, mesh=self._mesh)
        return partial(functions.advance, steps=steps, mesh=self._mesh)

    def _validate(self, config: Config, state: RunState, data: PyTree) -> tuple[RunState, Metrics]:
        return functions.validate(config, state, data, self._mesh)

    def _evaluate(self, config: Config, model: SequenceModel, data: PyTree) -> Metrics:
        return functions.evaluate(config, model, data, "test", self._mesh)

    def _with_config(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a member's values in place of the configuration that holds them."""
        return lambda values, *args: function(merge_traced(self.config, values), *args)

    def _call(
        self,
        name: Name,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        timer: Timer,
        activity: Activity,
        size: int | None,
        **how: Any,
    ) -> Any:
        with timer("compile"):
            compiled = self._compile(name, function, args, size=size, **how)
        with timer(activity):
            return jax.block_until_ready(compiled(*args))

    def _compile(
        self, name: Name, function: Callable[..., Any], args: tuple[Any, ...], *, size: int | None = None, **how: Any
    ) -> jax.stages.Compiled:
        """The compiled function; a thread that asks for one that another thread compiles waits for it."""
        key = (name, size, _sharding(args))
        with self._lock:
            own = self._locks.setdefault(key, threading.Lock())
        with own:
            if key not in self._compiled:
                self._compiled[key] = self._jitted(function, size, **how).lower(*args).compile()
            return self._compiled[key]

    def _jitted(
        self,
        function: Callable[..., Any],
        size: int | None,
        *,
        donate: Sequence[int] = (),
        has_data: bool = True,
    ) -> jax.stages.Wrapped:
        function = self._with_config(function)

        def mapped(*args: Any) -> Any:
            """Members along the first axis; they share the data."""
            axes = [0] * (len(args) - has_data) + [None] * has_data
            return jax.vmap(function, in_axes=tuple(axes))(*args)

        return jax.jit(function if size is None else mapped, donate_argnums=donate, out_shardings=self.placement)

    def _check_batches(self, values: Member) -> None:
        """Raise the ``ValueError`` of a task that cannot draw its batches."""
        train = jax.tree.map(lambda a: jax.ShapeDtypeStruct(np.shape(a), a.dtype), self._host_data["train"])
        step = jax.ShapeDtypeStruct((), np.int32)
        jax.eval_shape(self._with_config(functions.draw), values, train, step)


def _sharding(args: PyTree) -> jax.sharding.Sharding | None:
    """Where arguments lie, if there are several devices."""
    if jax.local_device_count() == 1:
        return None
    for leaf in jax.tree.leaves(args):
        if isinstance(leaf, jax.Array):
            return leaf.sharding
    return None
