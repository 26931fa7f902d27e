"""What every test of the gauntlet has: dice with a seed that is printed, a limit of time, and counts of what was tried.

GAUNTLET_MINUTES is the time of each test, GAUNTLET_SEED repeats one that failed.
"""

import os
import random
import time
from collections import Counter

import pytest

MINUTES = float(os.environ.get("GAUNTLET_MINUTES", "2"))


@pytest.fixture
def dice():
    """The dice of a test; the seed is printed."""
    seed = int(os.environ.get("GAUNTLET_SEED", random.SystemRandom().randrange(10**6)))
    print(f"\nGAUNTLET_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def rounds():
    """Numbers until the time is over; at least one."""

    def count():
        ends, number = time.monotonic() + 60 * MINUTES, 0
        while number == 0 or time.monotonic() < ends:
            yield number
            number += 1

    return count()


@pytest.fixture
def tried():
    """Counts what was tried, and prints it at the end."""
    counts = Counter()
    yield counts
    for what, times in sorted(counts.items()):
        print(f"{times:5d}  {what}")
