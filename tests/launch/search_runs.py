"""Searches without training: a launcher that computes objectives."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from lstmlab.launch.search import SearchSweeper
from lstmlab.launch.search_plan import SearchSettings

RATE = {"optimizer.learning_rate": "tag(log,interval(1e-4,1e-1))"}


def settings(**changed):
    """``hydra.sweeper`` with a learning rate to search."""
    values = {
        "sampler": "random", "trials": 6, "batch_size": 2, "seed": 0, "static_values": 0,
        "confirm_seeds": 0, "grid": [], "space": RATE,
    }  # fmt: skip
    return SearchSettings(**(values | changed))


class Launcher:
    """Answers jobs with ``objective(values)``; an exception it raises is that of the job."""

    def __init__(self, directory, objective, stop_before=None):
        self.directory, self.objective, self.stop_before = directory, objective, stop_before
        self.jobs = {}
        self.batches = []

    def launch(self, job_overrides, initial_job_idx):
        """The results of one batch; Ctrl-C before the batch ``stop_before`` has any."""
        self.batches.append(len(job_overrides))
        jobs = {initial_job_idx + i: list(overrides) for i, overrides in enumerate(job_overrides)}
        assert not jobs.keys() & self.jobs.keys()
        self.jobs |= jobs
        if len(self.batches) - 1 == self.stop_before:
            raise KeyboardInterrupt
        return [self._result(number, overrides) for number, overrides in jobs.items()]

    def _result(self, number, overrides):
        cfg = OmegaConf.create({"hydra": {"runtime": {"output_dir": str(self.directory / str(number))}}})
        result = JobReturn(overrides=overrides, hydra_cfg=cfg, status=JobStatus.COMPLETED)
        try:
            result.return_value = self.objective(values(overrides))
        except Exception as error:
            result.status, result.return_value, result.hydra_cfg = JobStatus.FAILED, error, None
        return result


def values(overrides):
    """Overrides by key; numbers are numbers."""
    found = dict(text.split("=", 1) for text in overrides)
    return {key: _number(value) for key, value in found.items()}


def _number(text):
    try:
        return float(text)
    except ValueError:
        return text


def search(directory, objective, *arguments, stop_before=None, resume=False, **changed):
    """Run one search; returns its launcher and the best trials."""
    sweeper = SearchSweeper(**vars(settings(**changed)))
    sweeper.hydra_context = SimpleNamespace(config_loader=None)
    fixed = [text for text in arguments if text.startswith("seed=") and "," not in text]
    seed = int(fixed[0].removeprefix("seed=")) if fixed else 0
    sweeper.config = OmegaConf.create({"hydra": {"sweep": {"dir": str(directory)}}, "resume": resume, "seed": seed})
    sweeper.launcher = launcher = Launcher(Path(directory), objective, stop_before)
    return launcher, sweeper.sweep(list(arguments))
