"""What every registered cell is put through: cases, problems, and one compiled function that runs them.

A cell enters by being registered. Its *forms* are its default and every other value of its discrete options (GRU with
the reset before the product, ConvLSTM without peepholes); its *variants* add every map that it allows, and no bias.
Sizes are tiny and all tests of a form share the same few compiled programs. Cases that are not `quick` are slow tests.
"""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.cells import Cell, Init, cell_entry, cell_names, make_cell
from lstmlab.recurrence import backends, resolve_backend, unroll
from lstmlab.settings import settings_of

TIME, BATCH, FEATURES, HIDDEN = 6, 3, 3, 4
SPATIAL = {1: (4,), 2: (3, 4)}
FULL = np.full(BATCH, TIME)
RAGGED = np.array([TIME, TIME - 2, 0])
NEVER = np.zeros((TIME, BATCH), bool)
SOMETIMES = NEVER.copy()
SOMETIMES[[2, 3, 5], [0, 1, 0]] = True


def _known(option: str, value: Any) -> bool:
    try:
        jax.jit(lambda x: x + 1, compiler_options={option: value})(0.0)
    except jax.errors.JaxRuntimeError:
        return False
    return True


COMPILE_QUICKLY = {
    option: value
    for option, value in {
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
        "xla_cpu_use_fusion_emitters": False,
        "xla_cpu_parallel_codegen_split_count": 1,
    }.items()
    if jax.default_backend() == "cpu" and _known(option, value)
}
quick_jit = functools.partial(jax.jit, compiler_options=COMPILE_QUICKLY)
"""``jax.jit`` that compiles five to ten times faster; the options only say how machine code is made."""


AWAKE: dict[str, tuple[tuple[str, Any], ...]] = {
    "cornn": (("dt", 0.5), ("gamma", 1.0), ("epsilon", 1.0)),
    "phased_lstm": (("period_min", 4.0), ("period_max", 8.0), ("open_ratio", 0.9)),
}
"""Options under which a few units show something in a few steps: coRNN moves by the square of its small time step, a
phased LSTM opens in one step of twenty."""


UNBOUNDED: dict[str, tuple[str, ...]] = {
    "exprnn": ("candidate",),
    "indrnn": ("candidate",),
    "irnn": ("candidate",),
    "lem": ("output_candidate",),
    "lru": ("real", "imaginary", "skip"),
    "min_gru": ("candidate",),
    "min_lstm": ("candidate",),
    "mlstm": ("query", "key", "value", "input", "forget"),
    "niaf_lstm": ("candidate",),
    "on_lstm": ("master_input", "master_forget"),
    "rg_lru": ("candidate",),
    "slstm": ("input", "forget"),
    "sru": ("candidate", "highway"),
}
"""Gates whose activations are no fractions: exponential gates, candidates without a squashing function, and running
sums, which reach 1."""


USUAL = ("rnn", "lstm", "peephole_lstm", "conv_lstm", "gru")
"""Cells that are tested in every form and with every map each time; of the others, `make test` takes the default."""

REPRESENTATIVE = ("rnn", "lstm", "conv_lstm", "gru", "phased_lstm", "hyper_lstm", "min_gru", "slstm", "mlstm")
"""A cell of every form and every kind of state. What surrounds cells (chunks, members, processes) treats the others as
one of these, so `make test` takes these, and the slow tests all."""


def representative(name: str) -> bool:
    """Whether a test of what surrounds cells takes this cell every time; also every cell that we did not write."""
    return name in REPRESENTATIVE or not cell_entry(name).cls.__module__.startswith("lstmlab.")


@dataclasses.dataclass(frozen=True)
class Case:
    """One way to build a registered cell."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()
    spatial: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The case's name in pytest's output."""
        rank = (f"{len(self.spatial)}d",) if self.spatial else ()
        return "-".join((self.name, *(f"{k}={v}" for k, v in self.options), *rank))

    @property
    def quick(self) -> bool:
        """Whether tests over all cells take this case every time; the others are slow tests."""
        return self.name in USUAL or self == next(forms(self.name))

    def build(self, key: Any = 0, **settings: Any) -> Cell:
        """The cell as it is initialised from a key, or from the key of a seed."""
        key = jax.random.key(key) if isinstance(key, int) else key
        settings = {"spatial": self.spatial, **dict(self.options), **settings}
        return make_cell(self.name, FEATURES, HIDDEN, key=key, **settings)


