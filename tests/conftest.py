"""Settings that must precede every import, and fixtures that all tests share."""

import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path

from quick_xla import programs_folder, quick_flags

# Keras chooses its backend, and W&B its mode, when first imported.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["WANDB_MODE"] = "offline"
os.environ["WANDB_SILENT"] = "true"

# Slow tests train for minutes: they are better off with what users have. Workers find the flags in the environment.
if "XLA_FLAGS" not in os.environ and "not slow" in " ".join(sys.argv):
    os.environ["XLA_FLAGS"] = quick_flags()

import jax
import jaxtyping
import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig

# The shapes and types that annotations promise are checked at every call, which costs only while JAX traces.
jaxtyping.install_import_hook(["lstmlab.cells", "lstmlab.recurrence", "lstmlab.models"], "beartype.beartype")

# Hydra copies its whole store, with every cell and task, for each composition; it changes neither, and copies again
# what it takes out. Without that a composition takes half the time.
ConfigStore.__deepcopy__ = lambda self, memo: self

# On accelerators, float32 products would otherwise run in TF32 or bfloat16: no tolerance here allows for that.
jax.config.update("jax_default_matmul_precision", "highest")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What is asked of every form of every cell takes minutes: all but the quick cases are slow tests, with an hour.

    To run backwards is the unrolling's part: the representative cells do it every time, the others in slow tests. That
    its backends agree is tested of every cell; what else they are asked is asked of the one that training would take,
    and of the others in slow tests.
    """
    from battery import Case, preferred, representative  # not above: pytest-xdist's first process collects nothing

    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        cases = [value for value in params.values() if isinstance(value, Case)]
        if any(not case.quick for case in cases) and "test_against" not in item.path.name:
            item.add_marker(pytest.mark.slow)
        if params.get("reverse") is True and any(not representative(case.name) for case in cases):
            item.add_marker(pytest.mark.slow)
        if "test_backends_agree" not in item.path.name and any(
            params["backend"] is not preferred(case) and not representative(case.name)
            for case in cases
            if "backend" in params
        ):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3600))


class Programs:
    """Compiled programs of this process, dropped when they fill too much memory.

    Each takes several memory maps, of which Linux allows 65 530 per process; at the limit XLA ends with a segmentation
    fault, at about 7 GB here. They are dropped long before.
    """

    most_bytes = 3 << 30
    floor = 0

    @classmethod
    def drop(cls):
        import shared_programs  # as above

        shared_programs.forget()
        jax.clear_caches()
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):  # what is free goes back to the system, where glibc can
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        cls.floor = resident_bytes()


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """What this run of the tests has compiled lies on disk: for all workers, and for one that dropped its programs."""
    jax.config.update("jax_compilation_cache_dir", str(programs_folder(tmp_path_factory)))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


@pytest.fixture(autouse=True)
def few_programs():
    """After thousands of tests as after the first."""
    yield
    if resident_bytes() > Programs.floor + Programs.most_bytes:
        Programs.drop()


@pytest.fixture(autouse=True)
def hydra_forgets():
    """The configuration that Hydra keeps in a process would reach the next test."""
    hydra = HydraConfig.instance()
    before = hydra.cfg
    yield
    hydra.cfg = before


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


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Of the baseline of boosted trees, which every run of a forecaster fits: full size takes up to a minute."""
    monkeypatch.setattr("lstmlab.tasks.series.boosted_forecaster.MOST_TREES", 3)
