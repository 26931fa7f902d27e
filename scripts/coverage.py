"""How often do 95 % intervals hold the truth, and tests of two cells err, with few seeds? A simulation.

    python scripts/coverage.py            all candidates, some minutes: writes docs/bench/coverage.json and the
                                          tables of docs/statistics.md
    python scripts/coverage.py --quick    a few simulations of each: does everything run? writes nothing

Runs are drawn from known laws, so that the mean, the interquartile mean and the probability of improvement are known.
An interval is counted where it has two ends; so are all with at least two runs that did not fail.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from coverage_candidates import IMPROVEMENTS, MEANS
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu, trim_mean, ttest_ind, ttest_rel, wilcoxon

from lstmlab.tracking.tables import markdown_table

SEEDS = (2, 3, 5, 8, 12, 20, 30)
TRUTHS = (0.5, 0.7, 0.9, 0.97)
FAILING = 0.15
DOCS = Path(__file__).parents[1] / "docs"
START, END = "<!-- scripts/coverage.py writes what follows -->", "<!-- and ends here -->"

Law = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
LAWS: dict[str, Law] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "log-normal, σ = 0.5": lambda rng, shape: rng.lognormal(0.0, 0.5, shape),
    "log-normal, σ = 1": lambda rng, shape: rng.lognormal(0.0, 1.0, shape),
    "bimodal, 1 of 4 stuck": lambda rng, shape: (rng.random(shape) < 0.25) + rng.normal(0.0, 0.1, shape),
}
FAILS = f"normal, {100 * FAILING:.0f} % fail"


def means(simulations: int) -> list[dict[str, Any]]:
    """Coverage of intervals of the mean and of the interquartile mean."""
    rows = []
    for name, law in (LAWS | {FAILS: LAWS["normal"]}).items():
        rng = np.random.default_rng(1)
        many = law(rng, (1_000_000,))
        truth = {"mean": many.mean(), "IQM": trim_mean(many, 0.25)}
        for n in SEEDS:
            x = law(rng, (simulations, n))
            left = rng.binomial(n, 1 - FAILING, simulations) if name == FAILS else np.full(simulations, n)
            for method, interval in MEANS.items():
                # A run fails whatever its value would be: the first ``left`` of a row are as good as any.
                ends = [interval(x[left == k, :k]) for k in range(2, n + 1) if (left == k).any()]
                low, high = (np.concatenate(parts) for parts in zip(*ends, strict=True))
                rows.append({"law": name, "seeds": n, "method": method, **_held(low, high, truth[method.split()[-1]])})
    return rows


def improvements(simulations: int) -> list[dict[str, Any]]:
    """Coverage of intervals of the probability that a run of one cell is better than one of another."""
    rows = []
    for name, law in (LAWS | {FAILS: LAWS["normal"]}).items():
        fails = FAILING if name == FAILS else 0.0
        for wanted in TRUTHS:
            rng = np.random.default_rng(2)
            shift = 0.0 if wanted == 0.5 else _shift(law, wanted)
            a, b = _failing(law(rng, (4000, 1)), fails, rng), _failing(law(rng, (1, 4000)) + shift, fails, rng)
            truth = float(np.where(a == b, 0.5, a < b).mean()) if shift else 0.5  # both laws are the same
            for n in SEEDS:
                x = _failing(law(rng, (simulations, n)), fails, rng)
                y = _failing(law(rng, (simulations, n)) + shift, fails, rng)
                rows += [
                    {"law": name, "truth": wanted, "seeds": n, "method": method, **_held(*interval(x, y), truth)}
                    for method, interval in IMPROVEMENTS.items()
                ]
    return rows


def tests(simulations: int) -> list[dict[str, Any]]:
    """Share of simulations with p < 0.05, for cells whose means differ by a given number of standard deviations."""
    rows = []
    for name, bend in (("normal", lambda z: z), ("log-normal, σ = 0.5", lambda z: np.exp(0.5 * z))):
        scale = bend(np.random.default_rng(0).normal(size=100_000)).std()
        for correlation in (0.0, 0.6):
            for difference in (0.0, 1.5):
                rng = np.random.default_rng(3)
                for n in SEEDS[1:6]:
                    shared, own = rng.normal(size=(simulations, n, 1)), rng.normal(size=(simulations, n, 2))
                    z = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
                    x, y = bend(z[..., 0]), bend(z[..., 1]) + difference * scale
                    ps: dict[str, Any] = {
                        "paired t": np.asarray(ttest_rel(x, y, axis=1))[1],
                        "Wilcoxon": np.asarray(wilcoxon(x, y, axis=1))[1],
                        "Welch": np.asarray(ttest_ind(x, y, axis=1, equal_var=False))[1],
                        "Mann–Whitney": np.asarray(mannwhitneyu(x, y, axis=1, method="exact"))[1],
                    }
                    rows += [
                        {"law": name, "correlation": correlation, "difference": difference, "seeds": n,
                         "method": method, "found": float((p < 0.05).mean())}
                        for method, p in ps.items()
                    ]  # fmt: skip
    return rows


def report(found: dict[str, Any]) -> str:
    """The three tables."""
    counts = [str(n) for n in SEEDS]
    parts = [f"Intervals that hold the mean or IQM, of {found['simulations']} (bootstraps: 500), by seeds:\n"]
    parts.append(_table(found["means"], ("law", "method"), "covered", counts))
    parts.append("Intervals that hold P(better), by its true value:\n")
    parts.append(_table(found["improvements"], ("law", "truth", "method"), "covered", counts))
    parts.append("Tests: share of simulations with p < 0.05, by the true difference in standard deviations:\n")
    keys = ("law", "correlation", "difference", "method")
    parts.append(_table(found["tests"], keys, "found", counts[1:6]))
    return "\n".join(parts)


def _table(rows: list[dict[str, Any]], keys: tuple[str, ...], value: str, counts: list[str]) -> str:
    lines: dict[tuple, dict[str, str]] = {}
    for row in rows:
        lines.setdefault(tuple(str(row[key]) for key in keys), {})[str(row["seeds"])] = f"{row[value]:.3f}"
    return markdown_table([*keys, *counts], [[*key, *(line[n] for n in counts)] for key, line in lines.items()])


def _held(low: np.ndarray, high: np.ndarray, truth: float) -> dict[str, float]:
    return {
        "covered": float(((low <= truth) & (truth <= high)).mean()),
        "median_width": float(np.median(high - low)),
    }


def _shift(law: Law, wanted: float) -> float:
    """How much worse the other cell must be for this probability of improvement."""
    rng = np.random.default_rng(4)
    a, b = law(rng, (3000, 1)), law(rng, (1, 3000))
    return float(brentq(lambda shift: (a < b + shift).mean() - wanted, 0.0, 20.0))  # pyright: ignore


def _failing(values: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(values.shape) < share, np.inf, values)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few simulations; nothing is written")
    simulations = 30 if parser.parse_args().quick else 2000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows of equal values
        found = {"simulations": simulations} | {f.__name__: f(simulations) for f in (means, improvements, tests)}
    text = report(found)
    print(text)
    if simulations < 2000:
        return
    path = DOCS / "bench" / "coverage.json"
    path.write_text(json.dumps(found).replace('"inf"', "null").replace("Infinity", "null") + "\n")
    page = DOCS / "statistics.md"
    before, rest = page.read_text(encoding="utf-8").split(START)
    page.write_text(f"{before}{START}\n\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
