"""Time one sweep of 32 jobs through Hydra's basic launcher, joblib with 2 workers, and the population launcher.

    python scripts/bench_sweep.py                  three rounds of two sweeps; writes docs/bench/sweep-<machine>.json
    python scripts/bench_sweep.py --quick          one round of a small sweep: does everything run?
    python scripts/bench_sweep.py --members        1, 2, 4 … 64 members against seconds, per strategy

The times are those of whole processes: `lstmlab -m …` with import, composition, compilation, training, evaluation,
checkpoints, offline W&B and the comparison table. The launchers take turns, in another order each round; each starts
with an empty cache of compiled programs, like a first sweep. joblib needs `pip install hydra-joblib-launcher`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bench_machine

ROOT = Path(__file__).resolve().parent.parent
LAUNCHERS = {
    "basic": ["hydra/launcher=basic"],
    "joblib": ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
    "population": [],
}
JOBS = ["cell=lstm,gru", "seed=range(8)", "optimizer.learning_rate=1e-3,3e-3"]
SWEEP = [*JOBS, "task=adding", "task.length=50", "model.hidden_size=64"]
SWEEPS = {
    # About 1.5 and 5 seconds of training per job on one core: the overhead counts less in the second.
    "300 steps": [*SWEEP, "training.steps=300", "training.eval_every=300"],
    "1000 steps": [*SWEEP, "training.steps=1000"],
}
QUICK = {
    "quick": [
        "cell=rnn", "seed=range(4)", "task=adding", "task.length=10", "model.hidden_size=8", "training.steps=20",
        "training.log_every=10", "training.eval_every=20",
    ]
}  # fmt: skip
MEMBERS = (1, 2, 4, 8, 16, 32, 64)


def main(arguments: list[str] | None = None) -> None:
    args = _parse(sys.argv[1:] if arguments is None else arguments)
    command = " ".join(["python scripts/bench_sweep.py", *sys.argv[1:]])
    content: dict[str, Any] = {"machine": bench_machine.describe(), "command": command}
    if args.members:
        content["members"] = members(args.members_list, args.steps)
    else:
        sweeps = QUICK if args.quick else {name: SWEEPS[name] for name in args.only or SWEEPS}
        content["sweeps"] = {name: time_sweep(name, sweep, args.rounds) for name, sweep in sweeps.items()}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written to {args.output}")


def time_sweep(name: str, sweep: list[str], rounds: int) -> dict[str, Any]:
    """Seconds per launcher and round, and ratios within rounds."""
    seconds: dict[str, list[float]] = {launcher: [] for launcher in LAUNCHERS}
    for index in range(rounds):
        order = list(LAUNCHERS)[index % len(LAUNCHERS) :] + list(LAUNCHERS)[: index % len(LAUNCHERS)]
        for launcher in order:
            seconds[launcher].append(_run(sweep, LAUNCHERS[launcher]))
            print(f"{name}, round {index + 1}: {launcher} {seconds[launcher][-1]:.1f} s", flush=True)
    ratios = {
        launcher: statistics.median(a / b for a, b in zip(seconds[launcher], seconds["population"], strict=True))
        for launcher in LAUNCHERS
    }
    print(f"{name}: population is " + ", ".join(f"{r:.2f} x {n}" for n, r in ratios.items() if n != "population"))
    return {"overrides": sweep, "seconds": seconds, "population_is_faster_by": ratios}


def members(counts: list[int], steps: int) -> dict[str, Any]:
    """Seconds of training without compilation, for every strategy and number of members."""
    from lstmlab import compose, train_population

    overrides = ["task=adding", "task.length=50", "model.hidden_size=64", f"training.steps={steps}"]
    overrides += [f"training.log_every={steps // 4}", f"training.eval_every={steps}", "wandb.mode=disabled"]
    seconds: dict[str, dict[int, float]] = {}
    for strategy in ("threads", "vmap"):
        seconds[strategy] = {}
        for count in counts:
            with tempfile.TemporaryDirectory() as folder:
                configs = [compose([*overrides, f"seed={seed}"]) for seed in range(count)]
                started = time.perf_counter()
                outcomes = train_population(
                    configs, [Path(folder) / str(seed) for seed in range(count)], strategy=strategy, progress=False
                )
                wall = time.perf_counter() - started
                compiling = sum(outcome.summary["seconds"]["compile"] for outcome in outcomes if outcome.summary)
            seconds[strategy][count] = wall - compiling
            print(f"{strategy}, {count} members: {seconds[strategy][count]:.2f} s", flush=True)
    return {"overrides": overrides, "seconds": seconds}


def _run(sweep: list[str], launcher: list[str]) -> float:
    """Wall-clock seconds of one sweep in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="lstmlab-bench-"))
    try:
        command = [sys.executable, "-m", "lstmlab.cli", "-m", *sweep, *launcher, f"hydra.sweep.dir={folder / 'sweep'}"]
        environment = os.environ | {"LSTMLAB_CACHE_DIR": str(folder / "programs")}
        started = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        elapsed = time.perf_counter() - started
        if done.returncode:
            sys.exit(f"the sweep failed: {' '.join(command)}\n{done.stderr}")
        return elapsed
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SWEEPS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--members", action="store_true")
    parser.add_argument("--members-list", type=int, nargs="+", default=list(MEMBERS))
    parser.add_argument("--steps", type=int, default=400, help="optimiser steps of --members")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args(arguments)
    if args.quick:
        args.rounds = 1
    if args.output is None:
        kind = "members" if args.members else "sweep"
        in_docs = ROOT / "docs" / "bench" / f"{kind}-{bench_machine.slug(str(bench_machine.describe()['name']))}.json"
        args.output = ROOT / "outputs" / "bench_sweep.json" if args.quick else in_docs
    return args


if __name__ == "__main__":
    main()
