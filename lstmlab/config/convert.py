"""From Hydra's untyped tree to the typed configuration and back, with errors that name the key."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lstmlab.cells import cell_entry
from lstmlab.cells.options import suggest
from lstmlab.config.schema import PLACE_KEYS, SECTIONS, CellConfig, Config, DataConfig, make_init
from lstmlab.tasks import Task, task_entry
from lstmlab.tasks.task import DATA_PREFIX

_KIND_NAMES = {type(None): "null", tuple: "list"}


class ConfigError(ValueError):
    """A configuration that cannot run; the message is one line that names the key and what would be right."""


def to_config(tree: DictConfig | Mapping[str, Any]) -> Config:
    """Check a composed configuration and give it its types.

    Raises:
        ConfigError: naming the key, its value and what would be right.
    """
    try:
        plain = OmegaConf.to_container(OmegaConf.create(tree), resolve=True)  # type: ignore[arg-type]
    except OmegaConfBaseException as error:
        where = f"{error.full_key}: " if error.full_key else ""
        raise ConfigError(where + str(error).splitlines()[0]) from None
    assert isinstance(plain, dict)
    values: dict[str, Any] = {str(k): v for k, v in plain.items() if k != "hydra"}
    _reject_unknown("", values, [f.name for f in dataclasses.fields(Config)])
    try:
        sections = {name: _section(name, cls, values.get(name, {})) for name, cls in SECTIONS.items()}
        cell = _cell(values.get("cell"))
        task = _task(values.get("task"), sections["data"])
        scalars = [f for f in dataclasses.fields(Config) if f.name in ("seed", "name", "resume")]
        top = {f.name: _value(f.name, f, values[f.name]) for f in scalars if f.name in values}
        config = Config(cell=cell, task=task, **sections, **top)
        make_init(config.init)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from None
    _check_together(config)
    return config


def to_tree(config: Config) -> dict[str, Any]:
    """The configuration as nested plain values, as it is written to ``config.yaml``; inverse of :func:`to_config`."""
    tree: dict[str, Any] = {
        "cell": {"name": config.cell.name, **config.cell.options},
        "task": {"name": config.task.name} | _plain(config.task, config.task.options()),
    }
    tree |= {name: _plain(getattr(config, name)) for name in SECTIONS}
    return tree | {"seed": config.seed, "name": config.name, "resume": config.resume}


def _plain(instance: Any, fields: Iterable[dataclasses.Field] | None = None) -> dict[str, Any]:
    return {
        f.name: list(v) if isinstance(v := getattr(instance, f.name), tuple) else v
        for f in fields or dataclasses.fields(instance)
    }


def _cell(values: Any) -> CellConfig:
    name, options = _named("cell", values)
    entry = cell_entry(name)
    _reject_unknown("cell.", options, list(entry.cls.options))
    checked = {
        key: declared.checked(f"cell {name}", f"cell.{key}", options.get(key, declared.default))
        for key, declared in entry.cls.options.items()
    }
    return CellConfig(name, checked)


def _task(values: Any, data: DataConfig) -> Task:
    name, options = _named("task", values)
    cls = task_entry(name).cls
    fields = {f.name: f for f in cls.options()}
    _reject_unknown("task.", options, list(fields))
    hints = typing.get_type_hints(cls)
    checked = {k: _value(f"task.{k}", fields[k], v, hints[k]) for k, v in options.items()}
    return cls(**checked, **_data(name, cls, data))


def _data(name: str, cls: type[Task], data: DataConfig) -> dict[str, Any]:
    """What the section ``data`` says, as fields of the task; a key that the task would not heed is an error."""
    heeded, chosen = {f.name for f in dataclasses.fields(cls)}, {}
    for f in dataclasses.fields(data):
        value = getattr(data, f.name)
        if DATA_PREFIX + f.name in heeded:
            chosen[DATA_PREFIX + f.name] = value
        elif value != f.default and f"data.{f.name}" not in PLACE_KEYS:
            raise ConfigError(f"data.{f.name} is set, but task {name} has no use for it")
    return chosen


def _section(name: str, cls: type, values: Mapping[str, Any]) -> Any:
    fields = {f.name: f for f in dataclasses.fields(cls)}
    if not isinstance(values, Mapping):
        raise ConfigError(f"{name} is {values!r}, but is a section: set its keys, as {name}.{next(iter(fields))}=…")
    _reject_unknown(f"{name}.", values, list(fields))
    hints = typing.get_type_hints(cls)
    return cls(**{k: _value(f"{name}.{k}", fields[k], v, hints[k]) for k, v in values.items()})


def _named(group: str, values: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(values, str):
        return values, {}
    if not isinstance(values, dict) or not values.get("name"):
        raise ConfigError(f"{group} is not chosen: write {group}=NAME")
    return str(values["name"]), {str(k): v for k, v in values.items() if k != "name"}


def _reject_unknown(prefix: str, values: Mapping[str, Any], known: list[str]) -> None:
    for key in values:
        if key not in known:
            raise ConfigError(
                f"unknown key '{prefix}{key}'{suggest(str(key), known)} "
                f"(keys here: {', '.join(prefix + k for k in known)})"
            )


def _value(key: str, field: dataclasses.Field, value: Any, hint: Any = None) -> Any:
    """Check type, choices and range of one value."""
    kinds = _kinds(hint if hint is not None else {"seed": int, "resume": bool}.get(key, str | None))
    if value is None and type(None) in kinds:
        return None
    if isinstance(value, list) and tuple in kinds:
        if not all(isinstance(entry, str) for entry in value):
            raise ConfigError(f"{key} is {value!r}, but must be a list of texts, such as [a, b]")
        return tuple(value)
    if isinstance(value, int) and not isinstance(value, bool) and float in kinds:
        value = float(value)
    if isinstance(value, float) and value.is_integer() and int in kinds and float not in kinds:
        value = int(value)
    if type(value) not in kinds:
        names = " or ".join(_KIND_NAMES.get(k, k.__name__) for k in kinds)
        raise ConfigError(f"{key} is {value!r}, but must be of type {names}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key} is {value}, but must be a finite number")
    rules = field.metadata
    if rules.get("choices") and value not in rules["choices"]:
        allowed = [str(c) for c in rules["choices"]]
        raise ConfigError(f"{key} is '{value}', but must be one of: {', '.join(allowed)}{suggest(str(value), allowed)}")
    low, high = rules.get("minimum"), rules.get("maximum")
    if low is not None and not value >= low:
        raise ConfigError(f"{key} is {value}, but must be at least {low:.10g}")
    if high is not None and not value <= high:
        raise ConfigError(f"{key} is {value}, but must be at most {high:.10g}")
    return value


def _kinds(hint: Any) -> tuple[type, ...]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return tuple(kind for part in typing.get_args(hint) for kind in _kinds(part))
    return (typing.get_origin(hint) or hint,)


def _check_together(config: Config) -> None:
    """Conditions between keys."""
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
    if model.chunk and model.backend == "fused":
        raise ConfigError("model.chunk needs model.backend=scan or auto, but model.backend is 'fused'")
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
