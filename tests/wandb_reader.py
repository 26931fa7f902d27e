"""Reads the ``.wandb`` files that offline runs leave behind, for tests.

wandb has no reader in Python any more: its helper program reads them. A file is a LevelDB log: a
header of 7 bytes (name, magic number, version), then blocks of 32 KiB filled with pieces, each of
them (checksum, length, kind, bytes). One piece or several make a protobuf message ``Record``.
"""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK = 32 * 1024
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def wandb_files(run_dir: Path | str) -> list[Path]:
    """All ``.wandb`` files of a run directory (one per start of the run), oldest first."""
    files = Path(run_dir).glob("wandb/*run-*/run-*.wandb")
    return sorted(files, key=lambda path: path.stat().st_mtime_ns)


def read_records(file: Path, wait: float = 5.0) -> list[Any]:
    """The protobuf records of one ``.wandb`` file; raises ``ValueError`` where it is damaged.

    wandb's helper process writes the end of a finished run a moment after ``finish`` returned, so
    this waits up to ``wait`` seconds for the run's exit code. A run that was killed has none, and
    the records that it has are returned then.
    """
    deadline = time.monotonic() + wait
    while True:
        records = list(_records(file.read_bytes()))
        if any(record.WhichOneof("record_type") == "exit" for record in records):
            return records
        if time.monotonic() > deadline:
            return records
        time.sleep(0.02)


def read_history(run_dir: Path | str) -> list[dict[str, Any]]:
    """What was given to ``wandb.Run.log``, row by row, over all starts of the run.

    Keys that wandb adds (``_step``, ``_timestamp``, …) are left out. Media are dictionaries with
    ``_type`` and ``path``, the latter below the ``files`` folder beside the ``.wandb`` file.
    """
    rows = []
    for file in wandb_files(run_dir):
        for record in read_records(file):
            if record.WhichOneof("record_type") == "history":
                row = _items(record.history.item)
                rows.append({key: value for key, value in row.items() if key[0] != "_"})
    return rows


def read_run(run_dir: Path | str) -> dict[str, Any]:
    """Identity, configuration, summary and exit code of the last start of a run.

    Keys: id, entity, project, group, job_type, name, tags, notes, config, summary, exit_code (None while it is going
    on), and metrics: what is defined of each, by name: its x axis (step), the values that the summary has (summary),
    and whether it is hidden.
    """
    found: dict[str, Any] = {"summary": {}, "exit_code": None, "metrics": {}}
    for record in read_records(wandb_files(run_dir)[-1]):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            found.update(id=run.run_id, project=run.project, group=run.run_group)
            found.update(name=run.display_name, tags=list(run.tags), entity=run.entity)
            found.update(job_type=run.job_type, notes=run.notes)
            found["config"] = _items(run.config.update)
        elif kind == "metric":
            metric = record.metric
            aggregates = {field.name for field, _ in metric.summary.ListFields()}
            found["metrics"][metric.name or metric.glob_name] = {
                "step": metric.step_metric, "summary": aggregates, "hidden": metric.options.hidden,
            }  # fmt: skip
        elif kind == "summary":
            found["summary"].update(_items(record.summary.update))
        elif kind == "exit":
            found["exit_code"] = record.exit.exit_code
    return found


def _items(items: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        *outer, last = [item.key] if item.key else item.nested_key
        place = found
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = json.loads(item.value_json)
    return found


def _records(data: bytes) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    for message in _messages(data):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(message)
        yield record


def _messages(data: bytes) -> Iterator[bytes]:
    if not data:  # nothing was flushed yet
        return
    if data[:6] != b":W&B" + struct.pack("<H", 0xBEE1):
        raise ValueError("not a .wandb file")
    offset, parts = 7, []
    while offset + 7 <= len(data):
        room = _BLOCK - offset % _BLOCK
        if room < 7:  # too little for a record header: padding up to the next block
            offset += room
            continue
        checksum, length, kind = struct.unpack("<IHB", data[offset : offset + 7])
        part = data[offset + 7 : offset + 7 + length]
        if len(part) < length:  # the rest is still to be written
            return
        if zlib.crc32(part, zlib.crc32(bytes([kind]))) != checksum:
            raise ValueError(f"damaged record at byte {offset}")
        offset += 7 + length
        parts.append(part)
        if kind in (_FULL, _LAST):
            yield b"".join(parts)
            parts = []
        elif kind not in (_FIRST, _MIDDLE):
            raise ValueError(f"unknown kind of record {kind} at byte {offset}")
