"""Which hyperparameters matter: the share of the metric's variance that each explains, by fANOVA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstmlab.study.groups import MISSING, contenders, differing, is_number
from lstmlab.study.runs import Run, read_runs
from lstmlab.study.tuning import losses
from lstmlab.tracking.files import RunError

REPEATS = 5  # forests, each from its own seed
_FEWEST = 4
_LOG_DECADES = 1.5


@dataclass(frozen=True)
class Importance:
    """Shares of variance, as plain values.

    ``rows`` has one entry per key, the most important first, with its ``importance`` and ``sd`` over forests;
    ``interactions`` is the share that no key explains alone. ``values`` are the validation metrics ``[runs]``, with
    ``settings`` the values of all keys; of failed runs, counted in ``failed``, the worst finite metric.
    """

    task: str
    cells: list[str]
    metric: str
    rows: list[dict[str, Any]]
    interactions: float
    failed: int
    left_out: int
    values: list[float]
    settings: list[dict[str, Any]]


def importance(directories: Sequence[str | Path], *, cell: str | None = None, task: str | None = None) -> Importance:
    """Which keys explain the differences of the validation metric among the runs of one task.

    Functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing
    Hyperparameter Importance", ICML) with Optuna: a random forest predicts the metric from the keys in which the runs
    differ; a key's importance is the variance of its marginal prediction, as a share of the whole. Numbers that are
    positive and span more than 1.5 decades count by their logarithm. A failed run has the worst finite metric, so
    that keys that make runs diverge matter; runs without an end are left out.

    Raises ``RunError`` for runs of several tasks, of an unknown cell or task, too few, or that differ in nothing;
    and where Optuna or scikit-learn is missing.
    """
    optuna = _optuna()
    ran, left_out = _selected(read_runs(directories), cell, task)
    finished = [run for run in ran if run.finished]
    if len(ran) < _FEWEST or not finished:
        raise RunError(
            f"importance needs at least {_FEWEST} runs that ended, one of them with a result: {len(ran)} here"
        )
    keys = differing(ran)
    if not keys:
        raise RunError(f"the {len(ran)} runs differ in no key but seed, name and place")
    lost = np.array(losses(ran, validation=True))
    worst = lost[np.isfinite(lost)].max()
    failed = ~np.isfinite(lost)
    lost[failed] = worst
    if np.ptp(lost) == 0:
        raise RunError(f"all {len(ran)} runs have the same validation metric, {abs(worst):.4g}")
    columns = {key: [run.config.get(key, MISSING) for run in ran] for key in keys}
    shares = _fanova(optuna, columns, lost)
    rows = [_row(key, columns[key], shares[:, i]) for i, key in enumerate(keys)]
    rows.sort(key=lambda row: -row["importance"])
    return Importance(
        task=ran[0].task,
        cells=list(dict.fromkeys(run.cell for run in ran)),
        metric=finished[0].summary["metric"],
        rows=rows,
        interactions=max(0.0, 1.0 - float(shares.sum(1).mean())),
        failed=int(failed.sum()),
        left_out=left_out,
        values=(-lost if finished[0].goal == "max" else lost).tolist(),
        settings=[{key: columns[key][i] for key in keys} for i in range(len(ran))],
    )


def on_log_scale(values: Sequence[Any]) -> bool:
    """Whether values count by their logarithm: positive numbers over more than 1.5 decades."""
    numbers = all(is_number(value) and value > 0 for value in values)
    return numbers and math.log10(max(values) / min(values)) > _LOG_DECADES


def _optuna() -> Any:
    try:
        import optuna
        import sklearn  # noqa: F401  (Optuna's forest; it would be missed much later)
    except ImportError as error:
        raise RunError(f"importance needs {error.name}: pip install lstmlab[search]") from None
    return optuna


def _selected(runs: Sequence[Run], cell: str | None, task: str | None) -> tuple[list[Run], int]:
    """The runs of one task (and cell) that ended and have a validation metric, and the number of the others."""
    for what, asked in (("task", task), ("cell", cell)):
        known = sorted({getattr(run, what) for run in runs})
        if asked is not None and asked not in known:
            raise RunError(f"--{what} {asked}: no run of this {what} ({what}s here: {', '.join(known) or 'none'})")
    runs = [run for run in runs if task in (None, run.task) and cell in (None, run.cell)]
    tasks = sorted({run.task for run in runs})
    if len(tasks) > 1:
        raise RunError(f"importance compares runs of one task, but here are {', '.join(tasks)}: choose with --task")
    # Of two runs of one setting and seed the newest counts, as in comparisons.
    current = [run for c in contenders(runs)[0] for setting in c.settings for run in setting.ended]
    judged = [run for run in current if not run.finished or math.isfinite(run.validation)]
    return judged, len(runs) - len(judged)


def _fanova(optuna: Any, columns: dict[str, list[Any]], lost: np.ndarray) -> np.ndarray:
    """Shares of variance ``[forests, keys]``."""
    coded = {key: _coded(optuna, values) for key, values in columns.items()}
    distributions = {key: distribution for key, (distribution, _) in coded.items()}
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study()
        for i, value in enumerate(lost):
            params = {key: values[i] for key, (_, values) in coded.items()}
            study.add_trial(optuna.create_trial(params=params, distributions=distributions, value=float(value)))
        forests = [
            optuna.importance.FanovaImportanceEvaluator(seed=seed).evaluate(study, params=list(columns))
            for seed in range(REPEATS)
        ]
    finally:
        optuna.logging.set_verbosity(verbosity)
    return np.array([[shares[key] for key in columns] for shares in forests])


def _coded(optuna: Any, values: list[Any]) -> tuple[Any, list[Any]]:
    """A key's distribution, and its values as that takes them."""
    if not all(map(is_number, values)):
        texts = [str(value) for value in values]
        return optuna.distributions.CategoricalDistribution(sorted(set(texts))), texts
    # Optuna's fANOVA integrates over the plain scale even of log distributions: so the logarithm is taken here.
    numbers = np.log10(values) if on_log_scale(values) else np.asarray(values, float)
    distinct = np.unique(numbers)
    # Half a gap more on either side gives every value of an even grid the same weight.
    margin = float(np.ptp(distinct)) / (2 * (len(distinct) - 1))
    low, high = float(distinct[0]) - margin, float(distinct[-1]) + margin
    return optuna.distributions.FloatDistribution(low, high), numbers.tolist()


def _row(key: str, values: list[Any], shares: np.ndarray) -> dict[str, Any]:
    numeric = all(map(is_number, values))
    scale = "choice" if not numeric else "log" if on_log_scale(values) else "linear"
    distinct = sorted(set(values)) if numeric else sorted(map(str, set(values)))
    return {
        "key": key,
        "importance": float(shares.mean()),
        "sd": float(shares.std(ddof=1)),
        "scale": scale,
        "lowest": distinct[0] if numeric else None,
        "highest": distinct[-1] if numeric else None,
        "distinct": len(distinct),
    }
