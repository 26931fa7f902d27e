"""The batch of one run split over devices. Devices are counted once per process, so the tests run in another one."""

import os
import subprocess
import sys
from pathlib import Path

SPECIFICATIONS = Path(__file__).with_name("on_two_devices.py")


def test_two_devices_train_one_run(tmp_path):
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": "2", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "pytest", str(SPECIFICATIONS), "-q", "-p", "no:cacheprovider"]
    command += ["-n", "0", f"--basetemp={tmp_path / 'folders'}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
