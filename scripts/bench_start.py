"""Seconds from a command to its first words, and to the first logged row of a run; and memory.

    python scripts/bench_start.py [--rounds 5] [OVERRIDES...]

``first row`` starts `lstmlab OVERRIDES` (without any: the default run) and waits for the first row of its
metrics.jsonl: imports, compiling and the first ``training.log_every`` steps. ``cold`` has an empty cache of compiled
programs, ``warm`` that of the cold run before it. Every command is a new process; the commands take turns. Memory is
the peak of the process (resident set), of a run until its first row.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PATIENCE = 600.0
WORDS = (["--help"], ["cells"], ["tasks"], ["compare", "--help"])


class Start(NamedTuple):
    """What one command took."""

    seconds: float
    mebibytes: float


def main(arguments: list[str]) -> int:
    """Measure, and print a table of medians."""
    parser = argparse.ArgumentParser(description="Seconds from a command to its first words, or its first row.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("overrides", nargs="*", help="of the run; default: none")
    options = parser.parse_args(arguments)
    found: dict[str, list[Start]] = {}
    for _ in range(options.rounds):
        for words in WORDS:
            found.setdefault(" ".join(["lstmlab", *words]), []).append(until_the_end(words))
        with tempfile.TemporaryDirectory() as folder:
            for kind in ("cold", "warm"):
                run = until_the_first_row(options.overrides, Path(folder), kind)
                found.setdefault(f"first row, {kind}", []).append(run)
    print("| command | seconds (least to most) | MiB |\n| --- | ---: | ---: |")
    for name, starts in found.items():
        seconds, mebibytes = zip(*starts, strict=True)
        span = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"| `{name}` | {span} | {statistics.median(mebibytes):.0f} |")
    return 0


def until_the_end(words: list[str]) -> Start:
    """A command that prints something and ends."""
    began = time.perf_counter()
    process = started(words, os.environ)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"lstmlab {' '.join(words)} has ended with status {os.waitstatus_to_exitcode(status)}")
    return Start(seconds, usage.ru_maxrss / 1024)


def until_the_first_row(overrides: list[str], folder: Path, kind: str) -> Start:
    """A run that is stopped once its first row is there."""
    directory = folder / kind
    words = [*overrides, "wandb.mode=disabled", f"hydra.run.dir={directory}"]
    began = time.perf_counter()
    process = started(words, os.environ | {"LSTMLAB_CACHE_DIR": str(folder / "programs")})
    metrics = directory / "metrics.jsonl"
    while not (metrics.exists() and metrics.stat().st_size):
        if process.poll() is not None:
            raise SystemExit(f"lstmlab {' '.join(words)} has ended without a row, with status {process.returncode}")
        if time.perf_counter() - began > PATIENCE:
            process.kill()
            raise SystemExit(f"lstmlab {' '.join(words)} has written no row in {PATIENCE:g} s")
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    process.send_signal(signal.SIGTERM)
    return Start(seconds, os.wait4(process.pid, 0)[2].ru_maxrss / 1024)


def started(words: list[str], environment: os._Environ[str] | dict[str, str]) -> subprocess.Popen[bytes]:
    """The process of a command, which prints nothing here."""
    silent = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "lstmlab", *words], env=environment, stdout=silent, stderr=silent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
