"""Which hyperparameters matter: the share of the metric's variance that each explains, by fANOVA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmlab.study.groups import MISSING, differing, entries_of, is_number
from lstmlab.study.interactions import interactions_of, one_hot
from lstmlab.study.runs import VALIDATION, ConfigValue, Run, read_runs
from lstmlab.study.statistics import clearly_less
from lstmlab.study.tuning import losses
from lstmlab.tracking.files import RunError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

REPEATS = 5  # forests, each from its own seed
PERMUTATIONS = 3  # of the targets, for the noise floor
_FEWEST = 4
_LOG_DECADES = 1.5


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of the validation metric."""

    task: str
    cells: list[str]
    metric: str
    rows: list[dict[str, Any]]
    """one per key, the most important first, with its ``importance``, ``sd`` over forests, and the noise ``floor``"""
    interactions: float | None
    """the share that keys explain only together; None where the runs are too few to tell"""
    failed: int
    """runs that failed and count with the worst finite metric"""
    left_out: int
    values: list[float]
    """validation metrics ``[runs]``"""
    settings: list[dict[str, ConfigValue]]
    """the values of all keys ``[runs]``"""


def importance(directories: Sequence[str | Path], *, cell: str | None = None, task: str | None = None) -> Importance:
    """Which keys explain the differences of the validation metric among the runs of one task.

    Functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing
    Hyperparameter Importance", ICML) with Optuna: a random forest predicts the metric from the keys in which the runs
    differ; a key's importance is the variance of its marginal prediction, as a share of the whole. Numbers that are
    positive and span more than 1.5 decades count by their logarithm. A failed run has the worst finite metric, so
    that keys that make runs diverge matter; runs that have not ended are left out, and so are those with test values
    where others have none: they confirm what a search has found.

    The ``floor`` of a key is the largest importance that such forests give it where the metric is permuted, so that no
    key matters. The interactions are not the rest of the forest's variance, which noise and the steps of trees fill
    too: :func:`lstmlab.study.interactions.interactions_of`.

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
    targets = np.array(losses(ran, validation=True))
    failed = ~np.isfinite(targets)
    worst = targets[~failed].max()
    targets[failed] = worst
    # What differs by rounding alone, such as sums in another order, has no variance to explain.
    if not clearly_less(targets.min(), targets.max()):
        raise RunError(f"all {len(ran)} runs have the same validation metric, {abs(worst):.4g}")
    columns = {key: [run.config.get(key, MISSING) for run in ran] for key in keys}
    shares, rng = _fanova(optuna, columns, targets, REPEATS), np.random.default_rng(0)
    permuted = [_fanova(optuna, columns, rng.permutation(targets), 1)[0] for _ in range(PERMUTATIONS)]
    floors = np.max(permuted, axis=0)
    rows = [_row(key, columns[key], shares[:, i], float(floors[i])) for i, key in enumerate(keys)]
    rows.sort(key=lambda row: -row["importance"])
    return Importance(
        task=ran[0].task,
        cells=list(dict.fromkeys(run.cell for run in ran)),
        metric=finished[0].summary["metric"],
        rows=rows,
        interactions=interactions_of(_features(columns), targets),
        failed=int(failed.sum()),
        left_out=left_out,
        values=(-targets if finished[0].goal == "max" else targets).tolist(),
        settings=[{key: columns[key][i] for key in keys} for i in range(len(ran))],
    )


def on_log_scale(values: Sequence[ConfigValue]) -> bool:
    """Whether values count by their logarithm: positive numbers over more than 1.5 decades."""
    numbers = [value for value in values if is_number(value) and value > 0]
    return len(numbers) == len(values) and math.log10(max(numbers) / min(numbers)) > _LOG_DECADES


def _optuna() -> ModuleType:
    try:
        import optuna
        import sklearn  # noqa: F401  (Optuna imports it for its forest, but only much later)
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
    # Runs that confirm the choice of a search are many of one setting, which was not drawn from the ranges.
    every, runs = len(runs), [run for run in runs if run.split == VALIDATION] or runs
    # Of two runs of one setting and seed the newest counts, as in comparisons.
    current = [run for entry in entries_of(runs)[0] for setting in entry.settings for run in setting.ended]
    usable = [run for run in current if not run.finished or math.isfinite(run.validation)]
    return usable, every - len(usable)


def _fanova(optuna: ModuleType, columns: dict[str, list[ConfigValue]], targets: np.ndarray, repeats: int) -> np.ndarray:
    """Shares of the variance of ``targets`` ``[forests, keys]``."""
    encoded = {key: _encoded(optuna, values) for key, values in columns.items()}
    distributions = {key: distribution for key, (distribution, _) in encoded.items()}
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study()
        for i, value in enumerate(targets):
            params = {key: values[i] for key, (_, values) in encoded.items()}
            study.add_trial(optuna.create_trial(params=params, distributions=distributions, value=float(value)))
        forests = [
            optuna.importance.FanovaImportanceEvaluator(seed=seed).evaluate(study, params=list(columns))
            for seed in range(repeats)
        ]
    finally:
        optuna.logging.set_verbosity(verbosity)
    return np.array([[shares[key] for key in columns] for shares in forests])


def _encoded(optuna: ModuleType, values: list[ConfigValue]) -> tuple[BaseDistribution, list[str] | list[float]]:
    """Optuna's distribution of a key, and the key's values in the form that it takes."""
    numeric = [value for value in values if is_number(value)]
    if len(numeric) < len(values):
        texts = [str(value) for value in values]
        return optuna.distributions.CategoricalDistribution(sorted(set(texts))), texts
    # Optuna's fANOVA integrates over the linear scale even for log distributions, so the logarithm is taken here.
    numbers = np.log10(numeric) if on_log_scale(values) else np.asarray(numeric, float)
    distinct = np.unique(numbers)
    # Half a step more at either end gives every value of an evenly spaced grid the same weight.
    margin = float(np.ptp(distinct)) / (2 * (len(distinct) - 1))
    low, high = float(distinct[0]) - margin, float(distinct[-1]) + margin
    return optuna.distributions.FloatDistribution(low, high), numbers.tolist()


def _features(columns: dict[str, list[ConfigValue]]) -> np.ndarray:
    """The keys as numbers ``[runs, features]``: logarithms where they count, a column per choice."""
    parts = []
    for values in columns.values():
        numbers = [value for value in values if is_number(value)]
        if len(numbers) < len(values):
            parts.append(one_hot([str(value) for value in values]))
        else:
            parts.append(np.asarray(np.log10(numbers) if on_log_scale(values) else numbers, float)[:, None])
    return np.concatenate(parts, axis=1)


def _row(key: str, values: list[ConfigValue], shares: np.ndarray, floor: float) -> dict[str, Any]:
    distinct = set(values)
    numbers = sorted(value for value in distinct if is_number(value))
    numeric = len(numbers) == len(distinct)
    scale = "choice" if not numeric else "log" if on_log_scale(values) else "linear"
    return {
        "key": key,
        "importance": float(shares.mean()),
        "sd": float(shares.std(ddof=1)),
        "floor": floor,
        "scale": scale,
        "lowest": numbers[0] if numeric else None,
        "highest": numbers[-1] if numeric else None,
        "distinct": len(distinct),
    }
