"""Compare the variants as the paper does: the top share of the trials of each, by Welch's t-test against vanilla.

Trials have validation values alone, on which the top is chosen too; a second table has the test values of the runs that
confirm the best setting of each variant with fresh seeds.

python experiments/odyssey/analyse.py outputs/odyssey [--top 0.1] [--output experiments/odyssey]
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import ttest_ind

from lstmlab.study.runs import VALIDATION, Run, read_runs
from lstmlab.tracking.tables import markdown_table

VANILLA = "peephole_lstm"
VARIANTS = {
    VANILLA: "V", "nig_lstm": "NIG", "nfg_lstm": "NFG", "nog_lstm": "NOG", "niaf_lstm": "NIAF", "noaf_lstm": "NOAF",
    "cifg_lstm": "CIFG", "lstm": "NP", "fgr_lstm": "FGR",
}  # fmt: skip


def top_values(trials: list[Run], share: float) -> np.ndarray:
    """Validation losses of the best trials of one cell; diverged and failed trials rank last."""
    ranked = sorted(run.validation for run in trials if run.finished)
    return np.array(ranked[: max(2, math.ceil(share * len(trials)))])


def confirmed_rows(runs: list[Run]) -> list[list[str]]:
    """Per variant the test losses of the runs that confirm its best setting."""
    rows = []
    for cell, name in VARIANTS.items():
        own = [run for run in runs if run.cell == cell and run.confirms]
        values = np.array([run.value for run in own if run.finished])
        if len(values):
            spread = f"{values.std(ddof=1):.3f}" if len(values) > 1 else "–"
            rows.append([name, cell, f"{len(values)}/{len(own)}", f"{values.mean():.3f}", spread])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--top", type=float, default=0.1, help="share of a cell's trials that are compared")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    chosen = parser.parse_args()
    runs = read_runs([chosen.directory])
    trials_of = {cell: [run for run in runs if run.cell == cell and run.split == VALIDATION] for cell in VARIANTS}
    few = [cell for cell, trials in trials_of.items() if sum(run.finished for run in trials) < 2]
    if few:
        sys.exit(f"{chosen.directory}: fewer than two finished trials with validation values alone of {', '.join(few)}")
    top = {cell: top_values(trials, chosen.top) for cell, trials in trials_of.items()}
    rows = []
    for cell, values in top.items():
        trials = trials_of[cell]
        p = math.nan if cell == VANILLA else ttest_ind(values, top[VANILLA], equal_var=False).pvalue
        parameters = int(np.median([run.summary["parameters"] for run in trials if run.finished]))
        rows.append([
            VARIANTS[cell], cell, f"{sum(run.finished for run in trials)}/{len(trials)}", str(len(values)),
            f"{values.min():.3f}", f"{values.mean():.3f}", "–" if math.isnan(p) else f"{p:.3f}",
            "" if math.isnan(p) or p >= 0.05 else ("better" if values.mean() < top[VANILLA].mean() else "worse"),
            str(parameters),
        ])  # fmt: skip
    columns = (
        "variant",
        "cell",
        "finished",
        "top trials",
        "best",
        "mean of top",
        "Welch p",
        "at 5 %",
        "median parameters",
    )
    print("Top trials, on validation:\n")
    print(markdown_table(columns, rows))
    if confirmed := confirmed_rows(runs):
        print("Best settings with fresh seeds, on test (lstmlab compare has intervals and verdicts):\n")
        print(markdown_table(("variant", "cell", "seeds", "mean", "standard deviation"), confirmed))
    draw(top, chosen.output / "variants.png")


def draw(top: dict[str, np.ndarray], path: Path) -> None:
    """The top trials of every variant, as in the paper's figure 3: boxes, and every trial as a point."""
    figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
    axes.boxplot(list(top.values()), showfliers=False, medianprops={"color": "black"})
    for place, values in enumerate(top.values(), 1):
        axes.plot(np.full(len(values), place), values, "o", color="C0", alpha=0.6, markersize=4)
    axes.axhline(np.median(top[VANILLA]), color="grey", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(1, len(top) + 1), [VARIANTS[cell] for cell in top])
    axes.set_ylabel("validation negative log-likelihood (nats per step)")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
