"""Disks that fill up: a small filesystem in memory where one can be mounted, and a limit of the process elsewhere."""

import contextlib
import errno
import subprocess

import pytest

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from lstmlab.cli import main
sys.exit(main(sys.argv[2:]))
"""
"""A program that can write no file larger than its first argument; the others are those of ``lstmlab``."""


@contextlib.contextmanager
def small_disk(place, size):
    """Mount ``size`` bytes of memory at ``place``; skips the test where that is not allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no filesystem can be mounted here: {getattr(error, 'stderr', '') or error}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk):
    """Take all room that is left; returns the file that does."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while stream.write(bytes(size)) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return filler
