"""Where the runs were made, and the commands that make them again."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from lstmlab.report.blocks import Lines, Section, Table, Text
from lstmlab.report.collected import Collected

_KEYS = ("device", "devices", "git_revision", "dtype", "backend")
_MOST_COMMANDS = 30
_MOST_BYTES = 1 << 20
_OWN_PLACE = ("hydra.sweep.dir", "hydra.run.dir", "hydra.mode", "hydra.sweep.subdir")


def environment(collected: Collected) -> Section:
    """Devices, versions and revisions with the number of runs of each."""
    rows = []
    for key in _KEYS:
        rows += _rows(key.replace("_", " "), [run.summary.get(key) for run in collected.finished])
    versions = [run.summary.get("versions") for run in collected.finished]
    known = [each for each in versions if isinstance(each, dict)]
    for name in sorted({name for each in known for name in each}):
        rows += _rows(name, [each.get(name) for each in known])
    return Section("environment", "Environment", [Table(["what", "value", "runs"], rows)] if rows else [])


def reproduce(collected: Collected) -> Section:
    """The commands of the sweeps and runs, from the overrides that Hydra wrote beside them."""
    commands: dict[str, None] = {}
    unknown: list[str] = []
    for run in collected.finished:
        command = _command(run.directory)
        if command is None:
            unknown.append(str(run.directory))
        else:
            commands[command] = None
    blocks: list[Any] = []
    shown = list(commands)[:_MOST_COMMANDS]
    if shown:
        more = len(commands) - len(shown)
        revisions = {run.summary.get("git_revision") for run in collected.finished}
        known = ", ".join(sorted(str(revision) for revision in revisions if revision))
        caption = f"With the code of revision {known}." if known else ""
        blocks.append(Text("\n".join(shown) + (f"\n# and {more} more commands" if more else ""), caption))
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        blocks.append(Lines([f"No command is known of {unknown[0]}{more}: Hydra's files are not beside them."]))
    again = shlex.join(["lstmlab", "report", *map(str, collected.directories)])
    blocks.append(Text(again, "This report:"))
    return Section("commands", "Commands", blocks)


def _rows(name: str, values: list[Any]) -> list[list[str]]:
    counts = Counter(str(value) for value in values if value is not None)
    return [[name, value, str(count)] for value, count in counts.most_common()]


def _command(directory: Path) -> str | None:
    """``lstmlab -m …`` for a member of a sweep, else ``lstmlab …``; None where neither is recorded."""
    sweep = _yaml(directory.parent / "multirun.yaml")
    task, hydra = (_nested(sweep, "hydra", "overrides", key) for key in ("task", "hydra"))
    if _texts(task):
        given = hydra if _texts(hydra) else []
        own = [text for text in given if text.lstrip("+").partition("=")[0] not in _OWN_PLACE]
        return shlex.join(["lstmlab", "-m", *task, *dict.fromkeys(own)])
    alone = _yaml(directory / ".hydra" / "overrides.yaml")
    return shlex.join(["lstmlab", *alone]) if _texts(alone) else None


def _nested(tree: Any, *keys: str) -> Any:
    """The value at these keys; None where the tree is not of this form."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _yaml(path: Path) -> Any:
    """The content of a small YAML file; None where there is none that can be read."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
