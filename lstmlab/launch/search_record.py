"""``search.json`` in the sweep's directory: all trials of a search, and the settings that are confirmed.

A stopped search is resumed from it.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lstmlab.launch.search_plan import Plan, SearchSettings
from lstmlab.launch.search_space import combinations
from lstmlab.launch.search_suggest import Drawn
from lstmlab.study.searches import FILE
from lstmlab.tracking.files import RunError, write_atomically
from lstmlab.tracking.plain import from_plain, to_plain

RUNNING, FINISHED, FAILED = "running", "finished", "failed"


@dataclass
class Trial:
    """Values tried for one combination, with every seed."""

    number: int
    combination: dict[str, str]
    values: dict[str, str]
    drawn: Drawn
    jobs: list[int]
    state: str = RUNNING
    objective: float | None = None
    objectives: list[float] = field(default_factory=list)
    directories: list[str | None] = field(default_factory=list)

    def finish(self, objectives: list[float], directories: list[str | None]) -> None:
        """Set the objective to the mean over seeds; the trial fails if one seed fails."""
        self.objectives, self.directories = objectives, directories
        mean = sum(objectives) / len(objectives)
        self.state = FINISHED if math.isfinite(mean) else FAILED
        self.objective = mean if math.isfinite(mean) else None


@dataclass(frozen=True)
class Confirmation:
    """The setting of a combination that is trained again with fresh seeds and evaluated on the test split."""

    index: int
    """of the combination"""
    combination: dict[str, str]
    values: dict[str, str]
    number: int
    """of the trial that found it"""
    trials: int
    """among which it was the best on validation"""


class Record:
    """The trials of a search in the order of their jobs, saved after every batch."""

    def __init__(self, directory: Path, plan: Plan, settings: SearchSettings, *, resume: bool) -> None:
        """Begin a search in ``directory``; ``resume`` reads the one that is there.

        Raises ``RunError`` when the directory holds another search, or one that may have no more trials since its
        choices are confirmed.
        """
        self.path = directory / FILE
        self.combinations = combinations(plan.grid)
        self.trials: list[Trial] = []
        self.confirmed: list[Confirmation] = []
        self._protocol = _protocol(plan, settings)
        if self.path.exists():
            if not resume:
                raise RunError(f"{self.path} is there already: add resume=true, or choose another hydra.sweep.dir")
            self._read()
            if self.confirmed and settings.trials * len(self.combinations) > len(self.trials):
                done = len(self.trials) // len(self.combinations)
                raise RunError(
                    f"{self.path}: the best of {done} trials are confirmed on the test split, after which more trials "
                    "would choose with a look at it: search in another hydra.sweep.dir"
                )

    def of(self, combination: dict[str, str]) -> list[Trial]:
        """The trials of one combination, in order."""
        return [trial for trial in self.trials if trial.combination == combination]

    def best(self, combination: dict[str, str]) -> Trial | None:
        """The finished trial with the smallest objective."""
        finished = [trial for trial in self.of(combination) if trial.objective is not None]
        return min(finished, key=lambda trial: trial.objective or 0.0, default=None)

    def confirm(self) -> list[Confirmation]:
        """The best settings, which are from now on the ones to confirm; none where every trial has failed."""
        if not self.confirmed:
            best = [(index, self.best(combination)) for index, combination in enumerate(self.combinations)]
            self.confirmed = [
                Confirmation(index, trial.combination, trial.values, trial.number, len(self.of(trial.combination)))
                for index, trial in best if trial is not None
            ]  # fmt: skip
            self.save()
        return self.confirmed

    def save(self) -> None:
        """Write the file atomically."""
        best = [trial for combination in self.combinations if (trial := self.best(combination))]
        content = {
            "protocol": self._protocol,
            "best": [_result(trial) for trial in best],
            "confirmed": [asdict(confirmation) for confirmation in self.confirmed],
            "trials": [asdict(trial) for trial in self.trials],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, json.dumps(to_plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def _read(self) -> None:
        try:
            content = from_plain(json.loads(self.path.read_text(encoding="utf-8")))
            before, trials = content["protocol"], [Trial(**trial) for trial in content["trials"]]
            confirmed = [Confirmation(**confirmation) for confirmation in content.get("confirmed", [])]
        except (OSError, ValueError, TypeError, KeyError):
            raise RunError(f"{self.path} is not the file of a search") from None
        for name, now in self._protocol.items():
            if before.get(name) != now:
                change = f"{name} {json.dumps(before.get(name))}, now {json.dumps(now)}"
                raise RunError(f"{self.path} is of another search ({change}): choose another hydra.sweep.dir")
        self.trials, self.confirmed = trials, confirmed


def _protocol(plan: Plan, settings: SearchSettings) -> dict[str, Any]:
    """What must be the same to resume a search; the number of trials and the batch size may change."""
    return {
        "overrides": [text for text in plan.fixed if not text.lstrip("+").startswith("resume=")],
        "combinations": plan.grid,
        "seeds": plan.seeds,
        "space": {key: {"kind": type(dim).__name__.lower(), **to_plain(dim)} for key, dim in plan.space.items()},
        "trials_evaluated_on": "validation",
        "sampler": settings.sampler,
        "seed": settings.seed,
    }


def _result(trial: Trial) -> dict[str, Any]:
    names = ("combination", "objective", "values", "number", "directories")
    return {name: getattr(trial, name) for name in names}
