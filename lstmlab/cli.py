"""The command line: finds the command, prints errors of the user in one line, and returns the exit status."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from lstmlab.environment_errors import environment_line, too_little_memory, wrong_xla_flags
from lstmlab.printable import escaped, shown
from lstmlab.terminal import usable_streams

COMMANDS = (
    "cells", "tasks", "config", "compare", "explain", "report", "dashboard", "importance", "generate", "forecast",
    "detect", "compose", "translate", "wandb-workspace",
)  # fmt: skip
"""The files of ``lstmlab/commands`` (with ``_`` for ``-``), in the order of the help text. Without any of these words,
``train`` runs."""

HELP = """\
lstmlab: which recurrent cell is best for your sequences, by how much, and why.

Train one model; every key=value overrides the configuration:
  lstmlab                                        an LSTM on Shakespeare, character by character
  lstmlab cell=gru task=adding task.length=200 model.hidden_size=64 seed=3
  lstmlab task=stocks hydra.run.dir=~/runs/a     choose the run directory
  lstmlab task=forecast data.file=a.csv 'data.target=T (degC)'    values stand as they are; quotes are for the shell
  lstmlab task=stocks hydra.run.dir=runs/a resume=true     continue where it stopped

Sweep with -m and comma-separated values; ends with a comparison table:
  lstmlab -m cell=rnn,lstm,peephole_lstm,gru seed=0,1,2 task=copy_memory

Search for good settings: search=random|tpe|learning_rate|odyssey, and ranges, integers with int(...):
  lstmlab -m search=tpe cell=lstm,gru seed=0,1 'optimizer.learning_rate=tag(log,interval(1e-4,1e-1))'
  Every cell, task and other group gets the same number of trials (hydra.sweeper.trials=50), every trial all seeds.
  Trials see validation alone. The best setting of each is trained again with fresh seeds and evaluated on the test
  split, in DIR/confirm (hydra.sweeper.confirm_seeds=5; 0: not).
  Keys that are not traced, as 'model.hidden_size=range(16,129,16)', compile one program per value: use few values.
  Continue where it stopped: resume=true hydra.sweep.dir=DIR

Look things up, or use what was trained:
  lstmlab cells [NAME] [--verbose]    the recurrent cells, with papers and options; one of them in full
  lstmlab tasks [NAME] [--baselines]  the tasks, with data and metrics; one of them in full, with its baselines
  lstmlab config [OVERRIDES]          every key with its value, meaning and range
  lstmlab compare DIR...              compare finished runs (--by KEY, --reference CELL, --output DIR, --format latex)
  lstmlab explain DIR...              why: gradients, gates, memory, dynamics (--only NAME, --output DIR, --wandb MODE)
  lstmlab report DIR...               one HTML file to send to a colleague (--output report.html)
  lstmlab dashboard [DIR...]          a live page in the browser over runs while they run (--port N, --no-browser)
  lstmlab importance DIR...           which hyperparameters matter (--cell C, --task T, --output DIR)
  lstmlab generate RUN_DIR --prompt "ROMEO:"      text from a language model
  lstmlab forecast RUN_DIR --file new.csv         what comes after the end of a file
  lstmlab detect RUN_DIR --file new.csv           which rows of a file are anomalous
  lstmlab compose RUN_DIR --output piece.mid      music from a model of chorales, as a MIDI file
  lstmlab translate RUN_DIR "lstm" --beam 5       the output of an encoder-decoder
  lstmlab wandb-workspace             panels of a W&B project, one band per cell (--project P, --entity E)
  lstmlab COMMAND --help              more on one of these

Groups: cell= task= (lstmlab cells, lstmlab tasks), optimizer= schedule= experiment= search= (files in conf/);
--config-dir DIR adds your own files.
Results: outputs/<task>/<cell>/<time>/ or multirun/<time>/, each run with config.yaml, metrics.jsonl,
summary.json, checkpoints, plots and W&B files (wandb.mode=offline|online|disabled; what wandb.* leaves open is taken
from WANDB_MODE, WANDB_PROJECT and so on; tracking.tensorboard=true adds TensorBoard's, tracking.optimisation=true
diagnostics of the optimisation to every row).
Hydra's own flags: lstmlab --hydra-help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors of the user are one line on standard error."""
    # No window is ever opened: figures are files, whatever backend the environment asks for.
    os.environ["MPLBACKEND"] = "agg"
    try:
        with usable_streams():
            return _run(list(sys.argv[1:] if argv is None else argv))
    except BrokenPipeError:  # whoever read the output has seen enough
        return 0
    except OSError as error:
        print(f"lstmlab: cannot write to standard output: {error.strerror or error}", file=sys.stderr)
        return 1


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    command = first if first in COMMANDS else "train"
    asks_help = bool({"-h", "--help"} & set(arguments))
    if command == "train" and (first == "help" or asks_help):
        print(HELP, end="")
        return 0
    if command == "train" and first[:1] != "-" and first.replace("-", "_").isidentifier():
        known = f"commands: {', '.join(COMMANDS)}; to train, write key=value; see lstmlab --help"
        print(f"lstmlab: unknown command '{shown(first)}' ({known})", file=sys.stderr)
        return 2
    # In these two cases XLA would end the process, so that nothing could be told afterwards.
    if "jax" not in sys.modules and not asks_help and (wrong := too_little_memory() or wrong_xla_flags()):
        print(f"lstmlab: {wrong}", file=sys.stderr)
        return 1
    try:
        module = importlib.import_module(f"lstmlab.commands.{command.replace('-', '_')}")
        return module.main(arguments if command == "train" else arguments[1:]) or 0
    except KeyboardInterrupt as stopped:
        where = str(stopped) or "hydra.run.dir=DIR (or hydra.sweep.dir=DIR)"
        print(f"lstmlab: stopped; add resume=true {where} to go on", file=sys.stderr)
        return getattr(stopped, "status", 130)
    except BrokenPipeError:
        raise
    except Exception as error:
        line = environment_line(error) or _user_line(error)
        if line is None:
            raise
        print(f"lstmlab: {line}", file=sys.stderr)
        return 1


def _user_line(error: Exception) -> str | None:
    """The message of an error of the user, of a file error with the file first; ``None`` for every other."""
    from lstmlab.launch.job import USER_ERRORS

    if not isinstance(error, USER_ERRORS):
        return None
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"cannot use {shown(str(error.filename), 300)}: {error.strerror}"
    return " ".join(map(escaped, str(error).splitlines()))


if __name__ == "__main__":
    sys.exit(main())
