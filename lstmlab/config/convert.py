"""From Hydra's untyped tree to the typed configuration and back; errors name the key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lstmlab.cells import cell_entry
from lstmlab.config.schema import PLACE_KEYS, SECTIONS, CellConfig, Config, DataConfig
from lstmlab.models.blocks import resolve_block
from lstmlab.models.model_settings import check_chunk
from lstmlab.printable import shown
from lstmlab.settings import Setting, settings_of, suggest
from lstmlab.tasks import Task, task_entry
from lstmlab.tasks.task import DATA_KEY


class ConfigError(ValueError):
    """A configuration that cannot run. The message is one line that names the key and the allowed values."""


def to_config(tree: DictConfig | Mapping[str, Any]) -> Config:
    """Check a composed configuration, and convert it to its types.

    Raises:
        ConfigError: naming the key, its value and the allowed values.
    """
    try:
        plain = OmegaConf.to_container(OmegaConf.create(tree), resolve=True)  # type: ignore[arg-type] - a tree is a mapping
    except OmegaConfBaseException as error:
        where = f"{error.full_key}: " if error.full_key else ""
        raise ConfigError(where + str(error).splitlines()[0]) from None
    assert isinstance(plain, dict)
    return from_plain_tree({str(k): v for k, v in plain.items() if k != "hydra"})


def from_plain_tree(values: Mapping[str, Any]) -> Config:
    """As :func:`to_config`, for plain values: text in ``${…}`` stays text."""
    _reject_unknown("", values, [f.name for f in dataclasses.fields(Config)])
    try:
        sections = {name: _section(name, cls, values.get(name, {})) for name, cls in SECTIONS.items()}
        sections["data"] = _with_whole_paths(sections["data"])
        cell = _cell(values.get("cell"))
        task = _task(values.get("task"), sections["data"])
        scalars = settings_of(Config)
        model = sections["model"]
        sections["model"] = dataclasses.replace(model, block=resolve_block(model.block, cell.name))
        top = _check(scalars, "", {name: values[name] for name in scalars if name in values})
        config = Config(cell=cell, task=task, **sections, **top)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from None
    _check_together(config)
    return config


def to_tree(config: Config) -> dict[str, Any]:
    """The configuration as nested plain values, as in ``config.yaml``; the inverse of :func:`to_config`."""
    tree: dict[str, Any] = {
        "cell": {"name": config.cell.name, **config.cell.options},
        "task": {"name": config.task.name, **_plain(config.task)},
    }
    tree |= {name: _plain(getattr(config, name)) for name in SECTIONS}
    return tree | _plain(config)


def _with_whole_paths(data: DataConfig) -> DataConfig:
    """Relative paths are meant from where the program was started; as absolute ones they mean the same files in a job
    that Hydra moves to its run directory (``hydra.job.chdir``), and when the run is loaded from another directory.
    """
    given, start = {"dir": data.dir, "file": data.file}, Path.cwd()
    if HydraConfig.initialized() and (hydra := HydraConfig.get()).job.chdir:
        # Between the jobs of a sweep, Hydra's configuration has no directory of a job.
        runtime = hydra.runtime
        if not OmegaConf.is_missing(runtime, "output_dir") and start == Path(runtime.output_dir):
            start = Path(runtime.cwd)
    paths = {key: value and str(start / Path(value).expanduser()) for key, value in given.items()}
    return dataclasses.replace(data, **paths)


def _plain(instance: Any) -> dict[str, Any]:
    """The settings of a task or section; tuples are lists in YAML."""
    values = {name: getattr(instance, name) for name in settings_of(type(instance))}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _cell(values: Any) -> CellConfig:
    name, given = _named("cell", values)
    settings = settings_of(cell_entry(name).cls)
    options = {key: setting.default for key, setting in settings.items()}
    return CellConfig(name, options | _check(settings, "cell.", given))


def _task(values: Any, data: DataConfig) -> Task:
    name, given = _named("task", values)
    cls = task_entry(name).cls
    return cls(**_check(settings_of(cls), "task.", given), **_data(name, cls, data))


def _data(name: str, cls: type[Task], data: DataConfig) -> dict[str, Any]:
    """The arguments of the task that come from the section ``data``; a key that the task does not use is an error."""
    arguments = {f.metadata[DATA_KEY]: f.name for f in dataclasses.fields(cls) if DATA_KEY in f.metadata}
    values = {}
    for key, setting in settings_of(DataConfig).items():
        value = getattr(data, key)
        if key in arguments:
            values[arguments[key]] = value
        elif value != setting.default and f"data.{key}" not in PLACE_KEYS:
            raise ConfigError(f"data.{key} is set, but task {name} does not use it")
    return values


def _section(name: str, cls: type, values: Any) -> Any:
    settings = settings_of(cls)
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"{name} is {shown(repr(values))}, but must be a section of keys: "
            f"set one of them, as {name}.{next(iter(settings))}=…"
        )
    return cls(**_check(settings, f"{name}.", values))


def _named(group: str, values: Any) -> tuple[str, dict[str, Any]]:
    """The name of the chosen cell or task, and the other keys."""
    if isinstance(values, str):
        return values, {}
    if not isinstance(values, dict) or not values.get("name"):
        raise ConfigError(f"{group} is not chosen: write {group}=NAME")
    return str(values["name"]), {str(k): v for k, v in values.items() if k != "name"}


def _reject_unknown(prefix: str, values: Mapping[str, Any], known: list[str]) -> None:
    for key in values:
        if key not in known:
            raise ConfigError(
                f"unknown key '{prefix}{shown(str(key))}'{suggest(str(key), known)} "
                f"(keys here: {', '.join(prefix + k for k in known)})"
            )


def _check(settings: Mapping[str, Setting], prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in the types of their settings; raises ``ConfigError`` naming the key."""
    _reject_unknown(prefix, values, list(settings))
    return {name: _value(prefix + name, settings[name], value) for name, value in values.items()}


