"""The two figures and the table of this study, from the runs that run.sh has made.

    python experiments/memory/figure.py outputs/memory

adding: test error over that of the constant guess, which every gated cell beats, on a logarithmic axis.
copy:   test loss over that of a model without memory: 1 means that nothing is remembered, 0 that everything is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from lstmlab import compare
from lstmlab.plots.curves import curves
from lstmlab.tracking.tables import markdown_table

KEYS = ["init.forget_bias", "init.chrono_horizon"]
LENGTHS = {"adding": (25, 50, 100), "copy": (10, 20, 50)}
TASKS = {
    "adding": ("length", "sequence length", "test error / constant guess", True),
    "copy_memory": ("delay", "delay, steps", "test loss / no memory", False),
}


def main(runs: Path) -> None:
    table: dict[str, list[str]] = {}
    for task, (key, x_label, y_label, log) in TASKS.items():
        comparison = compare([runs / f"{task}-{start}" for start in ("bias-0", "bias-1", "chrono")], by=KEYS)
        lines: dict[str, list[tuple[float, ...]]] = {}
        for row in comparison.rows:
            point = [row["task_settings"][f"task.{key}"], *(row[n] / row["baseline"] for n in ("value", "low", "high"))]
            lines.setdefault(name(row), []).append(tuple(point))
        for label, points in lines.items():
            table.setdefault(label, []).extend(f"{x:.3g} [{low:.3g}, {high:.3g}]" for _, x, low, high in sorted(points))
        columns = {label: np.array(sorted(points)).T for label, points in sorted(lines.items())}
        path = Path(__file__).parent / f"{task}.png"
        curves(
            path, {label: (p[0], p[1]) for label, p in columns.items()}, x_label=x_label, y_label=y_label, log_y=log,
            title=f"{task}: mean of 5 seeds, 95 % t interval", baselines={"baseline": 1.0},
            bands={label: (p[2], p[3]) for label, p in columns.items()},
        )  # fmt: skip
        print(path)
    header = ["cell", *(f"{task} {length}" for task, lengths in LENGTHS.items() for length in lengths)]
    print(markdown_table(header, [[label, *cells] for label, cells in sorted(table.items())]))


def name(row: dict) -> str:
    """The cell and the initialisation of its gates."""
    if row["cell"] == "rnn":
        return "rnn"
    if row["by"]["init.chrono_horizon"]:
        return f"{row['cell']}, chrono"
    # The GRU has its usual initialisation; a forget gate starts at 1 where no other bias is given.
    given = row["by"]["init.forget_bias"]
    return row["cell"] if row["cell"] == "gru" else f"{row['cell']}, bias {1 if given is None else given:.0f}"


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "outputs/memory"))
