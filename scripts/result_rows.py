"""The rows of docs/results.md: what is run, what was published, and how the settings were chosen."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any, NoReturn

import yaml

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "docs" / "results"
ROWS = RECORDS / "rows.yaml"
SPLITS = ("validation", "test", "none", "unknown")


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of ``rows.yaml``, which says what the keys mean."""

    name: str
    overrides: list[str]
    data: str
    chosen_on: str
    how: str
    published: str | None = None
    source: str | None = None
    same_protocol: bool | None = None
    because: str | None = None

    def words(self, directory: str = "DIR") -> list[str]:
        """The overrides of one run, with the place of the data where it needs data."""
        return [*self.overrides, *([] if self.data == "none" else [f"data.dir={directory}"])]

    def command(self, seeds: int, directory: str = "DIR") -> list[str]:
        """The arguments of ``lstmlab`` that train the row with the seeds 0 to ``seeds`` − 1."""
        numbers = ",".join(map(str, range(seeds)))
        return ["-m", *self.overrides, f"seed={numbers}", *self.words(directory)[len(self.overrides) :]]


def read_rows(path: Path = ROWS) -> dict[str, Row]:
    """All rows by name; exits with one line that names the row and the key where one is wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        leave(f"{path}: cannot be read: {' '.join(str(error).split())}")
    if not isinstance(content, dict):
        leave(f"{path}: no rows by name")
    return {name: _row(name, keys, path) for name, keys in content.items()}


def chosen_row(rows: dict[str, Row], name: str) -> Row:
    """The row of a name; exits with one line that lists the known ones for another."""
    if name not in rows:
        leave(f"no row '{name}' in docs/results/rows.yaml; rows: {' '.join(rows)}")
    return rows[name]


def leave(message: str) -> NoReturn:
    """Exit with one line on standard error and status 1."""
    sys.exit(f"results: {message}")


def _row(name: str, keys: Any, path: Path) -> Row:
    where = f"{path}: row {name}"
    fields = {field.name: field for field in dataclasses.fields(Row) if field.name != "name"}
    if not isinstance(keys, dict):
        leave(f"{where} has no keys; keys: {', '.join(fields)}")
    if unknown := [key for key in keys if key not in fields]:
        leave(f"{where}: unknown key {unknown[0]}; keys: {', '.join(fields)}")
    needed = [key for key, field in fields.items() if field.default is dataclasses.MISSING]
    needed += ["source", "same_protocol", "because"] if keys.get("published") else []
    if missing := [key for key in needed if keys.get(key) is None]:
        leave(f"{where} has no {missing[0]}")
    if keys["chosen_on"] not in SPLITS:
        leave(f"{where}: chosen_on is {keys['chosen_on']}; known: {', '.join(SPLITS)}")
    if not isinstance(keys.get("same_protocol"), (bool, type(None))):
        leave(f"{where}: same_protocol is {keys['same_protocol']}; it is yes or no")
    overrides = keys["overrides"]
    if not isinstance(overrides, list) or not all(isinstance(word, str) for word in overrides):
        leave(f"{where}: overrides is no list of words such as experiment=parity")
    return Row(name, **keys)
