"""Weights that other libraries draw are the same in every run."""

import sys

import pytest


@pytest.fixture(autouse=True)
def same_draws():
    """Seeds of the libraries that a test file has imported, before each test."""
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(0)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
