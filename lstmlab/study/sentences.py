"""The verdicts of a comparison in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmlab.study.groups import with_values
from lstmlab.study.runs import TEST
from lstmlab.study.statistics import FEWEST
from lstmlab.study.verdicts import ALPHA, BETTER, EQUAL, MOST_SEEDS, POWER, WORSE

_COUNTS = {0: "no", 1: "one", 2: "two"}


def sentences(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The lines of one task: which rows are better, worse or not told apart, and what more seeds could show."""
    task = with_values(rows[0]["task"], rows[0]["task_settings"])
    if rows[0]["split"] != TEST:
        task = f"{task}, on {rows[0]['split']}"
    most = max(row["seeds"] + row["failed"] for row in rows)
    if most < FEWEST:
        rank = "seeds rank" if most == 2 else "seed ranks"
        return [f"{task}: {_COUNTS[most]} {rank} nothing: run at least {FEWEST} (seed=0,1,2)"]
    judged = [row for row in rows if row["verdict"]]
    lines = [f"{task}: {_verdicts(judged)} ({_method(judged)})"] if judged else []
    few = [_label(row) for row in rows if row["seeds"] + row["failed"] < FEWEST]
    if few:
        lines.append(f"{task}: fewer than {FEWEST} seeds, which rank nothing: {', '.join(few)}")
    return lines + [f"{task}: {text}" for text in _power(judged)]


def _verdicts(rows: Sequence[dict[str, Any]]) -> str:
    """``better than lstm: gru; worse: rnn; not told apart: lem``."""
    words = {BETTER: "better than", WORSE: "worse than", EQUAL: "not told apart from"}
    parts = []
    for verdict, than in words.items():
        by_reference: dict[str, list[str]] = {}
        for row in rows:
            if row["verdict"] == verdict:
                by_reference.setdefault(row["reference"], []).append(_label(row))
        parts += [f"{than} {reference}: {', '.join(labels)}" for reference, labels in by_reference.items()]
    return "; ".join(parts)


def _method(rows: Sequence[dict[str, Any]]) -> str:
    tests = ", ".join(dict.fromkeys(row["test"] for row in rows))
    counts = sorted({row["runs_compared"] for row in rows})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    family = rows[0]["comparisons"]
    corrected = f", Holm correction for {family} comparisons" if family > 1 else ""
    return f"{tests}, {seeds} seeds{corrected}, {100 * ALPHA:.0f} % level"


def _power(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The smallest difference that these seeds can detect, and the number of seeds to detect the observed one."""
    known = [row for row in rows if row["detectable"] is not None]
    lines = []
    if known:
        ends = sorted(row["detectable"] for row in known)
        span = f"{ends[0]:.2g}" if f"{ends[0]:.2g}" == f"{ends[-1]:.2g}" else f"{ends[0]:.2g} to {ends[-1]:.2g}"
        lines.append(
            f"the smallest difference that these seeds show with power {POWER} is {span} {known[0]['metric']}"
            + (", depending on the cell" if " to " in span else "")
        )
    open_ = [row for row in known if row["verdict"] == EQUAL]
    if open_:
        needed = ", ".join(f"{_label(row)} {_seeds(row)} (difference {row['difference']:+.2g})" for row in open_)
        lines.append(f"seeds needed to tell the observed difference, if it is the true one: {needed}")
    return lines


def _seeds(row: dict[str, Any]) -> str:
    if row["seeds_needed"] is None:
        return f"more than {MOST_SEEDS}"
    # The estimate of the spread from few seeds is rough: a run may be lucky with fewer, but none are promised.
    return str(row["seeds_needed"])


def _label(row: dict[str, Any]) -> str:
    return with_values(row["cell"], row["by"])
