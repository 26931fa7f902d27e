"""One part of `gpu_check.sh`: measures, and writes what it has found after every measurement.

    python scripts/gpu_check.py PART [--tiny] --output DIR

The parts are agreement (backends against each other), bench (`bench.py`: PyTorch, cuDNN, Flax), members (1 to 64 models
by `vmap`), precision (float32, TF32, bfloat16), memory, tests (those marked `gpu`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bench
import bench_machine
import gpu_check_steps as steps
import jax
from bench_references import Shape

from lstmlab.cells import make_cell
from lstmlab.recurrence import backends, gpu_backends

Row = dict[str, Any]
AGREEING = (
    ("lstm", {}), ("gru", {}), ("peephole_lstm", {}), ("layer_norm_lstm", {}), ("clockwork_rnn", {}),
    ("phased_lstm", {}), ("indrnn", {}), ("slstm", {"map": "dense"}), ("lstm", {"map": "diagonal"}),
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, for CPUs")
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    args = parser.parse_args(arguments)
    args.output.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "part": args.part, "tiny": args.tiny, "machine": bench_machine.describe(),
        "versions": bench_machine.versions(), "rows": [],
    }  # fmt: skip
    path = args.output / f"{args.part}.json"
    for row in PARTS[args.part](args.tiny, args.output):
        result["rows"].append(row)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(result, indent=1) + "\n")
        partial.replace(path)  # whole, also if the time is up while it is written
        print(row, flush=True)
    wrong = [row for row in result["rows"] if row.get("error") or row.get("wrong")]
    if wrong or not result["rows"]:
        raise SystemExit(f"{len(wrong)} of {len(result['rows'])} measurements failed")


def agreement(tiny: bool, output: Path) -> Iterator[Row]:
    """The largest relative differences of outputs, states and gradients from those of ``scan``, in true float32."""
    shape = Shape(5, 6, 3, 8) if tiny else Shape(40, 60, 16, 50)
    with jax.default_matmul_precision("highest"):
        for name, options in AGREEING[:2] if tiny else AGREEING:
            cell = make_cell(name, shape.input, shape.hidden, key=jax.random.key(0), **options)
            label = " ".join([name, *(f"{k}={v}" for k, v in options.items())])
            reference = steps.everything(cell, shape, "scan")
            for backend in contenders(cell):
                if backend != "scan":
                    found = attempt(lambda c=cell, b=backend, r=reference: steps.differences(c, shape, b, r))
                    yield {"cell": label, "shape": str(shape), "backend": backend, **found}


def compare(tiny: bool, output: Path) -> Iterator[Row]:
    """`bench.py`, whose JSON and table lie beside this part's."""
    shapes = ["2x6x3x4"] if tiny else ["32x100x64x128", "16x784x1x128"]
    rounds, burst = ("2", "0.001") if tiny else ("5", "0.05")
    where = ["--output", str(output / "bench_times.json"), "--docs", str(output / "bench_table.md")]
    bench.main(["--shapes", *shapes, "--rounds", rounds, "--burst", burst, *where])
    for measured in json.loads((output / "bench_times.json").read_text())["shapes"]:
        for name, entry in measured["contenders"].items():
            yield {
                "shape": measured["shape"], "entry": name, "ms": entry["median_ms"], "ratio": entry["ratio"]["median"],
            }  # fmt: skip


def members(tiny: bool, output: Path) -> Iterator[Row]:
    """One training step of 1 to 64 LSTMs at once, and how many steps of a model that makes per second."""
    shape, counts = (Shape(2, 6, 3, 8), (1, 2)) if tiny else (Shape(32, 100, 64, 128), (1, 64, 8, 32, 4, 16, 2))
    for count, backend in itertools.product(counts, ("fused", "pallas", "scan")):
        if backend == "scan" and count not in (1, 64):
            continue
        found = attempt(lambda c=count, b=backend: steps.seconds_of(steps.member_step(shape, b, c), tiny))
        row = {"members": count, "backend": backend, "shape": str(shape), **found}
        if "seconds" in row:
            row["models_per_s"] = count / row["seconds"]
        yield row


def precision(tiny: bool, output: Path) -> Iterator[Row]:
    """One training step in float32, TF32 (JAX's default on GPUs) and bfloat16, and how far its gradients are from those
    in float32."""
    shape = Shape(2, 6, 3, 8) if tiny else Shape(64, 100, 128, 128)
    kinds = {"float32": (None, "highest"), "tf32": (None, "default"), "bfloat16": ("bfloat16", "default")}
    exact = make_cell("lstm", shape.input, shape.hidden, key=jax.random.key(0))
    with jax.default_matmul_precision("highest"):
        reference = steps.everything(exact, shape, "scan")
    for (kind, (dtype, products)), backend in itertools.product(kinds.items(), ("fused", "pallas", "cudnn")):
        cell = make_cell("lstm", shape.input, shape.hidden, key=jax.random.key(0), dtype=dtype)
        if backend not in contenders(cell):
            continue
        limit = 1e-3 if kind == "float32" else 0.2
        with jax.default_matmul_precision(products):
            found = attempt(lambda c=cell, b=backend: steps.seconds_of(steps.one_step(c, shape, b), tiny))
            found |= attempt(lambda c=cell, b=backend, n=limit: steps.differences(c, shape, b, reference, n))
        yield {"shape": str(shape), "kind": kind, "backend": backend, **found}


def memory(tiny: bool, output: Path) -> Iterator[Row]:
    """Bytes that the compiler sets aside for the gradients of one long batch, beside arguments and results."""
    shape = Shape(2, 16, 3, 8) if tiny else Shape(64, 1000, 64, 128)
    cell = make_cell("lstm", shape.input, shape.hidden, key=jax.random.key(0))
    for backend in contenders(cell):
        yield {
            "shape": str(shape), "backend": backend,
            **attempt(lambda b=backend: {"bytes": steps.temporary_bytes(cell, shape, b)}),
        }  # fmt: skip


def tests(tiny: bool, output: Path) -> Iterator[Row]:
    """The tests marked ``gpu``: one row per test that failed, and one that counts all."""
    import pytest

    class Outcomes:
        def __init__(self) -> None:
            self.rows: list[Row] = []
            self.counts = {"passed": 0, "failed": 0, "skipped": 0}

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.when == "call" or report.outcome != "passed":
                self.counts[report.outcome] += 1
            if report.outcome == "failed":
                self.rows.append({"test": report.nodeid, "error": str(report.longrepr).splitlines()[-1]})

    outcomes = Outcomes()
    folder = str(Path(__file__).resolve().parent.parent / "tests/gpu")
    status = pytest.main([folder, "-m", "gpu", "-q", "-p", "no:cacheprovider"], plugins=[outcomes])
    yield from outcomes.rows
    yield {"counts": outcomes.counts, "wrong": status != 0}


def contenders(cell: Any) -> list[str]:
    """All backends that can run the cell here, by name."""
    return [str(b) for b in (*backends(cell), *gpu_backends(cell))]


def attempt(measure: Callable[[], Row]) -> Row:
    """What was measured, or the first line of the error: the others go on."""
    try:
        return measure()
    except Exception as error:
        lines = str(error).splitlines()
        return {"error": f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]}


PARTS: dict[str, Callable[[bool, Path], Iterator[Row]]] = {
    "agreement": agreement, "bench": compare, "members": members, "precision": precision, "memory": memory,
    "tests": tests,
}  # fmt: skip

if __name__ == "__main__":
    main(sys.argv[1:])
