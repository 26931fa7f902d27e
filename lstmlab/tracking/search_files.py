"""What those who write the files of a search and those who read them agree on; it imports nothing that takes long."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

FILE, CONFIRM = "search.json", "confirm"
"""the record of a search in the sweep's directory, and the folder beside it with the runs that confirm its choices"""
TARGET = "hydra_plugins.lstmlab.SearchSweeper"
"""the ``_target_`` of the sweeper in ``multirun.yaml``"""


def fresh_seeds(used: Iterable[str], count: int) -> list[str]:
    """The ``count`` smallest seeds that are not among ``used``: those of the runs that confirm."""
    taken = {int(seed) for seed in used}
    return [str(seed) for seed in itertools.islice((n for n in itertools.count() if n not in taken), count)]
