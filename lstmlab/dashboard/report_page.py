"""The report of ``lstmlab report`` on finished runs that are shown, made when somebody asks for it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from lstmlab.dashboard.run import FINISHED, Run
from lstmlab.tracking.files import RunError

MOST = 2000
"""runs of one report"""
_one_at_a_time = threading.Lock()


def report_address(runs: Iterable[Run]) -> str:
    """Where the report on the finished ones of these runs is; empty where there is none."""
    finished = [run.id for run in runs if run.state == FINISHED][:MOST]
    return f"/report?runs={'.'.join(finished)}" if finished else ""


def report(runs: Sequence[Run]) -> str:
    """The report as a page. Raises ``RunError`` where it cannot be made, which the message says in one line.

    The first one takes seconds longer: the comparison of runs is imported with it.
    """
    if not runs:
        raise RunError("none of these runs is there")
    from lstmlab.report.write import write_report

    with _one_at_a_time, tempfile.TemporaryDirectory() as place:
        path = write_report([run.directory for run in runs], Path(place) / "report.html")
        return path.read_text(encoding="utf-8")
