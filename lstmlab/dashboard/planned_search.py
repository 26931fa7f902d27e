"""The jobs of a search that have not begun: drawn trials, trials still to be drawn, and the runs that confirm.

``search.json`` holds the trials drawn so far; the configuration of the search, in ``multirun.yaml``, how many there
will be. A trial that is not drawn yet has a combination and seeds, and no values.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lstmlab.dashboard.planned_job import Job, Planned, assignments
from lstmlab.tracking.plain import from_plain
from lstmlab.tracking.search_files import FILE, fresh_seeds

_RUNNING = "running"


def planned_trials(sweep: Path, config: Mapping[str, Any], most: int) -> list[Planned]:
    """The jobs of a search without those of the trials that have ended, at most ``most``.

    ``config`` is that of ``multirun.yaml``. Raises ``OSError`` where there is no ``search.json``, and ``ValueError``,
    ``KeyError``, ``TypeError`` or ``AttributeError`` where it is not the file of a search.
    """
    record = from_plain(json.loads((sweep / FILE).read_text(encoding="utf-8")))
    sweeper, protocol = config["hydra"]["sweeper"], record["protocol"]
    fixed, seeds = tuple(map(str, protocol["overrides"])), [str(seed) for seed in protocol["seeds"]]
    grid: Mapping[str, list[str]] = protocol["combinations"]
    combinations = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    repeats = [{"seed": seed} for seed in seeds] or [{}]
    trials = _trials(record["trials"], fixed, combinations, repeats, int(sweeper["trials"]))
    first = list(itertools.islice(trials, most))
    fresh = [{"seed": seed} for seed in fresh_seeds(seeds or [str(config["seed"])], int(sweeper["confirm_seeds"]))]
    confirmed = record.get("confirmed") or (combinations if first else [])
    return [*first, *_confirmations(confirmed, fixed, fresh)][:most]


def _trials(
    drawn: Iterable[Mapping[str, Any]],
    fixed: Job,
    combinations: list[dict[str, str]],
    repeats: list[dict[str, str]],
    number_of_trials: int,
) -> Iterable[Planned]:
    begun = 0
    for trial in drawn:
        begun = max(begun, trial["number"] + 1)
        if trial["state"] == _RUNNING:
            values = trial["combination"] | trial["values"]
            for seed in repeats:
                job = (*fixed, *assignments(values | {"training.test": "false"} | seed))
                yield Planned(job, f"trial {trial['number']}: {' '.join(assignments(values | seed))}")
    for number in range(begun, number_of_trials):
        for combination, seed in itertools.product(combinations, repeats):
            known = assignments(combination | seed)
            yield Planned((*fixed, *known), " ".join([f"trial {number}:", *known, "(values not drawn yet)"]))


def _confirmations(chosen: Iterable[Mapping[str, Any]], fixed: Job, seeds: list[dict[str, str]]) -> Iterable[Planned]:
    """The runs of the best settings: each is an entry of ``confirmed``, or a combination that has no best one yet."""
    kept = tuple(text for text in fixed if text.lstrip("+").split("=")[0] != "seed")
    for each, seed in itertools.product(chosen, seeds):
        known = "values" in each
        values = each["combination"] | each["values"] if known else dict(each)
        job = (*kept, *assignments(values | {"training.test": "true"} | seed))
        shown = ["confirm:", *assignments(values | seed), *([] if known else ["(setting not chosen yet)"])]
        yield Planned(job, " ".join(shown))
