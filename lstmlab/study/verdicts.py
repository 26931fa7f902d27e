"""Whether two cells can be told apart: a test of their seeds, corrected for the number of comparisons.

docs/statistics.md compares the tests by simulation: their errors when there is no difference, and their power.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import PermutationMethod, mannwhitneyu, nct, t, ttest_ind, ttest_rel, wilcoxon

from lstmlab.study.groups import Setting
from lstmlab.study.statistics import FEWEST, ROUNDING, Interval, clearly_less, named
from lstmlab.study.tuning import losses

ALPHA, POWER, MOST_SEEDS = 0.05, 0.8, 1000
BETTER, WORSE, EQUAL = "better", "worse", "not told apart"
VERDICT = (
    "paired", "runs_compared", "test", "p", "difference", "difference_low", "difference_high",
    "p_adjusted", "comparisons", "verdict", "detectable", "seeds_needed",
)  # fmt: skip
"""the entries of :func:`judged`"""


class Spread(NamedTuple):
    """How uncertain a difference of means is: from ``n`` seeds of each cell, or pairs of them, standard deviation
    ``sd`` of one difference; ``df`` gives the degrees of freedom for a number of seeds."""

    n: float
    sd: float
    paired: bool

    def df(self, n: float) -> float:
        """Degrees of freedom with ``n`` seeds."""
        return n - 1 if self.paired else 2 * n - 2


def versus(ours: Setting, theirs: Setting) -> dict[str, Any] | None:
    """The comparison of two cells' runs of one task as entries of a row; None where either has too few seeds.

    ``difference`` is that of the means, ours minus theirs, with a 95 % interval; ``p`` is of the test. Runs are paired
    by seed where both cells have the same seeds and data. Failed runs have no value but are worse than all others, so
    with them the test is one of ranks, and there is no ``difference``.
    """
    if min(len(ours.ended), len(theirs.ended)) < FEWEST:
        return None
    paired = _paired(ours, theirs)
    a, b = _by_seed(ours), _by_seed(theirs)
    x, y = np.array(list(a.values())), np.array([b[seed] for seed in a] if paired else list(b.values()))
    entries = {"paired": paired, "runs_compared": min(len(x), len(y))}
    if not np.isfinite([*x, *y]).all():
        name, p, sign = _ranks(x, y, paired)
        return entries | {"test": name, "p": p, "direction": sign, "spread": None} | _difference(None)
    sign = -1 if ours.finished[0].goal == "max" else 1
    value = float(x.mean() - y.mean())
    negligible = not (clearly_less(x.mean(), y.mean()) or clearly_less(y.mean(), x.mean()))
    sd = float(np.std(x - y, ddof=1) if paired else np.sqrt(np.var(x, ddof=1) + np.var(y, ddof=1)))
    if negligible or sd <= ROUNDING * abs(value):
        p, ends = float(negligible), (value, value)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of a cell whose seeds agree
            found: Any = ttest_rel(x, y) if paired else ttest_ind(x, y, equal_var=False)
        p, ends = float(found.pvalue), found.confidence_interval()
    low, high = sorted(sign * float(end) for end in ends)
    n = len(x) if paired else 2 / (1 / len(x) + 1 / len(y))
    name = "paired t test" if paired else "Welch's t test"
    direction = 0 if negligible else int(np.sign(value))
    own = {"test": name, "p": p, "direction": direction, "spread": Spread(n, sd, paired)}
    return entries | own | _difference(Interval(sign * value, low, high))


def judged(found: Sequence[dict[str, Any] | None], family: int | None = None) -> list[dict[str, Any] | None]:
    """The comparisons of one task with verdicts, and what more seeds could show.

    ``p_adjusted`` is corrected by Holm's method for all comparisons in ``found``, or for ``family`` of them.
    ``detectable`` is the smallest difference that these seeds show with power 0.8; ``seeds_needed`` of each cell show
    the observed difference with that power, if it is the true one (None where more than 1000 would be needed). Both
    use the strictest level of the correction, 0.05 / comparisons.
    """
    made = [each for each in found if each is not None]
    count = max(len(made), family or 0)
    adjusted = iter(holm([each["p"] for each in made] + [1.0] * (count - len(made))))
    return [None if each is None else _judged(each, next(adjusted), count) for each in found]


def holm(ps: Sequence[float]) -> list[float]:
    """P values corrected for multiple comparisons (Holm 1979)."""
    order = np.argsort(ps)
    stepped = np.maximum.accumulate([(len(ps) - i) * ps[k] for i, k in enumerate(order)]) if len(ps) else []
    return [min(1.0, float(p)) for _, p in sorted(zip(order, stepped, strict=True))]


def detectable(spread: Spread, alpha: float) -> float:
    """The true difference of means that a two-sided t test finds with power 0.8."""
    return _noncentrality(spread.df(spread.n), alpha) * spread.sd / np.sqrt(spread.n)


def seeds_needed(spread: Spread, difference: float, alpha: float) -> int | None:
    """The smallest number of seeds at which :func:`detectable` is at most ``difference``; None above 1000."""

    def enough(n: int) -> bool:
        return detectable(Spread(n, spread.sd, spread.paired), alpha) <= abs(difference)

    if not enough(MOST_SEEDS):
        return None
    low, high = FEWEST - 1, MOST_SEEDS  # enough(high), not enough(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _judged(found: dict[str, Any], p: float, comparisons: int) -> dict[str, Any]:
    spread, alpha = found["spread"], ALPHA / comparisons
    verdict = EQUAL if p >= ALPHA or not found["direction"] else BETTER if found["direction"] < 0 else WORSE
    return {key: value for key, value in found.items() if key not in ("spread", "direction")} | {
        "p_adjusted": p,
        "comparisons": comparisons,
        "verdict": verdict,
        "detectable": None if spread is None else float(detectable(spread, alpha)),
        "seeds_needed": None if spread is None else seeds_needed(spread, found["difference"], alpha),
    }


def _noncentrality(df: float, alpha: float) -> float:
    """That of the t distribution with which a two-sided test has power 0.8."""
    critical = t.isf(alpha / 2, df)

    def missing(nc: float) -> float:
        return POWER - float(nct.sf(critical, df, nc))

    return float(brentq(missing, 0.0, 10 * critical))  # pyright: ignore[reportArgumentType]


def _paired(ours: Setting, theirs: Setting) -> bool:
    """Whether both have the same seeds, and the same data where that is recorded."""
    a, b = ({run.seed: run.summary.get("data_hash") for run in each.ended} for each in (ours, theirs))
    return a.keys() == b.keys() and all(None in (a[seed], b[seed]) or a[seed] == b[seed] for seed in a)


def _by_seed(setting: Setting) -> dict[Any, float]:
    return dict(zip([run.seed for run in setting.ended], losses(setting.ended), strict=True))


def _ranks(x: np.ndarray, y: np.ndarray, paired: bool) -> tuple[str, float, int]:
    """A rank test with all permutations where they are few; its name, p and the sign of the difference."""
    method: Any = PermutationMethod(rng=np.random.default_rng(0))
    if not paired:
        found = mannwhitneyu(x, y, method=method)
        return "Mann–Whitney test", float(found.pvalue), int(np.sign(found.statistic - len(x) * len(y) / 2))
    with np.errstate(invalid="ignore"):
        differences = np.where(x == y, 0.0, x - y)
    finite = np.abs(differences[np.isfinite(differences)])
    largest = finite.max(initial=0.0) + 1.0
    differences = np.clip(differences, -largest, largest)
    if not differences.any():
        return "Wilcoxon test", 1.0, 0
    found: Any = wilcoxon(differences, zero_method="zsplit", method=method)
    n = len(differences)
    above: Any = wilcoxon(differences, zero_method="zsplit", alternative="greater", method=method)
    return "Wilcoxon test", float(found.pvalue), int(np.sign(above.statistic - n * (n + 1) / 4))


def _difference(interval: Interval | None) -> dict[str, float | None]:
    return named(interval, "difference", "difference_low", "difference_high")
