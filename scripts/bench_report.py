"""Ratios from measured times, and the Markdown table of a result."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from bench_machine import slug

ENTRIES = "contenders"
"""key of the entries in the JSON files, which keep their format"""
TITLES = {
    "libraries": "One training step of an LSTM",
    "cells": "One training step of every cell",
}
INTRODUCTION = """# Benchmarks

Time of one training step of one recurrent layer: forward, mean squared error on all outputs, backward, Adam, in
float32, on a batch that is already on the device. The entries take turns in one process, in a new random order each
round. A turn is several bursts of steps; the first burst is not timed, and the result is the median of the others.
The table shows the ratio of each entry to the first row, above 1 where it is slower: the median over rounds of the
ratios within a round (10th to 90th percentile). More is in `python scripts/bench.py --help`; the times of every round
are in `docs/bench/`.
"""


def summarise(seconds: dict[str, list[float]]) -> dict[str, dict[str, Any]]:
    """Median time of every entry and its ratio to the first one within rounds, from seconds per step ``[rounds]``."""
    reference = np.array(next(iter(seconds.values())))
    return {name: _summary(np.array(rounds), reference) for name, rounds in seconds.items()}


def _summary(rounds: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
    ratios = rounds / reference
    low, median, high = np.percentile(ratios, [10, 50, 90])
    return {
        "median_ms": _round(1e3 * np.median(rounds)),
        "ratio": {
            "median": _round(median), "p10": _round(low), "p90": _round(high),
            "min": _round(ratios.min()), "max": _round(ratios.max()),
        },
        "seconds": [_round(value) for value in rounds],
    }  # fmt: skip


def geometric_means(shapes: list[dict[str, Any]]) -> dict[str, float]:
    """Geometric mean over shapes of the median ratios, for entries that ran on all shapes."""
    names = [n for n in shapes[0][ENTRIES] if all(n in s[ENTRIES] for s in shapes)]
    ratios = {n: [s[ENTRIES][n]["ratio"]["median"] for s in shapes] for n in names}
    return {n: _round(np.exp(np.mean(np.log(values)))) for n, values in ratios.items()}


def line(result: dict[str, Any]) -> str:
    """The result on one shape as a line for the terminal."""
    (reference, first), *others = result[ENTRIES].items()
    parts = [f"{name} {_spread(entry['ratio'])}" for name, entry in others]
    return f"{result['shape']}: {reference} {_ms(first)}; " + ", ".join(parts)


def table(result: dict[str, Any]) -> str:
    """A Markdown section: one row per entry, one column per shape."""
    shapes, means = result["shapes"], result["geometric_mean"]
    names = list(dict.fromkeys(name for shape in shapes for name in shape[ENTRIES]))
    header = ["batch×time×input×hidden", *(s["shape"] for s in shapes), "geometric mean"]
    rows = [header, ["---"] * len(header)]
    for name in names:
        entries = [shape[ENTRIES].get(name) for shape in shapes]
        mean = f"**{means[name]:.2f}**" if name in means else ""
        rows.append([name, *(_cell(entry, name == names[0]) for entry in entries), mean])
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    load = "load {before} before, {after} after".format(**result["load"])
    left_out = "".join(f" Left out: {n} ({why})." for n, why in result["left_out"].items())
    return "\n".join([
        f"## {TITLES[result['benchmark']]}: {result['machine']['name']}", "",
        *("| " + " | ".join(row) + " |" for row in rows), "",
        f"`{result['command']}`, {result['date'][:10]}, {result['settings']['rounds']} rounds, "
        f"{load}; {versions}.{left_out}",
    ])  # fmt: skip


def write_section(path: Path, result: dict[str, Any]) -> None:
    """Write the table of a result into a Markdown file, in place of the last one of this device and benchmark."""
    mark = f"bench {slug(result['machine']['name'])} {result['benchmark']}"
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    section = f"{begin}\n{table(result)}\n{end}"
    text = path.read_text() if path.exists() else INTRODUCTION
    old = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    text, replaced = old.subn(lambda _: section, text)
    if not replaced:
        text = f"{text.rstrip()}\n\n{section}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _cell(entry: dict[str, Any] | None, reference: bool) -> str:
    if entry is None:
        return ""
    return _ms(entry) if reference else f"{_spread(entry['ratio'])}, {_ms(entry)}"


def _spread(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.2f} ({ratio['p10']:.2f}–{ratio['p90']:.2f})"


def _ms(entry: dict[str, Any]) -> str:
    return f"{entry['median_ms']:.3g} ms"


def _round(value: float | np.floating) -> float:
    return float(f"{float(value):.5g}")
