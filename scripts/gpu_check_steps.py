"""What `gpu_check.py` measures: gradients of one layer, training steps, their time and memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from bench_references import LEARNING_RATE, Shape, make_problem

from lstmlab.cells import make_cell
from lstmlab.recurrence import unroll


def everything(cell: Any, shape: Shape, backend: str) -> list[np.ndarray]:
    """Outputs, final state, and gradients in parameters and inputs, of sequences of all lengths."""
    problem = make_problem(shape)
    lengths = jnp.asarray(np.linspace(0, shape.time, shape.batch), "int32")

    @jax.jit
    def run(cell: Any, xs: Any) -> Any:
        def loss(cell: Any, xs: Any) -> Any:
            ran = unroll(cell, xs, lengths=lengths, backend=backend)
            return (ran.outputs**2).mean() + sum(s.mean() for s in ran.state), (ran.outputs, ran.state)

        return jax.grad(loss, argnums=(0, 1), has_aux=True)(cell, xs)

    return [np.asarray(a) for a in jax.tree.leaves(run(cell, jnp.asarray(problem.xs)))]


def differences(
    cell: Any, shape: Shape, backend: str, reference: list[np.ndarray], tolerance: float = 1e-3
) -> dict[str, Any]:
    """The largest difference from the reference, relative to the largest element of each array."""
    found = everything(cell, shape, backend)
    errors = [float(np.abs(a - b).max() / (np.abs(b).max() or 1)) for a, b in zip(found, reference, strict=True)]
    error = max(errors) if np.isfinite(errors).all() else float("inf")
    return {"difference": error, "wrong": not error <= tolerance}


def one_step(cell: Any, shape: Shape, backend: str) -> Callable[[], Any]:
    """A function that does one training step of one model, and goes on where it stopped."""
    step, optimizer = _step(backend)
    return _advancing(jax.jit(step), cell, optimizer.init(cell), shape)


def member_step(shape: Shape, backend: str, members: int) -> Callable[[], Any]:
    """The same of several LSTMs on one batch, by ``jax.vmap``."""
    keys = jax.random.split(jax.random.key(0), members)
    cells: Any = jax.vmap(lambda key: make_cell("lstm", shape.input, shape.hidden, key=key))(keys)
    step, optimizer = _step(backend)
    many = jax.jit(jax.vmap(step, in_axes=(0, 0, None, None)))
    return _advancing(many, cells, jax.vmap(optimizer.init)(cells), shape)


def _step(backend: str) -> tuple[Callable[..., Any], optax.GradientTransformation]:
    optimizer = optax.adam(LEARNING_RATE)

    def step(cell: Any, moments: Any, xs: Any, ys: Any) -> Any:
        gradient = jax.grad(lambda c: ((unroll(c, xs, backend=backend).outputs - ys) ** 2).mean())(cell)
        updates, moments = optimizer.update(gradient, moments, cell)
        return optax.apply_updates(cell, updates), moments

    return step, optimizer


def _advancing(step: Callable[..., Any], cell: Any, moments: Any, shape: Shape) -> Callable[[], Any]:
    problem = make_problem(shape)
    carry, data = [cell, moments], (jnp.asarray(problem.xs), jnp.asarray(problem.ys))

    def advance() -> Any:
        carry[:] = step(*carry, *data)
        return carry

    return advance


def seconds_of(step: Callable[[], Any], tiny: bool) -> dict[str, Any]:
    """The median time of one step over bursts that last 0.1 s, after the step has been compiled."""
    start = time.perf_counter()
    jax.block_until_ready(step())
    compiling = time.perf_counter() - start
    start = time.perf_counter()
    jax.block_until_ready(step())
    steps = 1 if tiny else max(3, int(0.1 / (time.perf_counter() - start)))
    times = []
    for _ in range(2 if tiny else 5):
        start = time.perf_counter()
        for _ in range(steps):
            found = step()
        jax.block_until_ready(found)
        times.append((time.perf_counter() - start) / steps)
    return {"seconds": statistics.median(times), "first_call_s": compiling}


def temporary_bytes(cell: Any, shape: Shape, backend: str) -> int:
    """Bytes that the compiled gradient needs beside its arguments and results."""

    def loss(cell: Any, xs: Any) -> Any:
        return (unroll(cell, xs, backend=backend).outputs ** 2).mean()

    xs = jax.ShapeDtypeStruct((shape.time, shape.batch, shape.input), "float32")
    analysis = jax.jit(jax.grad(loss)).lower(cell, xs).compile().memory_analysis()
    if analysis is None:
        raise RuntimeError("this device's compiler does not say how much memory a program needs")
    return analysis.temp_size_in_bytes
