"""Joins what the parts of `gpu_check.sh` have written: `gpu_check.json`, and tables in `gpu_check.md`.

python scripts/gpu_check_report.py DIR
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TITLES = {
    "agreement": "Differences from `scan` in float32",
    "bench": "One training step of an LSTM",
    "members": "Models at once",
    "precision": "Precision of products",
    "memory": "Memory of the gradient beside arguments and results",
    "tests": "Tests that need a GPU",
}
STOPPED = 124
"""exit status of a part that `timeout` stopped"""


def main(arguments: list[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        raise SystemExit("gpu_check_report.py needs one folder, into which the parts have written")
    folder = Path(arguments[0])
    result = collect(folder)
    (folder / "gpu_check.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "gpu_check.md").write_text(markdown(result))
    print(f"written: {folder / 'gpu_check.json'}, {folder / 'gpu_check.md'}")


def collect(folder: Path) -> dict[str, Any]:
    """All parts, with how each ended; the device and the versions are those of the first part that said them."""
    parts = {}
    for name in TITLES:
        written, status = folder / f"{name}.json", folder / f"{name}.status"
        found = json.loads(written.read_text()) if written.exists() else {"rows": []}
        code, seconds = map(int, status.read_text().split()) if status.exists() else (None, None)
        parts[name] = found | {"ended": _ending(code), "seconds": seconds}
    said = next((part for part in parts.values() if "machine" in part), {})
    shared = {key: said.get(key) for key in ("machine", "versions", "tiny")}
    return shared | {"parts": {n: {k: p[k] for k in ("ended", "seconds", "rows")} for n, p in parts.items()}}


def markdown(result: dict[str, Any]) -> str:
    """One section per part, with a table of its rows."""
    machine, versions = result["machine"] or {}, result["versions"] or {}
    lines = [f"# {machine.get('name', 'unknown device')}", ""]
    if result["tiny"]:
        lines += ["Tiny sizes: this shows that the parts run, and no time here means anything.", ""]
    lines += [", ".join(f"{name} {version}" for name, version in versions.items()), ""]
    for name, part in result["parts"].items():
        lines += [f"## {TITLES[name]}", "", f"{part['ended']}, {part['seconds']} s.", ""]
        if part["rows"]:
            lines += [*_table(part["rows"]), ""]
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]]) -> Iterable[str]:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    yield "| " + " | ".join(columns) + " |"
    yield "| " + " | ".join("---" for _ in columns) + " |"
    for row in rows:
        yield "| " + " | ".join(_cell(row.get(column)) for column in columns) + " |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _ending(code: int | None) -> str:
    if code is None:
        return "not started"
    return {0: "complete", STOPPED: "stopped at its time limit"}.get(code, f"failed with exit status {code}")


if __name__ == "__main__":
    main()
