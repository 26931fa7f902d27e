"""Composition by Hydra: the files of ``conf/``, and the registered cells and tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lstmlab.cells import Cell, cell_entry, cell_names
from lstmlab.config.convert import ConfigError, to_config
from lstmlab.config.explain import explain
from lstmlab.config.overrides import readable
from lstmlab.config.schema import SECTIONS, Config
from lstmlab.settings import settings_of
from lstmlab.tasks import Task, task_entry, task_names

_stored: dict[tuple[str, str], tuple[type, bool]] = {}
"""What Hydra's store holds, by group and name: storing takes milliseconds, and scripts compose often."""


def conf_dir() -> Path:
    """The folder of configuration files: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def register_schemas(config_dir: str | Path | None = None) -> None:
    """Give Hydra the defaults of every section, and the groups ``cell`` and ``task`` with all that is registered.

    A cell or task needs no file. A file in ``config_dir``, such as ``cell/lstm.yaml``, takes the place of the
    registered choice; it may start from the registered defaults, which are the groups ``schema/cell`` and
    ``schema/task``.
    """
    sections = {name: _defaults(cls) for name, cls in SECTIONS.items()}
    ConfigStore.instance().store(name="schema", node={**sections, "cell": {}, "task": {}, **_defaults(Config)})
    for name in cell_names():
        _register("cell", name, cell_entry(name).cls, config_dir)
    for name in task_names():
        _register("task", name, task_entry(name).cls, config_dir)


def compose(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> Config:
    """The configuration that ``lstmlab OVERRIDES`` would run, for research scripts.

    >>> config = compose(["cell=gru", "task=adding", "task.length=50"])
    >>> config.cell.name, config.task.length
    ('gru', 50)

    Args:
        overrides: Hydra overrides, as on the command line.
        config_dir: a further folder of configuration files.

    Raises:
        ConfigError: naming the key, its value and what would be right.
    """
    return to_config(compose_tree(overrides, config_dir))


def compose_tree(
    overrides: Sequence[str] = (), config_dir: str | Path | None = None, *, hydra: bool = False
) -> DictConfig:
    """As :func:`compose`, before types are checked; with ``hydra`` also Hydra's own section."""
    register_schemas(config_dir)
    overrides = readable(overrides)
    if config_dir and not Path(config_dir).is_dir():
        raise ConfigError(f"{config_dir} is not a directory: it should hold configuration files")
    extra = [f"hydra.searchpath=[file://{Path(config_dir).resolve()}]"] if config_dir else []

    def composed(chosen: Sequence[str]) -> DictConfig:
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return hydra_compose("config", overrides=[*chosen, *extra], return_hydra_config=hydra)

    try:
        return composed(overrides)
    # ValueError: Hydra's answer to a group override that is no name, such as cell=null. OSError: to a name of a group
    # that cannot be a file's.
    except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        raise ConfigError(explain(error, overrides, composed)) from None


def _register(group: str, name: str, cls: type[Cell] | type[Task], config_dir: str | Path | None) -> None:
    """Store the defaults of a cell or task for Hydra; the choice itself only where ``config_dir`` has no such file."""
    has_file = config_dir is not None and (Path(config_dir) / group / f"{name}.yaml").exists()
    if _stored.get((group, name)) == (cls, has_file):
        return
    store, node = ConfigStore.instance(), {"name": name, **_defaults(cls)}
    store.store(group=f"schema/{group}", name=name, node=node)
    if has_file:
        # Hydra would merge the file into a stored choice of the same name, with a warning.
        store.repo.get(group, {}).pop(f"{name}.yaml", None)
    elif issubclass(cls, Task):
        choice = OmegaConf.merge({"task": node}, OmegaConf.from_dotlist(list(cls.defaults)))
        store.store(group=group, name=name, node=choice, package="_global_")
    else:
        store.store(group=group, name=name, node=node)
    _stored[group, name] = (cls, has_file)


def _defaults(cls: type) -> dict[str, Any]:
    defaults = {name: setting.default for name, setting in settings_of(cls).items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}
