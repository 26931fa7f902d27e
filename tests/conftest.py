"""Settings that must precede every import, and fixtures that all tests share."""

import os

# Keras chooses its backend, and W&B its mode, when first imported.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["WANDB_MODE"] = "offline"
os.environ["WANDB_SILENT"] = "true"

import jax
import pytest

# On accelerators, float32 products would otherwise run in TF32 or bfloat16: no tolerance here allows for that.
jax.config.update("jax_default_matmul_precision", "highest")


def pytest_collection_modifyitems(items):
    """Slow tests have an hour."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def x64():
    """The test runs in double precision."""
    with jax.enable_x64(True):
        yield
