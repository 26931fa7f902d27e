"""The command line: ``lstmlab`` trains and sweeps; a few words look things up or use a finished run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lstmlab.commands.arguments import parser

HELP = """\
lstmlab: which recurrent cell is best for your sequences, by how much, and why.

Train one model; every key=value overrides the configuration:
  lstmlab                                        an LSTM on Shakespeare, character by character
  lstmlab cell=gru task=adding task.length=200 model.hidden_size=64 seed=3
  lstmlab task=stocks hydra.run.dir=runs/a       choose the run directory
  lstmlab task=stocks hydra.run.dir=runs/a resume=true     go on where it stopped

Sweep with -m and comma-separated values; ends with a comparison table:
  lstmlab -m cell=rnn,lstm,peephole_lstm,gru seed=0,1,2 task=copy_memory

Search for good settings: search=random|tpe|learning_rate|odyssey, and ranges, integers with int(...):
  lstmlab -m search=tpe cell=lstm,gru seed=0,1 'optimizer.learning_rate=tag(log,interval(1e-4,1e-1))'
  Every cell, task and other group gets the same number of trials (hydra.sweeper.trials=50), every trial all seeds.
  Values of keys that are not traced, as 'model.hidden_size=range(16,129,16)', compile one program each: take few.
  Goes on where it stopped: resume=true hydra.sweep.dir=DIR

Look things up, or use what was trained:
  lstmlab cells [NAME] [--verbose]    the recurrent cells, with papers and options; one of them in full
  lstmlab tasks [NAME] [--baselines]  the tasks, with data and metrics; one of them in full, with its baselines
  lstmlab config [OVERRIDES]          every key with its value, meaning and range
  lstmlab compare DIR...              compare finished runs (--by KEY, --reference CELL, --output DIR)
  lstmlab importance DIR...           which hyperparameters matter (--cell C, --task T, --output DIR)
  lstmlab generate RUN_DIR --prompt "ROMEO:"      text from a language model
  lstmlab forecast RUN_DIR --file new.csv         what comes after the end of a file
  lstmlab detect RUN_DIR --file new.csv           which rows of a file are anomalous
  lstmlab compose RUN_DIR --output piece.mid      music from a model of chorales, as a MIDI file
  lstmlab translate RUN_DIR "lstm" --beam 5       what an encoder-decoder makes of a source
  lstmlab COMMAND --help              more on one of these