def forms(name: str) -> Iterator[Case]:
    """The default form of a cell, and one for each other value of its discrete options."""
    options = settings_of(cell_entry(name).cls)
    spatial = SPATIAL[1] if options["map"].default == "conv" else ()
    awake = AWAKE.get(name, ())
    yield Case(name, awake, spatial)
    for key, option in options.items():
        if key in ("map", "bias") or key.endswith("activation"):
            continue
        values = (False, True) if isinstance(option.default, bool) else option.choices
        yield from (Case(name, (*awake, (key, v)), spatial) for v in values if v != option.default)


def variants(name: str) -> Iterator[Case]:
    """Every form with every map that the cell allows, and the default without bias."""
    options = settings_of(cell_entry(name).cls)
    for form in forms(name):
        yield form
        for kind in options["map"].choices:
            extra = (("map", kind), *((("heads", 2),) if kind == "block_diagonal" else ()))
            if kind == "conv":
                yield dataclasses.replace(form, options=form.options + extra, spatial=SPATIAL[2])
            elif kind != options["map"].default:
                yield dataclasses.replace(form, options=form.options + extra, spatial=())
    default = next(forms(name))
    yield dataclasses.replace(default, options=(*default.options, ("bias", False)))


FORMS = [case for name in cell_names() for case in forms(name)]
VARIANTS = [case for name in cell_names() for case in variants(name)]
each_kind_of_cell = pytest.mark.parametrize(
    "case",
    [case if representative(case.name) else pytest.param(case, marks=pytest.mark.slow) for case in FORMS],
    ids=str,
)
each_form = pytest.mark.parametrize("case", FORMS, ids=str)
each_variant = pytest.mark.parametrize("case", VARIANTS, ids=str)
each_direction = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])


@functools.cache
def shape_of(case: Case) -> Any:
    """The cell with shapes for parameters: enough to ask what can run it, and nothing is computed."""
    return jax.eval_shape(lambda: case.build(init=Init(input="zeros", recurrent="zeros")))  # quicker to trace


def has_maps(case: Case) -> bool:
    """Whether the cell has products with its state, on which dropout can act."""
    return bool(shape_of(case).state_maps())


@functools.cache
def preferred(case: Case) -> Any:
    """The backend that training would take."""
    return backends(shape_of(case))[0]


RECURRENT = [case for case in FORMS if has_maps(case)]
PAIRS = [(case, backend) for case in FORMS for backend in backends(shape_of(case))]
each_backend = pytest.mark.parametrize(("case", "backend"), PAIRS, ids=str)
each_backend_of_each_kind = pytest.mark.parametrize(
    ("case", "backend"),
    [pair if representative(pair[0].name) else pytest.param(*pair, marks=pytest.mark.slow) for pair in PAIRS],
    ids=str,
)


class Problem(NamedTuple):
    """A cell with inputs, a state that it can reach, and weights for everything that it shows."""

    cell: Any
    xs: Any
    state: Any
    weights: Any


