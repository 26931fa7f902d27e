"""The peak memory of a process."""

import resource
import subprocess
import sys
from types import SimpleNamespace

import jax
import pytest

from lstmlab.training.peak_memory import peak_memory

GROWS = """
import numpy as np
from lstmlab.training.peak_memory import peak_memory
before = peak_memory()["host"]
held = np.ones(300 << 20, np.uint8)
del held
print(peak_memory()["host"] - before)
"""


def test_the_host_peak_counts_bytes_and_outlives_what_held_them():
    done = subprocess.run([sys.executable, "-c", GROWS], capture_output=True, text=True, check=True)
    assert 200 << 20 < int(done.stdout) < 310 << 20


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_unit_of_the_system_is_known(platform, unit, monkeypatch, tmp_path):
    monkeypatch.setattr("lstmlab.training.peak_memory._STATUS", tmp_path / "none")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=7))
    assert peak_memory()["host"] == 7 * unit


def test_the_device_peak_is_that_of_the_fullest_device_and_none_where_it_is_not_known(monkeypatch):
    stats = [{"peak_bytes_in_use": 5}, {"peak_bytes_in_use": 9}, {}, None]
    devices = [SimpleNamespace(memory_stats=lambda own=own: own) for own in stats]
    monkeypatch.setattr(jax, "local_devices", lambda: devices)
    assert peak_memory()["device"] == 9
    monkeypatch.setattr(jax, "local_devices", lambda: devices[2:])
    assert peak_memory()["device"] is None
