"""Small runs for the tests of training."""

import pytest
from small_runs import quick_programs


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    """The tests of a module compile quickly."""
    with quick_programs(tmp_path_factory):
        yield
