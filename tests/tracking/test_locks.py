"""A directory has one owner at a time, and none that is dead."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lstmlab.tracking.files import RunError
from lstmlab.tracking.locks import keep, let_go, new_directory, owned

HOLD = (
    "import sys, time\nfrom pathlib import Path\nfrom lstmlab.tracking.locks import keep\n"
    "keep(Path(sys.argv[1]))\nprint('mine', flush=True)\ntime.sleep(60)\n"
)


def assert_taken(directory):
    with pytest.raises(RunError, match="is in use by another run: wait until it has ended, or name another") as caught:
        owned(directory).__enter__()
    assert str(directory) in str(caught.value)


def test_the_second_is_refused_and_the_next_is_let_in(tmp_path):
    with owned(tmp_path / "new" / "run"):
        assert_taken(tmp_path / "new" / "run")
    with owned(tmp_path / "new" / "run"):
        pass


def test_another_thread_is_another_owner(tmp_path):
    with owned(tmp_path):
        refused = []

        def try_it():
            with pytest.raises(RunError):
                owned(tmp_path).__enter__()
            refused.append(True)

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        assert refused == [True]


def test_a_kept_lock_is_handed_over_once(tmp_path):
    keep(tmp_path)
    assert_kept = pytest.raises(RunError)
    with assert_kept:
        keep(tmp_path)
    with owned(tmp_path):
        assert_taken(tmp_path)
    keep(tmp_path)
    let_go(tmp_path)
    let_go(tmp_path)
    with owned(tmp_path):
        pass


def test_a_killed_owner_keeps_nothing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "mine\n"
        assert_taken(tmp_path)
        holder.send_signal(signal.SIGKILL)
    with owned(tmp_path):
        pass


def test_names_are_given_once_however_many_ask_at_once(tmp_path):
    wanted = tmp_path / "outputs" / "12-00-00"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_directory(wanted), range(16)))
    assert len(set(made)) == 16
    assert {path.name for path in made} == {"12-00-00", *(f"12-00-00-{n}" for n in range(2, 17))}
