"""Whether scikit-learn is there; some baselines need it."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import sys


@functools.cache
def has_scikit_learn() -> bool:
    """Whether scikit-learn is installed. If it is not, the first call says on standard error what is left out."""
    found = importlib.util.find_spec("sklearn") is not None
    if not found:
        print(
            "lstmlab: scikit-learn is not installed: the baselines that need it are left out "
            "(pip install 'lstmlab[baselines]')",
            file=sys.stderr,
        )
    return found


def scikit_learn_version() -> str:
    """As baselines depend on it."""
    return importlib.metadata.version("scikit-learn")
