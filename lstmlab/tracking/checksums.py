"""Checksums by which the files of a run are told from files that were cut off, changed, or put there from elsewhere.

``summary.json`` holds the SHA-256 of the run's other files under ``files``, and under ``checksum`` that of its own
content. Runs of earlier versions have neither and are taken as they are. This finds accidents: who means to deceive
can compute new checksums.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILES, OWN = "files", "checksum"
CONFIG_FILE = "config.yaml"
"""the composed configuration of a run, in its directory"""
RECORDED = (CONFIG_FILE, "metrics.jsonl", "model.npz", "task.json")
"""the files of a run directory that have a checksum"""


class Damaged(Exception):
    """A file is not what the run wrote; the message is one line that names it."""


def with_checksums(summary: dict[str, Any], directory: Path) -> dict[str, Any]:
    """The plain values of a summary with the checksums of the directory's files and its own."""
    files = {name: _sha256(directory / name) for name in RECORDED if (directory / name).exists()}
    summary = {**summary, FILES: files}
    return {**summary, OWN: _of_content(summary)}


def without_checksums(summary: dict[str, Any], path: Path) -> dict[str, Any]:
    """The summary that was read from ``path`` as it was before :func:`with_checksums`.

    Raises ``Damaged`` where its content is another than was written.
    """
    if FILES not in summary and OWN not in summary:
        return summary
    content = {key: value for key, value in summary.items() if key != OWN}
    if not isinstance(content.get(FILES), dict) or summary.get(OWN) != _of_content(content):
        raise Damaged(f"{path} was changed after the run had written it: its content does not have its checksum")
    return {key: value for key, value in content.items() if key != FILES}


def check_files(summary: dict[str, Any], directory: Path, names: Sequence[str] = RECORDED) -> None:
    """Compare files with the checksums in the content of ``summary.json``, if it has any.

    Raises ``Damaged`` for the first that is missing or differs.
    """
    for name, wanted in summary.get(FILES, {}).items():
        path = directory / name
        if name not in names:
            continue
        if not path.exists():
            raise Damaged(f"{path} is missing, but the run had written it (see summary.json)")
        if _sha256(path) != wanted:
            raise Damaged(f"{path} cannot be used: it is not what the run had written, its checksum is another")


def _of_content(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
