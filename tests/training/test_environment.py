"""Where a run ran, and where compiled programs are kept."""

import re
from pathlib import Path

import jax
import pytest

from lstmlab.training import environment


@pytest.fixture
def settings():
    """JAX's settings are put back after the test."""
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: jax.config.values[name] for name in names}
    yield lambda name: jax.config.values[name]
    for name, value in before.items():
        jax.config.update(name, value)


def test_programs_are_kept_where_the_environment_says(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("LSTMLAB_CACHE_DIR", str(tmp_path))
    environment.use_compilation_cache()
    assert settings("jax_compilation_cache_dir") == str(tmp_path)
    assert settings("jax_persistent_cache_min_compile_time_secs") <= 0.5


def test_otherwise_they_are_kept_in_the_users_cache(settings, monkeypatch):
    monkeypatch.delenv("LSTMLAB_CACHE_DIR")
    environment.use_compilation_cache()
    assert Path(settings("jax_compilation_cache_dir")).parts[-2:] == ("lstmlab", "programs")


def test_the_description_names_device_versions_and_code():
    described = environment.describe_environment()
    assert described["device"].startswith(jax.default_backend())
    assert described["devices"] == jax.device_count()
    assert described["versions"]["jax"] == jax.__version__


def test_the_revision_is_that_of_the_checkout_or_unknown(monkeypatch, tmp_path):
    revision = environment.git_revision()
    assert revision is None or re.fullmatch(r"[0-9a-f]{12}(-dirty)?", revision)
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "lstmlab" / "training" / "environment.py"))
    assert environment.git_revision() is None
