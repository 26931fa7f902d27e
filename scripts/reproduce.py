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
import contextlib
import datetime
import shlex
import subprocess
import sys
from pathlib import Path

import build_results_page
from result_record import finished_runs, make_record, read_record, test_examples, write_record
from result_revision import check_same_code, clean_revision
from result_rows import ROWS, Row, chosen_row, leave, read_rows

from lstmlab.config import compose
from lstmlab.study.runs import Run
from lstmlab.study.statistics import FEWEST, LEVEL, Interval, prediction_interval
from lstmlab.tracking.tables import cell_text

AS_RECORDED = "as recorded"
REVISION = "revision.txt"
"""in the directory of a sweep to be recorded: the revision with which it began"""


def main(arguments: list[str]) -> int:
    """Reproduce or record the rows; 1 when one comes out otherwise than recorded."""
    options = parse(arguments)
    rows = read_rows(ROWS)
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
            if not path.is_file():
                leave(f"{path} is missing: only a sweep that began with --record can be recorded")
            check_same_code(path.read_text().strip())
        clean_revision()
    elif (seeds := len(read_record(row.name)["seeds"])) < FEWEST:
        leave(f"the record of {row.name} has {seeds} seed(s), but an interval needs {FEWEST}: record the row again")


def one(row: Row, options: argparse.Namespace) -> int:
    """Train a row, then record or compare it; 1 where the sweep has failed or the result is another."""
    revision = clean_revision() if options.record else None
    directory = options.sweep or new_directory(row, revision)
    if status := sweep(row, options, directory):
        print(f"results: {row.name}: the sweep has ended with status {status}; its runs are in {directory}; "
              f"to go on: --sweep {directory}", file=sys.stderr)  # fmt: skip
        if status > 128 or status < 0:  # a signal stopped it: do not start the other rows
            raise SystemExit(status)
        return 1
    runs = finished_runs(directory, options.seeds)
    if revision is None:
        return compared(row, runs, options)
    check_same_code(revision)
    path = write_record(row.name, make_record(row, runs, revision, options.dir))
    build_results_page.main([])
    print(f"{row.name}: written to docs/results/{path.name} and docs/results.md", flush=True)
    return 0


def new_directory(row: Row, revision: str | None) -> Path:
    """A new directory for a sweep, with the revision of the code where there is one to be recorded."""
    now = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S_%f")
    directory = Path("multirun") / "reproduce" / row.name / now
    directory.mkdir(parents=True)
    if revision is not None:
        (directory / REVISION).write_text(revision + "\n")
    return directory


def sweep(row: Row, options: argparse.Namespace, directory: Path) -> int:
    """Run ``lstmlab`` with all seeds of a row, as a user would; its exit status."""
    words = row.command(options.seeds, str(options.dir))
    print(shlex.join(["lstmlab", *words]), flush=True)
    places = ["wandb.mode=disabled", f"hydra.sweep.dir={directory}", "resume=true"]
    running = subprocess.Popen([sys.executable, "-m", "lstmlab", *words, *places])
    while True:
        # Ctrl-C reaches lstmlab too, which ends with checkpoints; subprocess.run would kill it.
        with contextlib.suppress(KeyboardInterrupt):
            return running.wait()


def compared(row: Row, runs: list[Run], options: argparse.Namespace) -> int:
    """Say whether the mean of the runs lies in the prediction interval of the recorded ones; 1 if it does not."""
    record = read_record(row.name)
    for key in ("metric", "data_hash"):
        if record[key] is not None and record[key] != runs[0].summary[key]:
            print(f"{row.name}: {key} is {runs[0].summary[key]}, but {record[key]} in the record: not the same task")
            return 1
    examples = test_examples(compose(row.words(str(options.dir))).task, record["test"])
    found = prediction_interval(
        [seed["test"][record["metric"]] for seed in record["seeds"]], len(runs), level=options.level,
        resolution=1 / examples[record["metric"]] if record["metric"] in examples else 0.0,
    )  # fmt: skip
    mean = sum(run.value for run in runs) / len(runs)
    what = judged(mean, found, record["goal"])
    print(
        f"{row.name}: {what}: test {record['metric']} {cell_text(mean)} (mean of {len(runs)}), "
        f"{options.level * 100:g} % prediction interval {cell_text(found.low)} to {cell_text(found.high)} "
        f"from {len(record['seeds'])} recorded seeds with mean {cell_text(found.value)}",
        flush=True,
    )
    return 0 if what == AS_RECORDED else 1


def judged(mean: float, found: Interval, goal: str) -> str:
    """Whether a mean is as recorded, or worse or better, by an interval."""
    assert found.low is not None and found.high is not None
    if found.low <= mean <= found.high:
        return AS_RECORDED
    return "BETTER than recorded" if (mean < found.low) == (goal == "min") else "WORSE than recorded"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
