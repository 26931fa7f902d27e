"""Small runs for the tests of training."""

import pytest
from small_runs import quick_programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """A folder of compiled programs that the tests of this session share."""
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module", autouse=True)
def quick(programs):
    """The tests of a module compile quickly."""
    with quick_programs(programs):
        yield
