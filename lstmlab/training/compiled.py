"""Compiled functions and data of one static configuration, for all runs that differ only in traced values."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from lstmlab.config import Config, ConfigError, Member, merge_traced, split_traced, to_tree
from lstmlab.tasks import Split
from lstmlab.training import functions
from lstmlab.training.data_hash import hash_of
from lstmlab.training.devices import Placement, batch_mesh, rows_of_chunks, whole
from lstmlab.training.functions import RunState
from lstmlab.training.optimisation import check_halves
from lstmlab.training.stream import HostBatches, ResidentSplit, Stream, data_placement
from lstmlab.training.timer import Activity, Timer

ProgramKey = tuple[str, int | None, tuple[Any, ...], jax.sharding.Sharding | None]
"""name of a function, number of members under ``vmap``, static arguments, sharding of the arguments"""

# Keys that do not affect the computation.
HOST_KEYS = ("resume", "name", "wandb")


def program_key(config: Config) -> str:
    """Equal for configurations that share compiled functions: they differ in traced values and host keys alone."""
    tree = {name: part for name, part in to_tree(split_traced(config)[0]).items() if name not in HOST_KEYS}
    return json.dumps(tree, sort_keys=True, default=str)


class CompiledRun:
    """The functions of :mod:`lstmlab.training.functions` for one static configuration, compiled when first called.

    Any thread may call. Members of a population that differ only in traced values share one ``CompiledRun``.

    Raises ``ConfigError`` when the parts of the configuration do not fit.

    Attributes:
        config: the static configuration.
        template: the shapes of a run's state.
        placement: of arguments and results on the devices that batches are split over; ``None`` for one device.
        data_hash: of all arrays of the task's data; ``None`` where it is generated.
        data_placement: ``device`` or ``stream``: where the training split is kept.
        batches: draws what is streamed; ``None`` where the split is on the device.
    """

    def __init__(self, config: Config) -> None:
        check_halves(config)
        self.config, values = split_traced(config)
        self._mesh = batch_mesh(self.config)
        self.placement, self._chunk_placement = whole(self._mesh), rows_of_chunks(self._mesh)
        try:
            self.template: RunState = jax.eval_shape(self._with_config(functions.init), values)
            self._host_data = self.config.task.data()
            self._check_batches(values)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        self.data_hash = hash_of(self._host_data)
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

    @property
    def streamed(self) -> bool:
        """Whether batches come from the host."""
        return self.data_placement == "stream"

    def call(
        self,
        function: Callable[..., Any],
        values: Member,
        *args: PyTree,
        timer: Timer,
        activity: Activity,
        size: int | None = None,
        **static: Any,
    ) -> Any:
        """Call a function of :mod:`lstmlab.training.functions` with the run's configuration and ``values`` in it.

        It is compiled at the first call. With ``size``, ``values`` and all arguments but the data have a leading axis
        of that many members.

        Args:
            function: its arguments are the configuration, then a state or model, then data.
            values: traced values of one member.
            args: what follows the configuration; :func:`~lstmlab.training.functions.advance` donates its state's
                buffers, so do not use the state again.
            timer: counts compiling under ``compile``, running under ``activity``.
            static: keyword arguments of the function that are compiled in.
        """
        with timer("compile"):
            compiled = self._compile(function, (values, *args), size, static)
        with timer(activity):
            return jax.block_until_ready(compiled(values, *args))

    def advance_bytes(self, size: int, values: Member, data: PyTree, steps: int) -> int | None:
        """Device memory that ``advance`` needs for ``size`` members, or ``None`` where the backend does not say."""
        members = jax.tree.map(lambda v: jax.ShapeDtypeStruct((size, *np.shape(v)), np.asarray(v).dtype), values)
        states = jax.eval_shape(jax.vmap(self._with_config(functions.init)), members)
        jitted = self._jitted(functions.advance, 3, size, {"steps": steps})
        analysis = jitted.lower(members, states, data).compile().memory_analysis()
        if analysis is None:
            return None
        kept = analysis.argument_size_in_bytes + analysis.output_size_in_bytes - analysis.alias_size_in_bytes
        return int(kept + analysis.temp_size_in_bytes)

    def warm_up(self, values: Member) -> list[Callable[[], Any]]:
        """Jobs that compile the functions of a run in advance on one device, the longest first.

        An error of compiling is raised again where the function is called.
        """
        training = self.config.training
        shapes: dict[str, PyTree] = {split: jax.eval_shape(lambda d: d, d) for split, d in self._host_data.items()}
        state, steps = self.template, min(training.log_every, training.steps)
        if self.batches:
            shapes["train"] = self.batches.shapes(steps)
        train, validation, test = (shapes[split] for split in ("train", "validation", "test"))
        advance = {"steps": steps, "streamed": self.streamed}
        jobs = [
            partial(self._compile, functions.advance, (values, state, train), None, advance),
            partial(self._compile, functions.init, (values,), None, {}),
            partial(self._compile, functions.validate, (values, state, validation), None, {}),
        ]
        if training.test:
            jobs.append(partial(self._compile, functions.evaluate, (values, state.best_model, test), None, {}))
        return jobs

    def _compile(
        self, function: Callable[..., Any], args: tuple[PyTree, ...], size: int | None, static: dict[str, Any]
    ) -> jax.stages.Compiled:
        """The compiled function; a thread that asks for one that another thread compiles waits for it."""
        key = (function.__name__, size, tuple(sorted(static.items())), _sharding(args))
        with self._lock:
            own = self._locks.setdefault(key, threading.Lock())
        with own:
            if key not in self._compiled:
                self._compiled[key] = self._jitted(function, len(args), size, static).lower(*args).compile()
            return self._compiled[key]

    def _jitted(
        self, function: Callable[..., Any], count: int, size: int | None, static: dict[str, Any]
    ) -> jax.stages.Wrapped:
        if function is not functions.init:
            static = static | {"mesh": self._mesh}
        donate = (1,) if function is functions.advance else ()
        function = self._with_config(partial(function, **static))
        if size is not None:
            # Values and states have an axis of members; the data is shared.
            function = jax.vmap(function, in_axes=(0, 0, None)[:count])
        return jax.jit(function, donate_argnums=donate, out_shardings=self.placement)

    def _with_config(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function of a member's values, which take their places in the configuration here."""
        return lambda values, *args: function(merge_traced(self.config, values), *args)

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
