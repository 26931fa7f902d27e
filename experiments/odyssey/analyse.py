"""Compare the variants as the paper does: the top share of the trials of each, by Welch's t-test against vanilla.

python experiments/odyssey/analyse.py outputs/odyssey [--top 0.1] [--output experiments/odyssey]
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import ttest_ind

from lstmlab.study.runs import Run, read_runs
from lstmlab.tracking.tables import markdown_table

VANILLA = "peephole_lstm"
VARIANTS = {
    VANILLA: "V", "nig_lstm": "NIG", "nfg_lstm": "NFG", "nog_lstm": "NOG", "niaf_lstm": "NIAF", "noaf_lstm": "NOAF",
    "cifg_lstm": "CIFG", "lstm": "NP", "fgr_lstm": "FGR",
}  # fmt: skip


def top_values(runs: list[Run], cell: str, share: float) -> np.ndarray:
    """Test losses of the trials that are best on validation; diverged and failed trials rank last."""
    trials = [run for run in runs if run.cell == cell]
    ranked = sorted((run for run in trials if run.finished), key=lambda run: run.summary["validation"]["nll"])
    kept = ranked[: max(2, math.ceil(share * len(trials)))]
    return np.array([run.summary["test"]["nll"] for run in kept])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--top", type=float, default=0.1, help="share of a cell's trials that are compared")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    chosen = parser.parse_args()
    runs = read_runs([chosen.directory])
    top = {cell: top_values(runs, cell, chosen.top) for cell in VARIANTS}
    rows = []
    for cell, values in top.items():
        trials = [run for run in runs if run.cell == cell]
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
    print(markdown_table(columns, rows))
    draw(top, chosen.output / "variants.png")


def draw(top: dict[str, np.ndarray], path: Path) -> None:
    """The top trials of every variant, as in the paper's figure 3: boxes, and every trial as a point."""
    figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
    axes.boxplot(list(top.values()), showfliers=False, medianprops={"color": "black"})
    for place, values in enumerate(top.values(), 1):
        axes.plot(np.full(len(values), place), values, "o", color="C0", alpha=0.6, markersize=4)
    axes.axhline(np.median(top[VANILLA]), color="grey", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(1, len(top) + 1), [VARIANTS[cell] for cell in top])
    axes.set_ylabel("test negative log-likelihood (nats per step)")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
