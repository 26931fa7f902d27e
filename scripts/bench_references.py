"""The entries that `bench.py` times: one recurrent layer and Adam, in lstmlab and in the reference libraries.

Every entry of a problem starts from the same weights, reads the same batch, and takes the same step: outputs of all
time steps, mean squared error, gradients of all parameters, Adam. The entries in JAX differ only in the layer: loss,
optimiser, `jax.jit` and buffer donation are the same code. Each gets its input in the layout in which it is fastest,
which is time-major, except where a library takes only batch-major (Keras, cuDNN).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from lstmlab.cells import cell_entry, cell_names, make_cell
from lstmlab.recurrence import backends, gpu_backends, unroll
from lstmlab.settings import settings_of

LEARNING_RATE = 1e-3


class Shape(NamedTuple):
    """Sizes of one benchmark problem."""

    batch: int
    time: int
    input: int
    hidden: int

    def __str__(self) -> str:
        return "×".join(map(str, self))


class Problem(NamedTuple):
    """Weights and data in float32: kernels ``[in, 4 · hidden]`` with the gates i, f, candidate, o; data time-major."""

    shape: Shape
    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    xs: np.ndarray
    ys: np.ndarray


def make_problem(shape: Shape) -> Problem:
    """Random weights of the usual scale, and targets that are a function of the inputs."""
    rng = np.random.default_rng(0)
    bound = shape.hidden**-0.5

    def uniform(*size: int) -> np.ndarray:
        return rng.uniform(-bound, bound, size).astype(np.float32)

    xs = rng.normal(size=(shape.time, shape.batch, shape.input)).astype(np.float32)
    ys = 0.5 * np.tanh(xs @ rng.normal(size=(shape.input, shape.hidden)).astype(np.float32))
    width = 4 * shape.hidden
    kernels = uniform(shape.input, width), uniform(shape.hidden, width), uniform(width)
    return Problem(shape, *kernels, xs, ys)


class Entry(Protocol):
    """The training step of one library or cell."""

    def step(self) -> None:
        """Start one step; it may still be running on return."""
        ...

    def wait(self) -> float:
        """Wait until every step is finished; the loss of the last one, before its update."""
        ...


class UnavailableError(Exception):
    """An entry cannot run here; the message says why."""


class JaxStep:
    """The training step around any layer written in JAX: ``layer(params, xs)`` gives all outputs."""

    def __init__(self, params: Any, layer: Callable[[Any, Any], Any], xs: np.ndarray, ys: np.ndarray) -> None:
        optimizer = optax.adam(LEARNING_RATE)

        @partial(jax.jit, donate_argnums=0)
        def step(carry: Any, xs: Any, ys: Any) -> Any:
            params, moments = carry
            loss, grads = jax.value_and_grad(lambda p: jnp.mean((layer(p, xs) - ys) ** 2))(params)
            updates, moments = optimizer.update(grads, moments, params)
            return (optax.apply_updates(params, updates), moments), loss

        # Copied, because donated buffers must not be used elsewhere.
        params = jax.tree.map(lambda a: jnp.array(a, copy=True), params)
        self._step, self._carry = step, (params, optimizer.init(params))
        self._data = (jnp.asarray(xs), jnp.asarray(ys))
        self._loss: Any = None

    def step(self) -> None:
        self._carry, self._loss = self._step(self._carry, *self._data)

    def wait(self) -> float:
        jax.block_until_ready((self._carry, self._loss))
        return float(self._loss)


def unrolled(cell: Any, backend: str, xs: np.ndarray, ys: np.ndarray) -> JaxStep:
    """lstmlab: a cell, unrolled over time as lstmlab's own layers do it."""
    graphdef, params = nnx.split(cell)

    def layer(params: Any, xs: Any) -> Any:
        return unroll(nnx.merge(graphdef, params), xs, backend=backend).outputs

    return JaxStep(params, layer, xs, ys)


def lstmlab_lstm(backend: str, problem: Problem) -> JaxStep:
    """lstmlab's LSTM with the problem's weights."""
    cell: Any = make_cell("lstm", problem.shape.input, problem.shape.hidden, key=jax.random.key(0))
    cell.input.kernel = nnx.Param(jnp.asarray(problem.kernel))
    cell.input.bias = nnx.Param(jnp.asarray(problem.bias))
    cell.recurrent.kernel = nnx.Param(jnp.asarray(problem.recurrent))
    return unrolled(cell, backend, problem.xs, problem.ys)


