"""The batch of one run split over devices. Devices are counted once per process, so the tests run in another one."""

from pathlib import Path

from processes import started

SPECIFICATIONS = Path(__file__).with_name("on_two_devices.py")


def test_two_devices_train_one_run(tmp_path):
    command = ["-m", "pytest", str(SPECIFICATIONS), "-q", "-p", "no:cacheprovider", "-n", "0"]
    command += [f"--basetemp={tmp_path / 'folders'}"]
    with started(*command, JAX_NUM_CPU_DEVICES="2", JAX_PLATFORMS="cpu") as process:
        outcome = process.end(patience=240)
    assert outcome.code == 0, outcome.out + outcome.err
    assert "skipped" not in outcome.out