def random_like(tree: Any, seed: int, scale: float = 1.0) -> Any:
    """Normal numbers in the shapes and types of ``tree``."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda a: jnp.asarray(scale * rng.normal(size=a.shape), a.dtype), tree)


def jitter(tree: Any, seed: int, scale: float = 0.2) -> Any:
    """``tree`` moved at random, so that parameters that start at zero matter as well."""
    return jax.tree.map(jnp.add, tree, random_like(tree, seed, scale))


@functools.cache
def problem(case: Case, precision: str = "float32", **settings: Any) -> Problem:
    """The same problem every time, in numbers of the given precision.

    It is drawn in single precision: programs of 64-bit mode would be others, for the same numbers.
    """
    seed = zlib.crc32(str(case).encode())
    with jax.enable_x64(False):
        cell = jitter(case.build(**settings), seed)
        first, *xs = random_like(jnp.zeros((TIME + 1, BATCH, *case.spatial, FEATURES)), seed + 1)
        # One step from zero: a state that the cell can be in, whatever its fields mean.
        state, _ = cell.step(cell.initial_state(BATCH), cell.project(first))
        outputs = jnp.zeros((TIME, *state.h.shape))
        whole = Problem(cell, jnp.stack(xs), state, random_like((outputs, state), seed + 2))
    return jax.tree.map(lambda a: jnp.asarray(np.asarray(a), precision), whole)


def inner(a: Any, b: Any) -> Any:
    """Inner product of two trees."""
    return sum(jnp.vdot(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def run(cell: Any, *arrays: Any, backend: str = "auto", **how: Any) -> dict[str, Any]:
    """:func:`_run`; the backend that ``auto`` stands for is the same program as when it is named."""
    if how.get("chunk") is None:
        backend = resolve_backend(cell, backend)
    return _run(cell, *arrays, backend=str(backend), **how)


@functools.partial(quick_jit, static_argnames=("backend", "reverse", "chunk"))
def _run(
    cell: Any, xs: Any, state: Any, weights: Any, lengths: Any = None, resets: Any = None, *,
    backend: str, reverse: bool = False, chunk: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Everything that an unrolled cell gives: outputs, final state, and all gradients of their weighted sum."""

    def weighted(cell: Any, xs: Any, state: Any) -> Any:
        how = {"reverse": reverse, "backend": backend, "chunk": chunk}
        ran = unroll(cell, xs, state, lengths=lengths, resets=resets, **how)
        return inner(weights, (ran.outputs, ran.state)), ran

    value_and_grad = jax.value_and_grad(weighted, argnums=(0, 1, 2), has_aux=True)
    (value, ran), (d_cell, d_xs, d_state) = value_and_grad(cell, xs, state)
    results = {"outputs": ran.outputs, "final": ran.state, "value": value}
    return results | {"d_cell": d_cell, "d_xs": d_xs, "d_state": d_state}


def masked(p: Problem, lengths: Any = FULL, resets: Any = NEVER, **how: Any) -> dict[str, Any]:
    """:func:`run` with masks, which are data: every choice of them runs the same compiled program."""
    return run(*p, jnp.asarray(lengths), jnp.asarray(resets), **how)


def shapes_of_results(p: Problem) -> dict[str, Any]:
    """What :func:`masked` would give, as shapes and types: it is traced, and nothing is compiled."""
    return _run.eval_shape(*p, FULL, NEVER, backend=str(resolve_backend(p.cell, "auto")))


@functools.partial(quick_jit, static_argnames=("backend", "reverse"))
def show(cell: Any, xs: Any, state: Any, *, backend: str, reverse: bool = False) -> tuple[Any, Any]:
    """Outputs and final state alone, without masks."""
    ran = unroll(cell, xs, state, backend=backend, reverse=reverse)
    return ran.outputs, ran.state


def errors(actual: Any, expected: Any) -> dict[str, float]:
    """``max|a - b| / max|b|`` of every array, by its path; an array that should be zero is compared as it is."""
    found, leaves = {}, jax.tree_util.tree_leaves_with_path(actual)
    for (path, a), b in zip(leaves, jax.tree.leaves(expected), strict=True):
        a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
        where = jax.tree_util.keystr(path) or "array"
        assert a.shape == b.shape, f"{where}: shape {a.shape} instead of {b.shape}"
        found[where] = float(np.max(abs(a - b), initial=0) / (np.max(abs(b), initial=0) or 1))
    return found


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Two trees agree, array by array; the message names every array that does not."""
    wrong = {k: e for k, e in errors(actual, expected).items() if not e <= tolerance}
    lines = [f"  {where}: relative error {error:.2e}" for where, error in wrong.items()]
    assert not wrong, "\n".join([f"arrays differ by more than {tolerance:g}:", *lines])