def flax_lstm(problem: Problem) -> JaxStep:
    """Flax NNX, split once and merged inside the compiled function, as its performance guide advises."""
    _, _, features, hidden = problem.shape
    cell: Any = nnx.OptimizedLSTMCell(features, hidden, rngs=nnx.Rngs(0))
    cell.dense_i.kernel = nnx.Param(jnp.asarray(problem.kernel))
    cell.dense_h.kernel = nnx.Param(jnp.asarray(problem.recurrent))
    cell.dense_h.bias = nnx.Param(jnp.asarray(problem.bias))
    graphdef, params, rest = nnx.split(nnx.RNN(cell, time_major=True), nnx.Param, ...)

    def layer(params: Any, xs: Any) -> Any:
        return nnx.merge(graphdef, params, rest, copy=True)(xs)

    return JaxStep(params, layer, problem.xs, problem.ys)


def keras_lstm(problem: Problem) -> JaxStep:
    """Keras on JAX: the layer's `stateless_call`, without the overhead of `fit` and Keras' own optimiser."""
    os.environ["KERAS_BACKEND"] = "jax"  # read when Keras is first imported
    keras = _module("keras")
    if keras.backend.backend() != "jax":
        raise UnavailableError("Keras is already loaded with another backend than JAX")
    layer = keras.layers.LSTM(problem.shape.hidden, return_sequences=True)
    layer.build((problem.shape.batch, problem.shape.time, problem.shape.input))
    layer.set_weights([problem.kernel, problem.recurrent, problem.bias])
    params = [variable.value for variable in layer.trainable_variables]
    rest = [variable.value for variable in layer.non_trainable_variables]

    def outputs(params: Any, xs: Any) -> Any:
        return layer.stateless_call(params, rest, xs, training=True)[0]

    return JaxStep(params, outputs, problem.xs.swapaxes(0, 1), problem.ys.swapaxes(0, 1))


def cudnn_lstm(problem: Problem) -> JaxStep:
    """JAX's binding of cuDNN's LSTM, whose weights are one flat vector."""
    rnn = _module("jax.experimental.rnn")
    batch, time, features, hidden = problem.shape
    parts = (problem.kernel.T, problem.recurrent.T, problem.bias, np.zeros_like(problem.bias))
    weights = jnp.concatenate([jnp.asarray(part).ravel() for part in parts])
    zeros, lengths = jnp.zeros((1, batch, hidden)), jnp.full((batch,), time, jnp.int32)

    def outputs(weights: Any, xs: Any) -> Any:
        return rnn.lstm(xs, zeros, zeros, weights, lengths, features, hidden, 1, 0.0, False)[0]

    # No precision is passed: the binding reads from JAX's setting whether TF32 is allowed.
    return JaxStep(weights, outputs, problem.xs.swapaxes(0, 1), problem.ys.swapaxes(0, 1))


def torch_lstm(problem: Problem) -> Entry:
    """PyTorch, in a file of its own, so that this one works without it."""
    return _module("bench_torch").TorchStep(problem)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnavailableError(f"cannot be imported: {error}") from None


Maker = Callable[[Problem], Entry]


def libraries() -> Iterator[tuple[str, Maker]]:
    """lstmlab's backends for the LSTM, the reference first, then the other libraries."""
    lstm = make_cell("lstm", 2, 2, key=jax.random.key(0))
    for backend in backends(lstm):
        yield f"lstmlab {backend}", partial(lstmlab_lstm, str(backend))
    if jax.default_backend() == "gpu":  # CPUs would interpret the kernels
        for backend in gpu_backends(lstm):
            yield f"lstmlab {backend}", partial(lstmlab_lstm, str(backend))
    yield "Flax NNX", flax_lstm
    yield "Keras on JAX", keras_lstm
    yield "PyTorch", torch_lstm
    if jax.default_backend() == "gpu":
        yield "JAX cuDNN", cudnn_lstm


def cells() -> Iterator[tuple[str, Maker]]:
    """Every registered cell that works on feature vectors, the reference first; `auto` chooses its backend."""
    flat = [n for n in cell_names() if settings_of(cell_entry(n).cls)["map"].default != "conv"]
    for name in sorted(flat, key=lambda name: name != "lstm"):

        def make(problem: Problem, name: str = name) -> JaxStep:
            features, hidden = problem.shape.input, problem.shape.hidden
            cell = make_cell(name, features, hidden, key=jax.random.key(0))
            return unrolled(cell, "auto", problem.xs, problem.ys)

        yield name, make
