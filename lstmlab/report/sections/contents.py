"""The sections of a report in their order."""

from __future__ import annotations

from lstmlab.report.blocks import Section
from lstmlab.report.collected import Collected
from lstmlab.report.sections.configuration import configuration
from lstmlab.report.sections.cost import cost
from lstmlab.report.sections.curves import curves
from lstmlab.report.sections.diagnostics import diagnostics
from lstmlab.report.sections.environment import environment, reproduce
from lstmlab.report.sections.media import media
from lstmlab.report.sections.question import question
from lstmlab.report.sections.results import baselines, left_out, over_tasks, results
from lstmlab.report.sections.search import search

_SECTIONS = (
    question, results, over_tasks, curves, cost, search, baselines, diagnostics, media, configuration, left_out,
    environment, reproduce,
)  # fmt: skip


def sections_of(collected: Collected) -> list[Section]:
    """All sections that have something to say."""
    return [section for make in _SECTIONS if (section := make(collected)).blocks]
