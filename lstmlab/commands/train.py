"""``lstmlab key=value ...``, the command without a name: check the overrides and hand them to Hydra."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import hydra
import jax
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.types import Override, ValueType

from lstmlab.commands._parser import without_dashes
from lstmlab.config import Config, ConfigError, compose_tree, conf_dir, register_schemas, to_config
from lstmlab.config.notes import notes
from lstmlab.config.overrides import parse_override, readable
from lstmlab.environment_errors import DISABLED_JIT
from lstmlab.launch import job
from lstmlab.launch.plugins import register_plugins
from lstmlab.launch.search_plan import read_plan, read_settings
from lstmlab.printable import escaped, shown
from lstmlab.tracking.search_files import TARGET
from lstmlab.tracking.wandb_settings import mode_of
from lstmlab.training.distributed import is_main_process, join_hosts

GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
"""Hydra's own sweeper, which runs lists of values"""


def main(arguments: Sequence[str]) -> int:
    """Train one model; with -m sweep over lists of values, or search ranges of them. Returns the exit status.

    Raises ``ConfigError`` for arguments that cannot run, before anything is compiled or written.
    """
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign] - Hydra makes the parser, which would exit by itself
    # Users may write flags among the overrides; Hydra's own parser needs the flags first.
    flags = [flag for action in parser._actions for flag in action.option_strings]
    arguments = [_with_home(without_dashes(text, flags)) for text in arguments]
    parsed = parser.parse_intermixed_args(arguments)
    arguments = [text for text in arguments if text not in parsed.overrides]
    register_schemas(parsed.config_dir)
    parsed.overrides = readable(parsed.overrides, sweep=parsed.multirun)
    arguments += parsed.overrides
    register_plugins()
    looks_up = parsed.cfg or parsed.info
    if parsed.run or parsed.multirun or not (looks_up or parsed.hydra_help or parsed.shell_completion):
        if jax.config.jax_disable_jit:  # type: ignore[attr-defined] - JAX adds its options at run time
            raise ConfigError(DISABLED_JIT)
        config = check(parsed.overrides, sweep=parsed.multirun, config_dir=parsed.config_dir)
        if config.training.distributed:
            arguments = [*arguments, *_join(config, sweep=parsed.multirun)]
    elif looks_up:
        compose_tree(parsed.overrides, parsed.config_dir)
    job.failures.clear()
    run = hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(job.run_job)
    before, sys.argv = sys.argv, ["lstmlab", *arguments]
    # Otherwise Hydra prints a traceback for its own errors, such as a directory that it cannot make, and exits.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        run()
    except KeyboardInterrupt as stopped:
        if is_main_process():
            raise
        return job.status_of(stopped)
    finally:
        sys.argv = before
    return 1 if job.failures else 0


def _join(config: Config, *, sweep: bool) -> list[str]:
    """Connect the processes of one run; returns arguments with which all but the main process make no directory."""
    if sweep:
        raise ConfigError("training.distributed=true is for one run at a time: leave -m out")
    join_hosts(config)
    return [] if is_main_process() else ["hydra.run.dir=.", "hydra.output_subdir=null"]


def check(overrides: Sequence[str], *, sweep: bool, config_dir: str | None = None) -> Config:
    """Compose every value of every override once, so that errors are found before the first job starts.

    For a search the ends of every range are composed. Returns the first job's configuration.

    Raises:
        ConfigError: naming the first value that cannot run.
    """
    parsed = [parse_override(text) for text in overrides]
    choices = [_values(override) for override in parsed]
    several = [o.input_line for o, values in zip(parsed, choices, strict=True) if len(values) > 1]
    if several and not sweep:
        raise ConfigError(
            f"'{shown(str(several[0]))}' lists several values: add -m to sweep over them, "
            "or quotes where it is one value"
        )
    for override in parsed:
        if override.key_or_group in ("search", "hydra/sweeper") and override.is_sweep_override():
            raise ConfigError(f"'{shown(str(override.input_line))}' lists several searches: run them one after another")
    tree = compose_tree([values[0] for values in choices if values], config_dir, hydra=True)
    sweeper = tree.hydra.sweeper
    if sweeper["_target_"] == TARGET:
        if not sweep:
            raise ConfigError("a search runs many jobs: add -m")
        # Only Hydra can list the names that match a glob.
        known = [o for o in parsed if o.value_type is not ValueType.GLOB_CHOICE_SWEEP]
        choices = read_plan(read_settings(sweeper), known).choices()
    elif sweeper["_target_"] == GRID and (ranges := [o.input_line for o in parsed if o.is_interval_sweep()]):
        raise ConfigError(
            f"'{shown(str(ranges[0]))}' is no list of values: write them out, or search the range with search=random"
        )
    configs = list(_all_configs([values for values in choices if values], config_dir))
    for line in dict.fromkeys(line for config in configs for line in notes(config)):
        print(escaped(f"lstmlab: note: {line}"), file=sys.stderr)
    mode_of(configs[-1].wandb.mode)  # a wrong WANDB_MODE is told before anything is compiled
    return configs[-1]


def _all_configs(choices: Sequence[Sequence[str]], config_dir: str | None) -> Iterator[Config]:
    """With every value of every override, the first of all others; the last configuration has the first of all."""
    first = [values[0] for values in choices]
    for position, values in enumerate(choices):
        for value in values[1:]:
            yield to_config(compose_tree([*first[:position], value, *first[position + 1 :]], config_dir))
    yield to_config(compose_tree(first, config_dir))


def _with_home(argument: str) -> str:
    """``--config-dir=~/conf``, where shells leave the ``~``, with the home directory."""
    flag, equals, value = argument.partition("=")
    return f"{flag}={Path(value).expanduser()}" if equals and flag in ("--config-dir", "-cd") else argument


def _refuse(message: str) -> NoReturn:
    raise ConfigError(f"{shown(message, 500)} (see lstmlab --help)")


def _values(override: Override) -> list[str]:
    """The single values of a sweep override, or the override itself; none for a range or a glob."""
    if not override.is_sweep_override():
        return [str(override.input_line)]
    if not override.is_discrete_sweep() or override.value_type is ValueType.GLOB_CHOICE_SWEEP:
        return []
    key = override.get_key_element()
    return [f"{key}={value}" for value in override.sweep_string_iterator()]