def _value(key: str, setting: Setting, value: Any) -> Any:
    if isinstance(value, list) and tuple in setting.types:
        if key.startswith("data."):  # names and marks of a file, which may look like numbers
            value = [str(entry) if type(entry) in (int, float) else entry for entry in value]
        if not all(isinstance(entry, str) for entry in value):
            raise ConfigError(f"{key} is {shown(repr(value))}, but must be a list of texts, such as [a, b]")
        value = tuple(value)
    if isinstance(value, float) and value.is_integer() and int in setting.types and float not in setting.types:
        value = int(value)
    try:
        return setting.check(key, value)
    except ValueError as error:
        if str not in setting.types or not isinstance(value, (bool, int, float)):
            raise
        raise ConfigError(f"{error}; in quotes it is text: '{key}=\"{shown(str(value))}\"'") from None


def _check_together(config: Config) -> None:
    """Check conditions between keys."""
    training, model, task = config.training, config.model, config.task
    if training.eval_every % training.log_every:
        raise ConfigError(
            f"training.eval_every is {training.eval_every}, but must be a multiple of training.log_every, "
            f"which is {training.log_every}"
        )
    if training.checkpoint_every % training.log_every:
        raise ConfigError(
            f"training.checkpoint_every is {training.checkpoint_every}, but must be a multiple of "
            f"training.log_every, which is {training.log_every}"
        )
    try:
        check_chunk(model.chunk, model.backend)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if model.bidirectional and (task.stateful or task.causal):
        raise ConfigError(
            f"model.bidirectional=true cannot run task {task.name}: a backward direction would read ahead of "
            "what the task asks to predict"
        )
    if model.attention != "none" and task.architecture != "encoder_decoder":
        raise ConfigError(f"model.attention is '{model.attention}', but task {task.name} has no decoder: use none")
    if (model.readout == "steps" and task.readout != "steps") or (
        model.readout in ("last", "pooled") and task.readout == "steps"
    ):
        allowed = "steps" if task.readout == "steps" else "last, pooled"
        raise ConfigError(f"model.readout is '{model.readout}', but task {task.name} needs one of: auto, {allowed}")
