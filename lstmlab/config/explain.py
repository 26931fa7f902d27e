"""Hydra's errors in one line that names the key and the known ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lstmlab.config.convert import ConfigError
from lstmlab.config.overrides import parse_override
from lstmlab.printable import shown
from lstmlab.settings import suggest


def explain(
    error: BaseException,
    overrides: Sequence[str],
    compose: Callable[[Sequence[str]], DictConfig],
) -> str:
    """One line for an error of Hydra or OmegaConf in composing ``overrides``.

    ``compose`` composes again without the wrong override, to list the known keys.
    """
    for override in overrides:
        try:
            parse_override(override)
        except ConfigError as wrong:
            return str(wrong)
    chain = list(_chain(error))
    text = "\n".join(str(e) for e in chain)
    if match := re.search(r"Ambiguous value for argument '([^']+)'", text):
        return f"'{shown(match[1])}' lists several values, but one is needed here"
    if getattr(error, "errno", None) or "Config group override" in text:
        return _nameless_group(overrides, compose)
    if match := re.search(r"Could not find '([^'/]+)/([^']*)'", text):
        listed = re.search(r"Available options in '[^']+':\n((?:\t\S+\n?)+)", text)
        known = sorted(listed[1].split()) if listed else []
        return f"unknown {match[1]} '{shown(match[2])}'{suggest(match[2], known)} (known: {', '.join(known)})"
    if match := re.search(r"Could not (?:override|append to config) '([^']+)'", text):
        return _unknown_key(match[1], overrides, compose)
    return shown(next((line.strip() for line in text.splitlines() if line.strip()), repr(error)), 300)


def _unknown_key(key: str, overrides: Sequence[str], compose: Callable[[Sequence[str]], DictConfig]) -> str:
    if key.startswith("hydra."):
        return f"unknown key '{shown(key)}' (see lstmlab --cfg hydra)"
    # Only the overrides that choose groups change which keys there are; the others may be wrong too.
    tree = compose([o for o in overrides if "." not in _key_of(o) and _composes(o, compose)])
    parent, _, leaf = key.rpartition(".")
    while parent and not isinstance(OmegaConf.select(tree, parent), DictConfig):
        parent, _, leaf = parent.rpartition(".")
    node = OmegaConf.select(tree, parent) if parent else tree
    known = sorted(str(k) for k in node if k not in ("hydra", "name") or not parent)
    where = f"keys of {parent}" if parent else "keys"
    return f"unknown key '{shown(key)}'{suggest(leaf, known)} ({where}: {', '.join(known)})"


def _nameless_group(overrides: Sequence[str], compose: Callable[[Sequence[str]], DictConfig]) -> str:
    wrong = next((o for o in overrides if not _composes(o, compose)), ", ".join(overrides))
    return f"cannot use '{shown(wrong)}': a group is chosen by a name, such as cell=lstm"


def _key_of(override: str) -> str:
    return override.lstrip("+~").split("=", 1)[0]


def _composes(override: str, compose: Callable[[Sequence[str]], DictConfig]) -> bool:
    try:
        compose([override])
    except (HydraException, OmegaConfBaseException, ValueError, OSError):
        return False
    return True


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
