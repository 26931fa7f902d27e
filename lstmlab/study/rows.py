"""The rows of a comparison: what is said of one setting, as plain values by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmlab.study.groups import Entry, Setting
from lstmlab.study.runs import FAILED, UNFINISHED, Run
from lstmlab.study.statistics import ESTIMATORS, clearly_less, improvement, named
from lstmlab.study.tuning import Chosen, losses
from lstmlab.study.verdicts import VERDICT
from lstmlab.tasks.task import best_baseline


def row_of(chosen: Chosen, reference: Chosen | None, statistic: str, verdict: dict[str, Any] | None) -> dict[str, Any]:
    """A chosen setting as plain values by column; ``value`` is of the split that ``split`` names.

    ``statistic`` names the estimator of ``value``, ``verdict`` is of :func:`lstmlab.study.verdicts.judged`.
    """
    entry, setting = chosen.entry, chosen.setting
    runs, ended = setting.finished, setting.ended
    first = runs[0].summary if runs else {}
    value = ESTIMATORS[statistic]([run.value for run in runs]) if runs else None
    solved = [run.summary["solved"] for run in runs if run.summary.get("solved")]
    has_threshold = any(run.summary.get("solved") is not None for run in runs)
    baseline, name = baseline_of(runs)
    better = None
    if reference is not None and ended and reference.setting.ended:
        better = improvement([losses(ended)], [losses(reference.setting.ended)])
    return {
        "task": entry.task,
        "task_settings": entry.task_settings,
        "cell": entry.cell,
        "by": entry.by,
        "parameters": first.get("parameters"),
        "hidden_size": first.get("hidden_size", runs[0].config.get("model.hidden_size")) if runs else None,
        "state_size": first.get("state_size"),
        "metric": first.get("metric"),
        "split": setting.runs[0].split,
        "goal": runs[0].goal if runs else None,
        "statistic": statistic,
        **named(value, "value", "low", "high"),
        "seeds": len(runs),
        "failed": sum(run.status == FAILED for run in setting.runs),
        "unfinished": sum(run.status == UNFINISHED for run in setting.runs),
        "baseline": baseline,
        "baseline_name": name,
        "learned": sum(_beats(run, baseline) for run in runs) if baseline is not None else None,
        "solved": len(solved) if has_threshold else None,
        "steps_to_solved": _median([s.get("step") for s in solved]),
        "seconds_to_solved": _median([s.get("seconds") for s in solved]),
        "steps_per_second": _median([run.summary.get("steps_per_second") for run in runs]),
        "host_memory": _median([memory_of(run, "host") for run in runs]),
        "device_memory": _median([memory_of(run, "device") for run in runs]),
        **named(better, "improvement", "improvement_low", "improvement_high"),
        "reference": reference.entry.label if reference else None,
        **(verdict or dict.fromkeys(VERDICT)),
        "settings_tried": chosen.trials or chosen.tried,
        "settings_compared": chosen.trials or chosen.compared,
        "setting": chosen.values,
        "values": _values(runs),
    }


def memory_of(run: Run, where: str) -> float | None:
    """The peak memory of a run's process in bytes, on the ``host`` or the ``device``; None where it is not known."""
    return (run.summary.get("peak_memory") or {}).get(where)


def setting_of(entry: Entry, setting: Setting, statistic: str) -> dict[str, Any]:
    """A setting, chosen or not, as plain values by column."""
    runs, estimate = setting.finished, ESTIMATORS[statistic]
    validation = [run.validation for run in runs if np.isfinite(run.validation)]
    return {
        "task": entry.task,
        "task_settings": entry.task_settings,
        "cell": entry.cell,
        "by": entry.by,
        "setting": setting.values,
        "split": setting.runs[0].split,
        "statistic": statistic,
        **named(estimate([run.value for run in runs]) if runs else None, "value", "low", "high"),
        "validation": estimate(validation).value if validation else None,
        "seeds": len(runs),
        "failed": sum(run.status == FAILED for run in setting.runs),
        "unfinished": sum(run.status == UNFINISHED for run in setting.runs),
        "values": _values(runs),
    }


def _values(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [
        {"seed": run.seed, "value": run.value, "validation": run.validation, "directory": str(run.directory)}
        for run in runs
    ]


def baseline_of(runs: Sequence[Run]) -> tuple[float | None, str | None]:
    """The best baseline of the first run's task, and its name; None twice where there is none."""
    baselines = runs[0].summary.get("baselines") if runs else None
    if not baselines:
        return None, None
    name, value = best_baseline(baselines, runs[0].goal)
    return value, name


def _beats(run: Run, baseline: float) -> bool:
    return clearly_less(run.value, baseline) if run.goal == "min" else clearly_less(baseline, run.value)


def _median(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return float(np.median(numbers)) if numbers else None
