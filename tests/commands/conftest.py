"""Finished runs that the commands are given."""

import pytest
from small_runs import command, overrides, quick_programs


@pytest.fixture(scope="session")
def text_run(tmp_path_factory):
    """The directory of a tiny character model."""
    return finished(tmp_path_factory, "char_lm")


@pytest.fixture(scope="session")
def number_run(tmp_path_factory):
    """The directory of a run that has no text."""
    return finished(tmp_path_factory, "adding")


def finished(tmp_path_factory, task):
    directory = tmp_path_factory.mktemp(task)
    with quick_programs(tmp_path_factory):
        assert command(*overrides(task), f"hydra.run.dir={directory}").code == 0
    return directory
