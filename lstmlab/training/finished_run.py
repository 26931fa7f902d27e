"""Whether the run in a directory can be continued, or has finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lstmlab.config import PLACE_KEYS, Config, ConfigError, read_config, to_tree
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.files import METRICS, SUMMARY, RunError, check_run_files, read_metrics, read_summary
from lstmlab.training.compiled import HOST_KEYS

# Keys that may differ between a run and its continuation, besides HOST_KEYS.
_FREE_KEYS = ("training.devices", "training.distributed", "tracking.tensorboard", *PLACE_KEYS)


def finished_summary(config: Config, directory: Path) -> dict[str, Any] | None:
    """The summary of the directory's run if it has finished.

    Raises ``ConfigError`` when it is a run of another configuration, and ``RunError`` when a file of a finished run is
    missing or damaged.
    """
    if not (directory / CONFIG_FILE).exists():
        return None
    before, now = _by_key(read_config(directory / CONFIG_FILE)), _by_key(config)
    different = [key for key in before | now if before.get(key) != now.get(key)]
    if different:
        held = ", ".join(f"{key}={before.get(key)} (now {now.get(key)})" for key in different)
        raise ConfigError(f"resume=true: {directory} holds a run with {held}; give the same keys, or another directory")
    if not (directory / SUMMARY).exists():
        return None
    summary = read_summary(directory)
    if summary["status"] != "finished":
        return None
    try:
        if type(summary.get("steps")) is not int:
            raise RunError(f"{directory / SUMMARY}: a finished run without its number of steps")
        check_run_files(directory)
        check_rows(config, directory, summary["steps"])
    except RunError as error:
        raise RunError(f"{error}; restore it, or remove {SUMMARY} to go on from the last checkpoint") from None
    return summary


def check_rows(config: Config, directory: Path, step: int) -> None:
    """Raises ``RunError`` unless ``metrics.jsonl`` has every row up to ``step``, at which there was one."""
    found = [row["step"] for row in read_metrics(directory) if row["step"] <= step]
    due = [*range(config.training.log_every, step, config.training.log_every), *([step] if step else [])]
    if found != due:
        missing = next((at for at in due if at not in found), None)
        what = "has rows twice or out of order" if missing is None else f"has no row of step {missing}"
        raise RunError(f"{directory / METRICS} {what}, but the run has logged all rows up to step {step}")


def _by_key(config: Config) -> dict[str, Any]:
    """The keys on which a run and its continuation must agree, dotted."""
    sections = {name: part for name, part in to_tree(config).items() if name not in HOST_KEYS}
    flat = {f"{name}.{key}": v for name, part in sections.items() if isinstance(part, dict) for key, v in part.items()}
    flat |= {name: part for name, part in sections.items() if not isinstance(part, dict)}
    return {key: value for key, value in flat.items() if key not in _FREE_KEYS}
