"""Commands run in a folder of their own, and compile quickly."""

import pytest
from small_runs import quick_programs


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    """The tests of a module compile quickly."""
    with quick_programs(tmp_path_factory):
        yield


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory of every test is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
