"""Settings that must precede every import, and fixtures that all tests share."""

import contextlib
import ctypes
import gc
import os
from pathlib import Path

# Keras chooses its backend, and W&B its mode, when first imported.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["WANDB_MODE"] = "offline"
os.environ["WANDB_SILENT"] = "true"

import jax
import pytest
from battery import Case

MOST_BYTES = 3 << 30

# On accelerators, float32 products would otherwise run in TF32 or bfloat16: no tolerance here allows for that.
jax.config.update("jax_default_matmul_precision", "highest")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What is asked of every form of every cell takes minutes: all but the quick cases are slow tests, with an hour."""
    for item in items:
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if any(isinstance(v, Case) and not v.quick for v in values) and "test_against" not in item.path.name:
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """Thousands of compiled programs fill a machine's memory: a process that holds too many starts again without."""
    yield
    if resident_bytes() > MOST_BYTES:
        jax.clear_caches()
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):  # what is free goes back to the system, where glibc can
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def resident_bytes():
    """Memory of this process; 0 where the system does not say it in Linux's way."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


@pytest.fixture
def x64():
    """The test runs in double precision."""
    with jax.enable_x64(True):
        yield
