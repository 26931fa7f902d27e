"""Train rows of docs/results.md again, and say whether they come out as recorded; or record them.

    python scripts/reproduce.py NAME... [--dir DIR] [--seeds 3] [--level 0.95]
    python scripts/reproduce.py NAME... [--dir DIR] [--seeds 3] --record
    python scripts/reproduce.py NAME --sweep SWEEP_DIR ...       go on with a sweep that was stopped

Each row is one sweep over the seeds 0 to ``seeds`` − 1, by the command that its record names. Its mean is compared with
the prediction interval of the recorded seeds (docs/statistics.md); the exit status is 1 when it lies outside.
``--record`` writes docs/results/NAME.json and the page instead; it needs a checkout without changes.
"""

from __future__ import annotations

import argparse
import datetime
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import build_results_page
from result_record import finished_runs, make_record, read_record, test_examples, write_record
from result_revision import check_same_code, clean_revision
from result_rows import Row, chosen_row, leave, read_rows

from lstmlab.config import compose
from lstmlab.study.runs import Run
from lstmlab.study.statistics import FEWEST, LEVEL, prediction_interval
from lstmlab.tracking.tables import cell_text

REVISION = "revision.txt"
"""in the directory of a sweep to be recorded: the revision with which it began"""


def main(arguments: list[str]) -> int:
    """Reproduce or record the rows; 1 when one comes out otherwise than recorded."""
    options = parse(arguments)
    rows = read_rows()
    chosen = [chosen_row(rows, name) for name in options.names]
    for row in chosen:
        check(row, options)
    return max([one(row, options) for row in chosen])


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train rows of docs/results.md again, or record them.")
    parser.add_argument("names", nargs="+", metavar="NAME", help="rows of docs/results/rows.yaml")
    parser.add_argument("--dir", help="folder of data; needed by rows whose data are not part of the package")
    parser.add_argument("--seeds", type=int, default=3, help="train with the seeds 0 to SEEDS - 1 (default: 3)")
    parser.add_argument("--level", type=float, default=LEVEL, help="of the prediction interval (default: 0.95)")
    parser.add_argument("--record", action="store_true", help="write the record and the page; compare nothing")
    parser.add_argument("--sweep", type=Path, help="directory of a sweep of this row that was stopped, to go on with")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error(f"--seeds is {options.seeds}, but must be at least 1")
    if not 0 < options.level < 1:
        parser.error(f"--level is {options.level}, but must lie between 0 and 1")
    if options.sweep and len(options.names) > 1:
        parser.error("--sweep is the directory of one row: give one name")
    return options


def check(row: Row, options: argparse.Namespace) -> None:
    """Exit with one line, before anything is trained, where a row cannot be reproduced or recorded."""
    if row.data != "none" and options.dir is None:
        leave(f"{row.name} reads {row.data}: add --dir DIR (make: DIR=DIR), the folder that has it or gets it")
    if options.record:
        if options.sweep:
            path = options.sweep / REVISION
            check_same_code(path.read_text().strip() if path.exists() else leave(f"{path} is missing"))
        clean_revision()
    elif (seeds := len(read_record(row.name)["seeds"])) < FEWEST:
        leave(f"the record of {row.name} has {seeds} seed(s), but an interval needs {FEWEST}: record the row again")


def one(row: Row, options: argparse.Namespace) -> int:
    """Train a row, then record or compare it."""
    revision = clean_revision() if options.record else None
    directory = options.sweep or new_directory(row)
    if revision is not None and not options.sweep:
        (directory / REVISION).write_text(revision + "\n")
    runs = trained(row, options, directory)
    if revision is None:
        return compared(row, runs, options)
    check_same_code(revision)
    path = write_record(row.name, make_record(row, runs, revision, options.dir))
    build_results_page.main([])
    print(f"{row.name}: written to docs/results/{path.name} and docs/results.md", flush=True)
    return 0


def new_directory(row: Row) -> Path:
    """A new directory for a sweep."""
    now = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    directory = Path("multirun") / "reproduce" / row.name / now
    directory.mkdir(parents=True)
    return directory


def trained(row: Row, options: argparse.Namespace, directory: Path) -> list[Run]:
    """The runs of one sweep by ``lstmlab``; exits with its status where it fails or is stopped."""
    words = row.command(options.seeds, str(options.dir))
    print(shlex.join(["lstmlab", *words]), flush=True)
    command = [sys.executable, "-m", "lstmlab", *words, "wandb.mode=disabled", f"hydra.sweep.dir={directory}"]
    try:
        status = subprocess.run([*command, "resume=true"]).returncode
    except KeyboardInterrupt:
        status = 130
    if status:
        print(f"results: {row.name}: the sweep has ended with status {status}; its runs are in {directory}; "
              f"to go on: --sweep {directory}", file=sys.stderr)  # fmt: skip
        raise SystemExit(status)
    return finished_runs(directory, options.seeds)


def compared(row: Row, runs: list[Run], options: argparse.Namespace) -> int:
    """Say whether the mean of the runs lies in the prediction interval of the recorded ones; 1 if it does not."""
    record = read_record(row.name)
    metric, goal = record["metric"], record["goal"]
    examples = test_examples(compose(row.words(str(options.dir))).task, record["test"])
    found = prediction_interval(
        [seed["test"][metric] for seed in record["seeds"]], len(runs), level=options.level,
        resolution=1 / examples[metric] if metric in examples else 0.0,
    )  # fmt: skip
    values = [run.value for run in runs]
    mean = sum(values) / len(values)
    print(verdict(row.name, metric, goal, mean, found, len(runs), len(record["seeds"]), options.level))
    return 0 if inside(mean, found) else 1


def inside(mean: float, found: Any) -> bool:
    """Whether a mean lies in an interval."""
    return found.low <= mean <= found.high


def verdict(name: str, metric: str, goal: str, mean: float, found: Any, seeds: int, recorded: int, level: float) -> str:
    """One line on a row that was trained again."""
    if inside(mean, found):
        what = "as recorded"
    else:
        what = "BETTER than recorded" if (mean < found.low) == (goal == "min") else "WORSE than recorded"
    return (
        f"{name}: {what}: test {metric} {cell_text(mean)} (mean of {seeds}), "
        f"{level * 100:g} % prediction interval {cell_text(found.low)} to {cell_text(found.high)} "
        f"from {recorded} recorded seeds with mean {cell_text(found.value)}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
