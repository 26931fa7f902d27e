"""What ``tracking.optimisation`` costs: training with it and without it, in turns in one process.

    python scripts/bench_tracking.py [--rounds 15] [OVERRIDES...]

Without overrides: the adding problem and characters of Shakespeare, in their own sizes. A turn is one compiled call of
``training.log_every`` steps; the order within a round is random, and ratios are formed within a round. CPU time is that
of all threads of the process, which other programs on the machine disturb less than the clock.
"""

from __future__ import annotations

import argparse
import random
import time

import jax
import numpy as np

from lstmlab.config import compose, split_traced
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.trainer import Trainer

CASES = (["task=adding"], ["task=char_lm"])


class Training:
    """A run that is advanced by one call after the other."""

    def __init__(self, overrides: list[str], *, optimisation: bool) -> None:
        config = compose([*overrides, f"tracking.optimisation={str(optimisation).lower()}", "training.steps=1000000"])
        self.trainer = Trainer(CompiledRun(config), split_traced(config)[1])
        self.state = self.trainer.start(None)

    def turn(self) -> tuple[float, float]:
        """Seconds on the clock and of the processors for one call."""
        clock, processors = time.perf_counter(), time.process_time()
        self.state, _ = self.trainer.advance(self.state)
        return time.perf_counter() - clock, time.process_time() - processors


def measure(overrides: list[str], rounds: int) -> None:
    """Print the ratios of one case, and whether both runs have the same parameters."""
    runs = {name: Training(overrides, optimisation=name == "on") for name in ("off", "on")}
    for run in runs.values():
        run.turn()  # compiles
    ratios = []
    for _ in range(rounds):
        seconds = {name: runs[name].turn() for name in random.sample(list(runs), 2)}
        ratios.append([on / off for on, off in zip(seconds["on"], seconds["off"], strict=True)])
    pairs = zip(*(jax.tree.leaves(run.state.model) for run in runs.values()), strict=True)
    same = all(np.array_equal(a, b) for a, b in pairs)
    for name, (low, middle, high) in zip(
        ("clock", "CPU"), np.quantile(ratios, [0.25, 0.5, 0.75], axis=0).T, strict=True
    ):
        print(f"{' '.join(overrides)}: {name} time with / without {middle:.3f} (quartiles {low:.3f} to {high:.3f})")
    print(f"{' '.join(overrides)}: parameters {'have the same bits' if same else 'differ'}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("overrides", nargs="*")
    chosen = parser.parse_args()
    for overrides in [chosen.overrides] if chosen.overrides else CASES:
        measure(overrides, chosen.rounds)


if __name__ == "__main__":
    main()
