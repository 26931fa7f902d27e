"""A job of a sweep or search that may not have begun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Job = tuple[str, ...]
"""the overrides of a job, such as ``("cell=lstm", "seed=0")``"""


class Planned(NamedTuple):
    """A job with the name under which it is shown while it waits."""

    job: Job
    name: str


def assignments(values: Mapping[str, str]) -> list[str]:
    """Values by key as overrides."""
    return [f"{key}={value}" for key, value in values.items()]


def without(planned: Iterable[Planned], begun: Iterable[Job]) -> list[Planned]:
    """The jobs that are not among those that have begun."""
    gone = set(map(_settings, begun))
    return [each for each in planned if _settings(each.job) not in gone]


def _settings(job: Job) -> Job:
    """The overrides that say what is run: a sweep that goes on after an interrupt has ``resume=true`` besides."""
    return tuple(text for text in job if not text.lstrip("+").startswith(("resume=", "hydra.")))
