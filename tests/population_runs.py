"""Populations of tiny runs, and what it means that a member ran as if alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from small_runs import assert_same_bits, parameters, untimed

from lstmlab.config import Config
from lstmlab.tracking.files import read_metrics, read_summary
from lstmlab.training import Outcome, train_population
from lstmlab.training.compiled import CompiledRun

# What a summary says of clocks and company, not of the run.
AROUND = ("seconds", "steps_per_second", "peak_memory", "members", "git_revision", "solved", "devices")
# Lanes of vmap are the same sums in another order: a few units in the last place of float32 per step.
ROUNDING = {"rel": 2e-4, "abs": 1e-6}


def populate(configs: Sequence[Config], directory: Path, **settings: Any) -> list[Outcome]:
    """Train in silence, every run in a directory named by its position."""
    directories = [directory / str(index) for index in range(len(configs))]
    return train_population(configs, directories, progress=False, **settings)


def assert_ran_as(member: Path, alone: Path) -> None:
    """The same bits: parameters, every row, every result."""
    assert_same_bits(parameters(member), parameters(alone))
    assert untimed(read_metrics(member)) == untimed(read_metrics(alone))
    summaries = [{k: v for k, v in read_summary(where).items() if k not in AROUND} for where in (member, alone)]
    assert summaries[0]["status"] == "finished"
    assert summaries[0] == summaries[1]


def assert_ran_about_as(member: Path, alone: Path) -> None:
    """The same rows and results within rounding."""
    found, wanted = (untimed(read_metrics(where)) for where in (member, alone))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert a == pytest.approx(b, **ROUNDING)
    summaries = [read_summary(where) for where in (member, alone)]
    for key in ("status", "steps", "best_step"):
        assert summaries[0][key] == summaries[1][key]
    assert summaries[0]["test"] == pytest.approx(summaries[1]["test"], **ROUNDING)


def count_programs(monkeypatch: pytest.MonkeyPatch) -> list[CompiledRun]:
    """The programs that are made from now on; their ``_compiled`` says which functions were compiled for what."""
    made: list[CompiledRun] = []
    begin = CompiledRun.__init__

    def noted(self: CompiledRun, config: Config) -> None:
        begin(self, config)
        made.append(self)

    monkeypatch.setattr(CompiledRun, "__init__", noted)
    return made


def compilations(programs: CompiledRun, function: str) -> int:
    """How often a function was compiled."""
    names = [name for name, *_ in programs._compiled]
    return names.count(function)
