"""What docs/results.md says of a record: its result and whether the best baseline is beaten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmlab.study.statistics import FEWEST, clearly_less
from lstmlab.tasks.task import best_baseline
from lstmlab.tracking.tables import cell_text

NUMBERS = {1: "one seed: ranks nothing", 2: "two seeds: rank nothing"}


def test_text(record: Mapping[str, Any]) -> str:
    """The test metric with its intervals and the number of seeds."""
    metric, seeds = record["metric"], len(record["seeds"])
    found = record["test"][metric]
    text = f"{metric} **{cell_text(found['mean'])}**{bracket(found)}, " + NUMBERS.get(seeds, f"{seeds} seeds")
    if metric in record["binomial"]:
        chance = record["binomial"][metric]
        text += f"; {chance['examples']} examples{bracket(chance)}"
    return text


def baseline_text(record: Mapping[str, Any]) -> str:
    """The best baseline, and whether it is beaten: by the interval, or by the mean where there is none."""
    name, value = best_baseline(record["baselines"], record["goal"])
    text = f"{name} {cell_text(value)}"
    found = record["test"][record["metric"]]
    sign = 1 if record["goal"] == "min" else -1
    ends = [found["mean"]] if len(record["seeds"]) < FEWEST else [found["low"], found["high"]]
    wins = [clearly_less(sign * end, sign * value) for end in ends]
    if all(wins):
        return text
    losses = [clearly_less(sign * value, sign * end) for end in ends]
    return f"**lost to** {text}" if all(losses) else f"**not told apart from** {text}"


def bracket(interval: Mapping[str, Any]) -> str:
    """An interval in brackets; nothing where there is none."""
    if interval["low"] is None:
        return ""
    return f" [{cell_text(interval['low'])}, {cell_text(interval['high'])}]"
