"""Hyperparameter search: ``lstmlab -m search=tpe cell=lstm,gru seed=0,1``.

:mod:`lstmlab.launch.search_plan` says what is compared, repeated and searched, :mod:`lstmlab.launch.search_space` how
ranges are written. Jobs go to Hydra's launcher in batches.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from lstmlab.config import ConfigError
from lstmlab.launch.leave import leave
from lstmlab.launch.search_confirm import confirm
from lstmlab.launch.search_objective import objective_of_job
from lstmlab.launch.search_plan import TEST_KEY, Plan, SearchSettings, read_plan, read_settings
from lstmlab.launch.search_record import FAILED, RUNNING, Record, Trial
from lstmlab.launch.search_suggest import Suggestions
from lstmlab.printable import escaped
from lstmlab.tracking.files import RunError
from lstmlab.tracking.search_files import fresh_seeds


class SearchSweeper(Sweeper):
    """Random search or TPE: an independent search for every combination. A failed trial does not stop the search."""

    def __init__(self, **settings: Any) -> None:
        """``settings`` are the keys of ``hydra.sweeper``; they are checked when the search starts."""
        self._settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra passes, and make the launcher."""
        self.hydra_context = hydra_context
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Trial | None]:
        """Search; returns the best trial of each combination, ``None`` where all failed."""
        assert self.hydra_context and self.config and self.launcher
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        directory = Path(self.config.hydra.sweep.dir)
        try:
            settings = read_settings(self._settings)
            plan = read_plan(settings, parser.parse_overrides(arguments))
            record = Record(directory, plan, settings, resume=bool(self.config.resume))
        except (ConfigError, RunError) as error:
            leave(error)
        directory.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, directory / "multirun.yaml")
        _Search(plan, settings, record, self.launcher).run()
        for line in _summary(record):
            print(escaped(line))
        if settings.confirm_seeds:
            seeds = fresh_seeds(plan.seeds or [str(self.config.seed)], settings.confirm_seeds)
            confirm(plan, record, self.launcher, seeds)
        return [record.best(combination) for combination in record.combinations]


class _Search:
    """The search loop: ask for trials, launch their jobs, report their objectives."""

    def __init__(self, plan: Plan, settings: SearchSettings, record: Record, launcher: Launcher) -> None:
        self._plan, self._settings, self._record, self._launcher = plan, settings, record, launcher
        self._seeds = [[f"seed={seed}"] for seed in plan.seeds] or [[]]
        self._searches = [Suggestions(plan.space, settings.sampler, settings.seed) for _ in record.combinations]
        for trial in record.trials:
            search = self._search_of(trial)
            search.replay(trial.drawn)
            if trial.state != RUNNING:
                search.tell(trial.number, _objective(trial))

    def run(self) -> None:
        """Run until every combination has its trials. Trials that an interrupt stopped come first."""
        while batch := [t for t in self._record.trials if t.state == RUNNING] or self._ask():
            jobs = [self._overrides(trial) + seed for trial in batch for seed in self._seeds]
            results = list(self._launcher.launch(jobs, initial_job_idx=batch[0].jobs[0]))
            for position, trial in enumerate(batch):
                start = position * len(self._seeds)
                of_trial = results[start : start + len(self._seeds)]
                objectives = [
                    objective_of_job(result, number) for result, number in zip(of_trial, trial.jobs, strict=True)
                ]
                trial.finish(objectives, [self._directory(result) for result in of_trial])
                self._search_of(trial).tell(trial.number, _objective(trial))
            self._record.save()

    def _ask(self) -> list[Trial]:
        """The next batch. It is saved before it runs, so that a resumed search runs it in the same directories."""
        done = len(self._record.trials) // len(self._record.combinations)
        numbers = range(done, min(done + self._settings.batch_size, self._settings.trials))
        batch = [self._new_trial(number, place) for number in numbers for place in range(len(self._searches))]
        self._record.trials.extend(batch)
        self._record.save()
        return batch

    def _new_trial(self, number: int, place: int) -> Trial:
        drawn = self._searches[place].ask(number)
        values = {key: dimension.text(drawn[key]) for key, dimension in self._plan.space.items()}
        first = (number * len(self._searches) + place) * len(self._seeds)
        jobs = list(range(first, first + len(self._seeds)))
        return Trial(number, self._record.combinations[place], values, drawn, jobs)

    def _overrides(self, trial: Trial) -> list[str]:
        values = trial.combination | trial.values | {TEST_KEY: "false"}
        return self._plan.fixed + [f"{key}={value}" for key, value in values.items()]

    def _search_of(self, trial: Trial) -> Suggestions:
        return self._searches[self._record.combinations.index(trial.combination)]

    def _directory(self, result: JobReturn) -> str | None:
        # A job that could not be composed has no directory.
        if result.hydra_cfg is None:
            return None
        return os.path.relpath(result.hydra_cfg.hydra.runtime.output_dir, self._record.path.parent)


def _objective(trial: Trial) -> float:
    return math.inf if trial.objective is None else trial.objective


def _summary(record: Record) -> list[str]:
    """One line per combination."""
    lines = []
    for combination in record.combinations:
        trials = record.of(combination)
        failed = sum(trial.state == FAILED for trial in trials)
        counts = f"{len(trials)} trials" + (f", {failed} failed" if failed else "")
        name = " ".join(f"{key}={value}" for key, value in combination.items())
        best = record.best(combination)
        if best is None:
            outcome = "none has a result"
        else:
            values = " ".join(f"{key}={value}" for key, value in best.values.items())
            places = ", ".join(str(directory) for directory in best.directories)
            outcome = f"best objective {best.objective:.6g} with {values} ({places})"
        lines.append(f"search{' ' + name if name else ''}: {counts}; {outcome}")
    return [*lines, f"written to {record.path}"]
