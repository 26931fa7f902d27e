"""The end of a search: its best settings are trained again with fresh seeds, and evaluated on the test split.

The validation value of the best of many trials is too good, since luck has helped to choose it, and so would its test
value be on the same seeds. Selection and report are therefore apart: trials never see the test split.
"""

from __future__ import annotations

from collections.abc import Sequence

from hydra.plugins.launcher import Launcher

from lstmlab.launch.search_objective import objective_of_job
from lstmlab.launch.search_plan import TEST_KEY, Plan
from lstmlab.launch.search_record import Confirmation, Record
from lstmlab.printable import escaped
from lstmlab.study.searches import CONFIRM, run_folder


def confirm(plan: Plan, record: Record, launcher: Launcher, seeds: Sequence[str]) -> None:
    """Train the best setting of every combination with ``seeds``, as one population, in the folder ``confirm``.

    What has been confirmed by a search that is resumed is not run again.
    """
    chosen = record.confirm()
    if not chosen:
        return
    settings = "1 setting" if len(chosen) == 1 else f"{len(chosen)} settings"
    line = (
        f"confirming {settings} chosen on validation, with seeds that no trial has used ({', '.join(seeds)}); "
        f"these runs alone see the test split: {record.path.parent / CONFIRM}"
    )
    print(escaped(line), flush=True)
    jobs = [_overrides(plan, each, seed) for each in chosen for seed in seeds]
    first = sum(len(trial.jobs) for trial in record.trials)
    for number, result in enumerate(launcher.launch(jobs, initial_job_idx=first), start=first):
        objective_of_job(result, number)  # tells of those that failed


def _overrides(plan: Plan, chosen: Confirmation, seed: str) -> list[str]:
    fixed = [text for text in plan.fixed if text.lstrip("+").split("=")[0] != "seed"]
    values = chosen.combination | chosen.values | {TEST_KEY: "true", "seed": seed}
    place = f"hydra.sweep.subdir='{run_folder(chosen.index)}'"
    return [*fixed, *(f"{key}={value}" for key, value in values.items()), place]
