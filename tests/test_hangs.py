"""What hangs fails by name: a process that a test started, and a test that nothing inside of Python can end."""

import os
import re
import sys
import time
from pathlib import Path

import pytest
from processes import started

MAKEFILE = Path(__file__).parents[1] / "Makefile"
# Waits for itself inside of C, with the interpreter's lock: no signal handler and no other thread can run.
STUCK = """
import ctypes

def test_before(): pass

def test_stuck():
    lock, c = ctypes.create_string_buffer(64), ctypes.PyDLL(None)
    c.pthread_mutex_lock(lock)
    c.pthread_mutex_lock(lock)

def test_after(): pass
"""


def is_running(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{number}/stat")
    return not stat.exists() or stat.read_text().rpartition(") ")[2][0] != "Z"


def test_a_process_ends_with_its_block_together_with_its_children_and_says_where_it_stood(capsys):
    program = (
        "import subprocess, sys, time\n"
        "def where_it_hangs():\n"
        "    time.sleep(600)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "where_it_hangs()\n"
    )
    with pytest.raises(AssertionError, match="it hangs"), started("-c", program) as process:
        process.wait_for(lambda: process.outcome().out.endswith("\n"))
        child = int(process.outcome().out)
        process.end(patience=0.2)
    assert "in where_it_hangs" in capsys.readouterr().out
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(child)


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is one of Linux")
def test_the_suite_ends_with_the_name_of_a_test_that_cannot_be_interrupted(tmp_path):
    options = re.search(r"^NO_HANG := (.*)$", MAKEFILE.read_text(), re.MULTILINE)[1].split()
    (tmp_path / "test_stuck.py").write_text(STUCK)
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 2\n")
    command = ["-m", "pytest", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider", *options]
    with started(*command, "-o", "faulthandler_timeout=4", str(tmp_path), cwd=tmp_path) as process:
        suite = process.end()
    assert suite.code == 1
    assert "FAILED test_stuck.py::test_stuck" in suite.out
    assert "in test_stuck" in suite.err
