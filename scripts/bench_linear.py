"""Time the gradient of cells that are linear in the state: in parallel over time, in a fused loop, and step by step.

    python scripts/bench_linear.py            every such cell, 64 to 16384 steps
    python scripts/bench_linear.py --quick    one cell, one length, a few seconds: does everything run?

A call is forward and backward: mean squared error on all outputs, its gradients in all parameters and in the inputs;
float32, batch 4, 64 inputs and 64 hidden units, data already on the device. Before timing, the backends must compute
the same loss and gradients. The backends of one cell and length take turns in one process as in `bench.py`, in a new
random order each round; a turn is an untimed burst and three timed ones. Ratios to `scan` are formed within a round.
A full run writes `docs/bench/linear-<machine>.json`; with fewer cells or other sizes, `outputs/bench-linear.json`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import bench
import bench_machine
import bench_report
import jax
import jax.numpy as jnp
from bench_references import Entry, Shape, make_problem

from lstmlab.cells import cell_entry, cell_names, make_cell
from lstmlab.recurrence import unroll
from lstmlab.settings import settings_of

LENGTHS = (64, 256, 1024, 4096, 16384)
BACKENDS = ("scan", "fused", "associative")
"""the reference of all ratios first"""
TOLERANCE = 1e-3


class Gradient:
    """One backend's forward and backward pass over one cell."""

    def __init__(self, cell: Any, backend: str, xs: Any, ys: Any) -> None:
        @jax.jit
        def run(cell: Any, xs: Any, ys: Any) -> Any:
            def loss(cell: Any, xs: Any) -> Any:
                return jnp.mean((unroll(cell, xs, backend=backend).outputs - ys) ** 2)

            return jax.value_and_grad(loss, argnums=(0, 1))(cell, xs)

        self._run, self._arguments = run, (cell, xs, ys)
        self.result: Any = None

    def step(self) -> None:
        self.result = self._run(*self._arguments)

    def wait(self) -> float:
        jax.block_until_ready(self.result)
        return float(self.result[0])


def main(arguments: list[str] | None = None) -> None:
    args = _parse(sys.argv[1:] if arguments is None else arguments)
    machine, load = bench_machine.describe(), bench_machine.load()
    print(f"{machine['name']}; load {load}; {', '.join(args.cells)}; {args.rounds} rounds")
    shapes = [Shape(args.batch, length, args.hidden, args.hidden) for length in args.lengths]
    results = [measure(name, shape, args.rounds, args.burst) for name in args.cells for shape in shapes]
    content = {
        "benchmark": "linear",
        "command": shlex.join(["python", "scripts/bench_linear.py", *args.arguments]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "load": {"before": load, "after": bench_machine.load()},
        "versions": bench_machine.versions(),
        "settings": {"rounds": args.rounds, "burst_s": args.burst, "bursts": bench.BURSTS},
        "results": results,
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written: {args.output}")


def measure(name: str, shape: Shape, rounds: int, burst: float) -> dict[str, Any]:
    """All backends on one cell and length: seconds, and ratios to the first."""
    problem = make_problem(shape)
    cell = make_cell(name, shape.input, shape.hidden, key=jax.random.key(0))
    data = jnp.asarray(problem.xs), jnp.asarray(problem.ys)
    gradients = {backend: Gradient(cell, backend, *data) for backend in BACKENDS}
    for gradient in gradients.values():
        gradient.step()
        gradient.wait()
    agree(name, {backend: gradient.result for backend, gradient in gradients.items()})
    entries: dict[str, Entry] = dict(gradients)
    sizes = {backend: bench.burst_size(entry, burst) for backend, entry in entries.items()}
    seconds = bench.interleave(entries, sizes, rounds, burst)
    result: dict[str, Any] = {"cell": name, "shape": str(shape), **shape._asdict()}
    result[bench_report.ENTRIES] = bench_report.summarise(seconds)
    for backend, values in result[bench_report.ENTRIES].items():
        values["calls_per_burst"] = sizes[backend]
    print(f"{name} {bench_report.line(result)}", flush=True)
    return result


def agree(name: str, results: dict[str, Any]) -> None:
    """Exit if a backend computes another loss or gradient: the backends must do the same work to be compared."""
    reference, *others = results.items()
    for backend, result in others:
        for a, b in zip(jax.tree.leaves(result), jax.tree.leaves(reference[1]), strict=True):
            # Written as "not <=", so that a NaN exits as well.
            if not jnp.abs(a - b).max() <= TOLERANCE * jnp.abs(b).max():
                raise SystemExit(f"{name}: {backend} computes another gradient than {reference[0]}")


def linear_cells() -> list[str]:
    """Registered cells whose default form is linear in the state and works on feature vectors."""
    flat = [n for n in cell_names() if settings_of(cell_entry(n).cls)["map"].default != "conv"]
    keys = jax.eval_shape(lambda: jax.random.key(0))
    return [n for n in flat if jax.eval_shape(lambda k, n=n: make_cell(n, 4, 4, key=k), keys).form == "linear"]


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = linear_cells()
    parser.add_argument("--cells", nargs="+", choices=known, help="default: all that are linear in the state")
    parser.add_argument("--lengths", nargs="+", type=int, help="steps; default: 64 to 16384")
    parser.add_argument("--hidden", type=int, default=64, help="hidden units, and inputs")
    parser.add_argument("--batch", type=int, default=4, help="sequences")
    parser.add_argument("--rounds", type=int, help="turns of every backend (15; 3 with --quick)")
    parser.add_argument("--burst", type=float, help="seconds per burst (0.05; 0.02 with --quick)")
    parser.add_argument("--quick", action="store_true", help="few short rounds of the first cell and length")
    parser.add_argument("--output", type=Path, help="JSON file of the result")
    args = parser.parse_args(arguments)
    full = not (args.quick or args.cells or args.lengths) and (args.hidden, args.batch) == (64, 4)
    args.arguments = arguments
    args.rounds = args.rounds or (3 if args.quick else 15)
    args.burst = args.burst or (0.02 if args.quick else 0.05)
    args.cells = args.cells or known[: 1 if args.quick else None]
    args.lengths = args.lengths or list(LENGTHS[: 1 if args.quick else None])
    in_docs = bench.ROOT / "docs" / "bench" / f"linear-{bench_machine.slug(bench_machine.describe()['name'])}.json"
    args.output = args.output or (in_docs if full else bench.ROOT / "outputs" / "bench-linear.json")
    return args


if __name__ == "__main__":
    main()