Groups: cell= task= optimizer= schedule= experiment= search=   (files in conf/; --config-dir DIR adds your own)
Results: outputs/<task>/<cell>/<time>/ or multirun/<time>/, each run with config.yaml, metrics.jsonl,
summary.json, checkpoints, pictures and W&B files (wandb.mode=offline|online|disabled).
Hydra's own flags: lstmlab --hydra-help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors of the user are one line on standard error."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None and (arguments[:1] == ["help"] or {"-h", "--help"} & set(arguments)):
        print(HELP, end="")
        return 0
    if command is None and arguments and arguments[0].isidentifier():
        known = f"commands: {', '.join(COMMANDS)}; to train, write key=value; see lstmlab --help"
        print(f"lstmlab: unknown command '{arguments[0]}' ({known})", file=sys.stderr)
        return 2
    try:
        if command is None:
            return _train(arguments)
        return command(arguments[1:]) or 0
    except KeyboardInterrupt as stopped:
        where = str(stopped) or "hydra.run.dir=DIR (or hydra.sweep.dir=DIR)"
        print(f"lstmlab: stopped; add resume=true {where} to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:
        if not _is_users(error):
            raise
        print(f"lstmlab: {_told(error)}", file=sys.stderr)
        return 1


def _is_users(error: Exception) -> bool:
    """Whether the message alone says what is wrong, so that a traceback would only hide it."""
    from lstmlab.config import ConfigError
    from lstmlab.data.download import DataError
    from lstmlab.tracking.files import RunError
    from lstmlab.training import RunFailed

    return isinstance(error, (ConfigError, DataError, RunError, RunFailed, OSError))


def _told(error: Exception) -> str:
    """The message, with the file before what is wrong with it."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"cannot use {error.filename}: {error.strerror}"
    return str(error)


def _train(arguments: list[str]) -> int:
    from lstmlab.launch.hydra_main import run

    return run(arguments)


def _cells(arguments: list[str]) -> None:
    """lstmlab cells: the registered recurrent cells, or one of them in full."""
    options = parser("cells", "List the recurrent cells: choose one with cell=NAME.")
    options.add_argument(
        "name", nargs="?", metavar="NAME", help="one cell in full: equations, options, gates, backends"
    )
    options.add_argument(
        "--verbose", action="store_true",
        help="also what runs each cell, the maps that it allows, its state and its parameters",
    )  # fmt: skip
    chosen = options.parse_args(arguments)
    from lstmlab.config import ConfigError
    from lstmlab.study.show_cells import show_cell, show_cells

    if chosen.name is None:
        return show_cells(verbose=chosen.verbose)
    try:
        return show_cell(chosen.name)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _tasks(arguments: list[str]) -> None:
    """lstmlab tasks: the registered tasks, or one of them in full."""
    options = parser("tasks", "List the tasks: choose one with task=NAME.")
    options.add_argument("name", nargs="?", metavar="NAME", help="one task in full: protocol, options, baselines")
    options.add_argument("--baselines", action="store_true", help="also the best baseline of each; takes a while")
    chosen = options.parse_args(arguments)
    from lstmlab.config import ConfigError
    from lstmlab.study.show_tasks import show_task, show_tasks

    if chosen.name is None:
        return show_tasks(baselines=chosen.baselines)
    try:
        return show_task(chosen.name)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _config(arguments: list[str]) -> None:
    """lstmlab config: every key."""
    options = parser("config", "Show every key of the configuration that the overrides would run.")
    options.add_argument("overrides", nargs="*", metavar="key=value")
    chosen = options.parse_args(arguments)
    from lstmlab.config import compose
    from lstmlab.config.describe import describe
    from lstmlab.tracking.tables import print_table

    columns = ("key", "value", "meaning", "allowed", "traced")
    print_table("Configuration", columns, describe(compose(chosen.overrides)))
    print("Runs that differ in traced keys alone share one compiled program.")


def _compare(arguments: list[str]) -> None:
    """lstmlab compare: a table of finished runs."""
    options = parser("compare", "Compare the runs below the given directories: one row per task and cell.")
    options.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    options.add_argument("--output", type=Path, help="also write tables and pictures here")
    options.add_argument(
        "--by", action="append", default=[], metavar="KEY",
        help="keep values of this key apart, as model.hidden_size; may be given several times",
    )  # fmt: skip
    options.add_argument("--reference", metavar="CELL", help="the cell to be better than (default: lstm, if there)")
    chosen = options.parse_args(arguments)
    from lstmlab.study.show import show_comparison

    show_comparison(chosen.directories, chosen.output, by=chosen.by, reference=chosen.reference)


def _importance(arguments: list[str]) -> None:
    """lstmlab importance: which hyperparameters matter."""
    options = parser("importance", "Say which hyperparameters matter among the runs below the directories (fANOVA).")
    options.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    options.add_argument("--cell", help="runs of this cell alone (default: all; the cell is then a key too)")
    options.add_argument("--task", help="runs of this task (needed where there are several)")
    options.add_argument("--output", type=Path, help="also write tables and pictures here")
    chosen = options.parse_args(arguments)
    from lstmlab.study.show_importance import show_importance

    show_importance(chosen.directories, chosen.output, cell=chosen.cell, task=chosen.task)


def _application(name: str) -> Callable[[list[str]], int | None]:
    """The command that ``lstmlab/commands/NAME.py`` holds; imported when it is called."""
    return lambda arguments: importlib.import_module(f"lstmlab.commands.{name}").main(arguments)


COMMANDS: dict[str, Callable[[list[str]], int | None]] = {
    "cells": _cells, "tasks": _tasks, "config": _config, "compare": _compare,
    "importance": _importance, "generate": _application("generate"), "forecast": _application("forecast"),
    "detect": _application("detect"), "compose": _application("compose"), "translate": _application("translate"),
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
