"""Downloads that break off and go on, against a server of this test's own."""

import errno
import gzip
import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from download_server import CONTENT, entry, files

from lstmlab.data import transfer
from lstmlab.data.download import DataError, Download, fetch
from lstmlab.tasks.vision.sequential_images.dataset import read_idx

ROOT = Path(__file__).parents[2]
ENCODED = {"ETag": '"first"', "Accept-Ranges": "bytes", "Content-Encoding": "gzip"}
KEPT = ["plays/stage.txt.part", "plays/stage.txt.part.json"]


def break_off(server, folder, cut=200_000):
    """A download that ends after so many bytes; what it says, and how many are there."""
    server.cut = cut
    with pytest.raises(DataError) as error:
        fetch(entry(f"{server.url}/range"), folder)
    server.cut = None
    assert "\n" not in str(error.value)
    part = folder / "plays" / "stage.txt.part"
    return str(error.value), part.stat().st_size if part.exists() else None


def test_what_broke_off_is_said_in_one_line_and_goes_on(server, tmp_path):
    told, there = break_off(server, tmp_path)
    assert files(tmp_path) == KEPT
    assert 100_000 < there <= 200_000
    assert (tmp_path / KEPT[0]).read_bytes() == CONTENT[:there]
    assert f"{there} of {len(CONTENT)} bytes are there" in told
    assert "the same command goes on" in told
    path = fetch(entry(f"{server.url}/range"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == ["plays/stage.txt"]
    assert server.ranges == [None, f"bytes={there}-"]


def test_it_may_break_off_again_and_again(server, tmp_path):
    sizes = [break_off(server, tmp_path, 150_000)[1] for _ in range(3)]
    assert sizes == sorted(set(sizes))
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT


def test_a_date_names_the_version_where_the_tag_is_weak(server, tmp_path):
    server.headers |= {"ETag": 'W/"weak"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    _, there = break_off(server, tmp_path)
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={there}-"


@pytest.mark.parametrize(
    "headers", [{"ETag": '"first"'}, {"Accept-Ranges": "bytes"}, {"ETag": 'W/"weak"'}, ENCODED, {}]
)
def test_nothing_is_kept_of_what_no_server_can_go_on_with(server, tmp_path, headers):
    server.headers = headers
    told, there = break_off(server, tmp_path)
    assert there is None
    assert "try again" in told
    assert files(tmp_path) == []


def test_a_file_that_has_changed_is_fetched_from_its_start(server, tmp_path):
    break_off(server, tmp_path)
    server.content, server.headers = b"as you like it\n" * 30_000, {"ETag": '"second"', "Accept-Ranges": "bytes"}
    stage = entry(f"{server.url}/range", content=server.content)
    assert fetch(stage, tmp_path).read_bytes() == server.content
    assert files(tmp_path) == ["plays/stage.txt"]


def test_a_server_that_sends_everything_instead_of_the_rest(server, tmp_path):
    _, there = break_off(server, tmp_path)
    server.honest = False
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={there}-"


def test_a_part_that_is_longer_than_the_file(server, tmp_path):
    break_off(server, tmp_path)
    (tmp_path / KEPT[0]).write_bytes(bytes(len(CONTENT) + 1))
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT


def test_a_part_with_other_bytes_is_found_out_and_removed(server, tmp_path):
    _, there = break_off(server, tmp_path)
    (tmp_path / KEPT[0]).write_bytes(bytes(there))
    with pytest.raises(DataError, match="sent something else"):
        fetch(entry(f"{server.url}/range"), tmp_path)
    assert files(tmp_path) == []
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("notes", ["{", "[]", "{}", json.dumps({"url": "http://elsewhere", "version": '"first"'})])
def test_a_part_of_unknown_origin_is_not_used(server, tmp_path, notes):
    break_off(server, tmp_path)
    (tmp_path / KEPT[1]).write_text(notes)
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] is None


def test_a_whole_part_needs_no_server(server, tmp_path):
    break_off(server, tmp_path)
    (tmp_path / KEPT[0]).write_bytes(CONTENT)
    server.shut_down()
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT
    assert files(tmp_path) == ["plays/stage.txt"]


@pytest.mark.parametrize("status", [503, 404])
def test_a_server_in_trouble_costs_nothing_of_what_is_there(server, tmp_path, status):
    _, there = break_off(server, tmp_path)
    server.status = status
    with pytest.raises(DataError, match=rf"\({status} .*{there} bytes are there.*goes on"):
        fetch(entry(f"{server.url}/range"), tmp_path)
    assert files(tmp_path) == KEPT
    server.status = 200
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT


def test_a_server_that_is_gone_costs_nothing_of_what_is_there(server, tmp_path):
    _, there = break_off(server, tmp_path)
    server.shut_down()
    with pytest.raises(DataError, match=rf"refused.*{there} bytes are there.*goes on") as error:
        fetch(entry(f"{server.url}/range"), tmp_path)
    assert "\n" not in str(error.value)
    assert files(tmp_path) == KEPT


def test_a_full_disk_is_told_and_what_is_there_is_kept(server, tmp_path, monkeypatch):
    real = Path.open

    def limited(self, mode="r", *args, **kwargs):
        file = real(self, mode, *args, **kwargs)
        if mode == "ab":
            write = file.write

            class Full:
                def __getattr__(self, name):
                    return getattr(file, name)

                def __enter__(self):
                    return self

                def __exit__(self, *exception):
                    file.close()

                def write(self, data):
                    if file.tell() > 100_000:
                        raise OSError(errno.ENOSPC, "No space left on device")
                    return write(data)

            return Full()
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", limited)
        with pytest.raises(DataError, match=r"cannot write .*stage\.txt: No space left on device"):
            fetch(entry(f"{server.url}/range"), tmp_path)
    assert files(tmp_path) == KEPT
    assert fetch(entry(f"{server.url}/range"), tmp_path).read_bytes() == CONTENT


CHILD = """
import sys
from lstmlab.data.download import Download, fetch
fetch(Download("stage", sys.argv[1], "plays/stage.txt", sys.argv[2], "none"), sys.argv[3])
"""


def start(url, folder):
    stage = entry(url)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, url, stage.known_hash, str(folder)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )


def test_a_killed_download_goes_on(server, tmp_path):
    process = start(f"{server.url}/slow", tmp_path)
    part = tmp_path / KEPT[0]
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size >= 100_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.hold.set()
    assert not (tmp_path / "plays" / "stage.txt").exists()
    there = part.stat().st_size
    assert there >= 100_000
    assert fetch(entry(f"{server.url}/slow"), tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={there}-"
    assert files(tmp_path) == ["plays/stage.txt"]


def test_two_processes_that_want_the_same_file_take_turns(server, tmp_path):
    processes = [start(f"{server.url}/range", tmp_path) for _ in range(3)]
    for process in processes:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
    assert (tmp_path / "plays" / "stage.txt").read_bytes() == CONTENT
    assert files(tmp_path) == ["plays/stage.txt"]
    assert len(server.asked) == 1


def gzipped(content: bytes, level: int) -> bytes:
    return gzip.compress(content, level, mtime=0)


@pytest.fixture
def elsewhere(tmp_path):
    """An entry whose file another program keeps, outside of the data directory."""
    content = b"\0\0\x08\x01\0\0\x03\xe8" + bytes(1000)
    place = tmp_path / "system" / "a.gz"
    place.parent.mkdir()
    digest = hashlib.sha256(content).hexdigest()
    known = f"sha256:{hashlib.sha256(gzipped(content, 9)).hexdigest()}"
    return content, place, Download("a", "http:///x", "own/a.gz", known, "", (str(place),), f"sha256:{digest}")


@pytest.mark.parametrize("level", [9, 1])
def test_a_file_that_another_program_keeps_is_found_however_it_was_compressed(elsewhere, tmp_path, level):
    content, place, wanted = elsewhere
    place.write_bytes(gzipped(content, level))
    found = fetch(wanted, tmp_path / "data", offline=True)
    assert found == place
    assert read_idx(found).shape == (1000,)


@pytest.mark.parametrize("bad", [b"no archive", gzip.compress(b"other content", mtime=0)], ids=["no archive", "other"])
def test_another_program_s_file_with_other_content_is_passed_over(elsewhere, tmp_path, bad):
    _, place, wanted = elsewhere
    place.write_bytes(bad)
    with pytest.raises(DataError, match="offline, and a is not there"):
        fetch(wanted, tmp_path / "data", offline=True)
    assert place.read_bytes() == bad


def test_the_lock_s_file_goes_with_the_last_one(tmp_path):
    path = tmp_path / "lock"
    with transfer.locked(path):
        assert path.exists()
    assert not path.exists()
