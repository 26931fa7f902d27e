"""Whether a run's directory is in use, read without taking its lock.

Taking the lock, even for a moment, could make a run refuse a directory that it is about to start in. Linux lists all
locks in ``/proc/locks``, by number of the file; other systems do not tell, nor does Linux of other computers that share
the file system, or of processes outside the own container. Where the list is not complete, a run that writes counts
as running (see :mod:`lstmlab.dashboard.run`).
"""

from __future__ import annotations

import os
from pathlib import Path

from lstmlab.tracking.locks import LOCK

_LOCKS, _MOUNTS = Path("/proc/locks"), Path("/proc/self/mountinfo")
_SHARED = ("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "gluster", "fuse", "9p", "afs", "panfs")
"""beginnings of the names of file systems on which other computers may write"""


def held_locks() -> set[int] | None:
    """Numbers (inodes) of the files that are locked on this computer; ``None`` where the system does not tell."""
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return None
    held = set()
    for line in lines:
        fields = line.split()  # 1: FLOCK ADVISORY WRITE 1234 fe:00:2154909 0 EOF
        if len(fields) >= 6 and fields[1] == "FLOCK" and fields[5].count(":") == 2:
            # The device is left out: on some file systems it is not the one of stat().
            held.add(int(fields[5].rpartition(":")[2]))
    return held


def is_locked(directory: Path, held: set[int]) -> bool:
    """Whether the lock of the directory is among them."""
    try:
        return (directory / LOCK).stat().st_ino in held
    except OSError:
        return False


def is_shared(directory: Path) -> bool:
    """Whether other computers may write into the directory, whose locks are not seen here."""
    try:
        device = directory.stat().st_dev
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return True
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        before, _, after = line.partition(" - ")
        if before.split()[2] == wanted:
            return after.split()[0].startswith(_SHARED)
    return False
