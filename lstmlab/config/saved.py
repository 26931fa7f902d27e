"""A run's ``config.yaml``: written whole, read as plain values. The file may come from anybody, so nothing in it acts.

Its first line is a checksum of the rest, by which a file that was cut off or changed is told from a whole one. Files
of earlier versions have no such line.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from lstmlab.cells import cell_entry, cell_names
from lstmlab.config.convert import ConfigError, from_plain_tree
from lstmlab.config.schema import SECTIONS, Config
from lstmlab.settings import with_earlier
from lstmlab.tracking.files import write_atomically

LARGEST, DEEPEST = 1 << 20, 32
"""bytes of a configuration, and levels of its tree; those of a run have some thousand, and three"""
_CHECKSUM = re.compile(rb"# lstmlab configuration, sha256 ([0-9a-f]{64})\n")
# The last keys that are written, and sections that every version had: a file without them is not whole.
_ALWAYS = ("cell", "task", "model", "optimizer", "training", "seed", "resume")


def save_config(tree: dict[str, Any], path: Path) -> None:
    """Write a resolved configuration as YAML."""
    text = OmegaConf.to_yaml(OmegaConf.create(tree))
    checksum = hashlib.sha256(text.encode()).hexdigest()
    write_atomically(path, f"# lstmlab configuration, sha256 {checksum}\n{text}")


def read_config(path: Path) -> Config:
    """Read a resolved configuration; raises ``ConfigError`` naming the file."""
    tree = read_tree(path)
    try:
        config = from_plain_tree(_with_earlier(tree))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    missing = [key for key in _ALWAYS if key not in tree]
    if missing:
        raise ConfigError(f"{path} is not the whole configuration of a run: it has no {', '.join(missing)}")
    for name in ("cell", "task", *SECTIONS):
        if name in tree and not isinstance(tree[name], dict):
            raise ConfigError(f"{path}: {name} is {tree[name]!r}, but must be a group of keys")
    return config


def _with_earlier(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with what settings that are newer than the file meant when it was written."""
    kinds: dict[str, type] = dict(SECTIONS)
    cell = tree.get("cell")
    if isinstance(cell, dict) and cell.get("name") in cell_names():
        kinds["cell"] = cell_entry(cell["name"]).cls
    changed = {name: with_earlier(cls, tree[name]) for name, cls in kinds.items() if isinstance(tree.get(name), dict)}
    return tree | changed


def read_tree(path: Path) -> dict[str, Any]:
    """The nested plain values of a configuration file. Text in ``${…}`` stays text.

    Raises ``ConfigError`` naming the file, where it is missing, no YAML, cut off, changed, or not of a run's kind.
    """
    content = _content(path)
    found = _CHECKSUM.match(content)
    if found and hashlib.sha256(content[found.end() :]).hexdigest() != found[1].decode():
        raise ConfigError(
            f"{path} was cut off or changed: it is not what its first line says (restore the file; "
            "without the first line it is read as it is)"
        )
    try:
        _check_events(path, content)
        tree = yaml.load(content, _Loader)
    except ConfigError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise ConfigError(f"{path} cannot be read: not valid YAML{where}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} is not a configuration of keys and values")
    return {str(key): value for key, value in tree.items()}


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path.parent} is not a run directory: it has no {path.name}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise ConfigError(f"{path} has more than {LARGEST} bytes: it is not the configuration of a run")
    return content


def _check_events(path: Path, content: bytes) -> None:
    """Refuse what could grow without limit, before any of it is built."""
    depth = 0
    for event in yaml.parse(content, _FASTEST):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1
            raise ConfigError(f"{path}: line {line} is an alias (*{event.anchor}), which no run writes")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ConfigError(f"{path}: nested deeper than {DEEPEST} levels, which no run writes")


_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML was built with it


class _Loader(_FASTEST):
    """A loader of its own, so that what is changed below changes no other; several times as fast as OmegaConf."""


# As OmegaConf, which writes the file: dates are text, and a number needs no decimal point before its exponent.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+[eE][-+]?\d+$"), list("-+0123456789"))
