"""Time one training step of an LSTM in lstmlab and in other libraries, side by side.

    python scripts/bench.py            libraries: lstmlab, Flax, Keras on JAX, PyTorch
    python scripts/bench.py --cells    every registered cell against lstm
    python scripts/bench.py --quick    one shape, a few seconds: does everything run?

A step is forward, mean squared error on all outputs, backward, Adam; float32; data already on the device. Before
timing, all libraries must compute the same loss with the same weights. The entries take turns in one process, in a new
random order each round. A turn is one untimed burst of steps and three timed ones; a burst takes about `--burst`
seconds and ends with one wait for the device. The result of a turn is the median of the three. Ratios are formed
within a round, where the load of the machine is the same for all entries, and summarised over rounds.

The untimed burst also gives the threads of the turn before time to go to sleep: GNU OpenMP, which PyTorch uses, spins
for about ten milliseconds after a step. Every library keeps its own waiting policy, because disabling the spinning
(OMP_WAIT_POLICY=PASSIVE) made PyTorch's own step 1.7 times as slow on two cores.

A run over all shapes writes `docs/bench/<machine>.json` and its table in `docs/benchmarks.md`; `--quick` and
`--shapes` write `outputs/bench.json` and no table, unless `--output` and `--docs` are given. On a GPU: JAX's default
device, PyTorch with CUDA, and JAX's binding of cuDNN; products in TF32, which is the default of both for LSTMs, or see
`--precision`.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import math
import os
import random
import shlex
import statistics
import sys
import time
from pathlib import Path
from typing import Any

# By default JAX takes three quarters of a GPU's memory, which leaves PyTorch too little. Read when JAX first computes.
os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.45")

import bench_machine
import bench_report
import jax
from bench_references import Entry, Problem, Shape, UnavailableError, cells, libraries, make_problem

SHAPES = (
    Shape(32, 100, 64, 128),
    Shape(64, 256, 128, 256),
    Shape(16, 784, 1, 128),
    Shape(128, 100, 1, 50),
    Shape(20, 35, 650, 650),
)
BURSTS = 3
ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> None:
    args = _parse(sys.argv[1:] if arguments is None else arguments)
    if args.precision == "float32":
        jax.config.update("jax_default_matmul_precision", "highest")
    benchmark = "cells" if args.cells else "libraries"
    machine, load = bench_machine.describe(), bench_machine.load()
    print(f"{machine['name']}; load {load}; {len(args.shapes)} shapes, {args.rounds} rounds")
    if load is not None and load > 0.5 * machine["cores"]:
        print("warning: other programs are busy on this machine, which makes the times below less certain")
    left_out: dict[str, str] = {}
    shapes = [_measure(shape, args, left_out) for shape in args.shapes]
    result = {
        "benchmark": benchmark,
        "command": shlex.join(["python", "scripts/bench.py", *args.arguments]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "load": {"before": load, "after": bench_machine.load()},
        "versions": bench_machine.versions(),
        "settings": {
            "rounds": args.rounds, "burst_s": args.burst, "bursts": BURSTS,
            "precision": args.precision,
        },
        "left_out": left_out,
        "shapes": shapes,
        "geometric_mean": bench_report.geometric_means(shapes),
    }  # fmt: skip
    means = ", ".join(f"{name} {mean:.2f}" for name, mean in result["geometric_mean"].items())
    print(f"geometric mean: {means}")
    output = args.output or ROOT / "outputs/bench.json"
    if args.full and args.output is None:
        ending = "" if benchmark == "libraries" else "-cells"
        output = ROOT / "docs/bench" / f"{bench_machine.slug(machine['name'])}{ending}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    docs = args.docs or (ROOT / "docs/benchmarks.md" if args.full else None)
    if docs is not None:
        bench_report.write_section(docs, result)
    print(f"written: {output}" + (f", {docs}" if docs else ""))


def _measure(shape: Shape, args: argparse.Namespace, left_out: dict[str, str]) -> dict[str, Any]:
    """All entries on one shape."""
    problem = make_problem(shape)
    entries, first_losses = _prepare(problem, args.cells, left_out)
    sizes = {name: burst_size(entry, args.burst) for name, entry in entries.items()}
    seconds = interleave(entries, sizes, args.rounds, args.burst)
    result: dict[str, Any] = {"shape": str(shape), **shape._asdict()}
    result[bench_report.ENTRIES] = bench_report.summarise(seconds)
    for name, values in result[bench_report.ENTRIES].items():
        values["first_loss"], values["last_loss"] = first_losses[name], entries[name].wait()
        values["steps_per_burst"] = sizes[name]
    print(bench_report.line(result), flush=True)
    return result


def _prepare(problem: Problem, of_cells: bool, left_out: dict[str, str]) -> tuple[dict[str, Entry], dict[str, float]]:
    """Build and compile every entry; also returns the loss of each at the initial weights.

    A library that is missing or fails is left out with its reason, and so are kernels for GPUs, and a cell that cannot
    have these sizes; lstmlab's LSTM must run on the backends for all devices.
    """
    entries, losses = {}, {}
    for name, make in cells() if of_cells else libraries():
        if name in left_out:
            continue
        try:
            entry = make(problem)
            entry.step()
            loss = entry.wait()
        except Exception as error:
            if name in ("lstmlab fused", "lstmlab scan"):
                raise
            reason = str(error) if isinstance(error, UnavailableError) else repr(error)
            left_out[name] = reason.splitlines()[0]
            print(f"left out: {name} ({left_out[name]})")
            continue
        entries[name], losses[name] = entry, loss
    reference = next(iter(losses.values()))
    for name, loss in losses.items():
        # TF32, the default on GPUs, keeps three decimal digits.
        if not of_cells and not math.isclose(loss, reference, rel_tol=3e-3):
            raise SystemExit(f"{name} computes another function: loss {loss}, not {reference}")
    return entries, losses


def burst_size(entry: Entry, burst: float) -> int:
    """Number of steps that take about ``burst`` seconds, from the time of two; the entry has been compiled before."""
    return max(1, math.ceil(burst / _time_burst(entry, 2)))


def _time_burst(entry: Entry, steps: int) -> float:
    """Seconds per step, over a burst with one wait at its end."""
    start = time.perf_counter()
    for _ in range(steps):
        entry.step()
    entry.wait()
    return (time.perf_counter() - start) / steps


def interleave(entries: dict[str, Entry], sizes: dict[str, int], rounds: int, burst: float) -> dict[str, list[float]]:
    """Seconds per step: one number per entry and round."""
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    order, shuffle = list(entries), random.Random(0).shuffle
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            # A new order each round, so that no entry always runs after the same one.
            shuffle(order)
            for name in order:
                settled = time.perf_counter() + burst
                while time.perf_counter() < settled:
                    _time_burst(entries[name], 1)
                turn = [_time_burst(entries[name], sizes[name]) for _ in range(BURSTS)]
                seconds[name].append(statistics.median(turn))
    finally:
        gc.enable()
    return seconds


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="turns of every entry (15; 3 with --quick)")
    parser.add_argument(
        "--shapes", nargs="+", type=_shape, metavar="BxTxIxH",
        help="batch x time x input x hidden, e.g. 32x100x64x128; default: all five",
    )  # fmt: skip
    parser.add_argument("--burst", type=float, help="seconds per burst (0.05; 0.02 with --quick)")
    parser.add_argument("--cells", action="store_true", help="compare registered cells instead of libraries")
    parser.add_argument("--quick", action="store_true", help="few short rounds, first shape only")
    parser.add_argument(
        "--precision", choices=("default", "float32"), default="default",
        help="precision of products on GPUs: each library's default (TF32 for LSTMs) or true float32",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, help="JSON file of the result")
    parser.add_argument("--docs", type=Path, help="Markdown file that gets the table")
    args = parser.parse_args(arguments)
    args.arguments, args.full = arguments, not (args.quick or args.shapes)
    args.rounds = args.rounds or (3 if args.quick else 15)
    args.burst = args.burst or (0.02 if args.quick else 0.05)
    args.shapes = args.shapes or list(SHAPES[:1] if args.quick else SHAPES)
    return args


def _shape(text: str) -> Shape:
    try:
        return Shape(*map(int, text.replace("×", "x").replace(",", "x").split("x")))
    except (ValueError, TypeError):
        raise argparse.ArgumentTypeError(f"'{text}' is not like 32x100x64x128") from None


if __name__ == "__main__":
    main()
