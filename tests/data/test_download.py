"""Downloads, against a server of this test's own."""

import hashlib
import os
from pathlib import Path

import platformdirs
import pytest
from download_server import CONTENT, entry, files

from lstmlab.data import download
from lstmlab.data.download import REGISTRY, DataError, Download, data_directory, fetch
from lstmlab.tasks.text.corpus import load_text


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_download_is_kept_and_used_again_without_the_server(server, tmp_path, algorithm):
    stage = entry(f"{server.url}/text", algorithm=algorithm)
    path = fetch(stage, tmp_path)
    assert path == tmp_path / "plays" / "stage.txt"
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == ["plays/stage.txt"]
    server.shut_down()
    assert fetch(stage, tmp_path) == path
    assert server.asked == ["/text"]


def test_wrong_content_from_the_server_is_not_kept(server, tmp_path):
    stage = entry(f"{server.url}/text", content=b"another text")
    with pytest.raises(DataError) as error:
        fetch(stage, tmp_path)
    message = str(error.value)
    assert stage.known_hash in message
    assert hashlib.sha256(CONTENT).hexdigest() in message
    assert f"{server.url}/text" in message
    assert str(tmp_path / "plays" / "stage.txt") in message
    assert "\n" not in message
    assert files(tmp_path) == []


def test_broken_off_transfer_leaves_nothing(server, tmp_path):
    with pytest.raises(DataError, match=r"cannot download .*/cut \(.*100000") as error:
        fetch(entry(f"{server.url}/cut", content=CONTENT[:100_000]), tmp_path)
    assert "\n" not in str(error.value)
    assert files(tmp_path) == []


def test_missing_page_says_so(server, tmp_path):
    with pytest.raises(DataError, match=r"cannot download .*/gone \(404") as error:
        fetch(entry(f"{server.url}/gone"), tmp_path)
    assert "\n" not in str(error.value)
    assert files(tmp_path) == []


def test_no_server_names_the_address_and_the_place(server, tmp_path):
    server.shut_down()
    with pytest.raises(DataError, match="refused") as error:
        fetch(entry(f"{server.url}/text"), tmp_path)
    message = str(error.value)
    assert f"{server.url}/text" in message
    assert f"by hand at {tmp_path / 'plays' / 'stage.txt'}" in message
    assert "\n" not in message
    assert files(tmp_path) == []


def test_offline_touches_no_network(server, tmp_path):
    with pytest.raises(DataError, match="offline") as error:
        fetch(entry(f"{server.url}/text"), tmp_path, offline=True)
    assert str(tmp_path / "plays" / "stage.txt") in str(error.value)
    assert server.asked == []


@pytest.mark.parametrize("place", ["plays/stage.txt", "stage.txt"])
def test_file_put_by_hand_is_found(server, tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    assert fetch(entry(f"{server.url}/text"), tmp_path) == path
    assert server.asked == []


@pytest.mark.parametrize("place", ["plays/stage.txt", "stage.txt"])
def test_wrong_file_put_by_hand_is_named_and_left_alone(server, tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"short")
    stage = entry(f"{server.url}/text")
    with pytest.raises(DataError) as error:
        fetch(stage, tmp_path)
    message = str(error.value)
    assert f"{path} is not" in message
    assert stage.known_hash in message
    assert hashlib.sha256(b"short").hexdigest() in message
    assert "remove it" in message
    assert path.read_bytes() == b"short"
    assert server.asked == []


def test_right_file_beside_a_wrong_one_is_found(server, tmp_path):
    (tmp_path / "plays").mkdir()
    (tmp_path / "plays" / "stage.txt").write_bytes(b"short")
    (tmp_path / "stage.txt").write_bytes(CONTENT)
    assert fetch(entry(f"{server.url}/text"), tmp_path) == tmp_path / "stage.txt"


def test_directory_that_cannot_be_written(server, tmp_path):
    (tmp_path / "plays").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot write .*stage\.txt") as error:
        fetch(entry(f"{server.url}/text"), tmp_path)
    assert "\n" not in str(error.value)


def test_address_that_is_none(tmp_path):
    with pytest.raises(DataError, match=r"cannot download http:///x"):
        fetch(entry("http:///x"), tmp_path)


def test_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(DataError, match=r"'milton'.*tiny_shakespeare"):
        fetch("milton", tmp_path)


def test_data_directory_argument_then_environment_then_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LSTMLAB_DATA_DIR", str(tmp_path / "environment"))
    assert data_directory(tmp_path / "argument") == tmp_path / "argument"
    assert data_directory() == tmp_path / "environment"
    monkeypatch.delenv("LSTMLAB_DATA_DIR")
    assert data_directory() == Path(platformdirs.user_cache_dir("lstmlab"))
    assert data_directory("~/data") == Path.home() / "data"


def test_environment_directs_the_download(server, monkeypatch, tmp_path):
    monkeypatch.setenv("LSTMLAB_DATA_DIR", str(tmp_path))
    assert fetch(entry(f"{server.url}/text")) == tmp_path / "plays" / "stage.txt"


@pytest.mark.parametrize("name", REGISTRY)
def test_registry_entry_is_complete(name):
    known = REGISTRY[name]
    assert known.name == name
    assert known.url.startswith("https://")
    assert known.licence
    digest = known.known_hash.removeprefix(f"{known.algorithm}:")
    assert len(bytes.fromhex(digest)) == {"sha256": 32, "md5": 16}[known.algorithm]
    assert Path(known.filename).name == known.url.rsplit("/", 1)[-1]


@pytest.mark.parametrize("place", ["input.txt", "tinyshakespeare/input.txt"])
def test_tiny_shakespeare_is_loaded_from_a_data_directory(server, monkeypatch, tmp_path, place):
    known = REGISTRY["tiny_shakespeare"]
    mine = Download(known.name, f"{server.url}/text", known.filename, entry("").known_hash, "", known.also)
    monkeypatch.setitem(download.REGISTRY, known.name, mine)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_bytes(CONTENT)
    assert load_text("tiny_shakespeare", tmp_path) == CONTENT.decode()
    assert server.asked == []


def test_tiny_shakespeare_is_downloaded(server, monkeypatch, tmp_path):
    known = REGISTRY["tiny_shakespeare"]
    mine = Download(known.name, f"{server.url}/text", known.filename, entry("").known_hash, "")
    monkeypatch.setitem(download.REGISTRY, known.name, mine)
    assert load_text("tiny_shakespeare", tmp_path) == CONTENT.decode()
    assert files(tmp_path) == ["tinyshakespeare/input.txt"]


def test_real_tiny_shakespeare_where_the_data_directory_holds_it():
    try:
        text = load_text("tiny_shakespeare", offline=True)
    except DataError:
        pytest.skip(f"tiny Shakespeare is not in {os.environ.get('LSTMLAB_DATA_DIR', 'the cache')}")
    assert len(text) == 1_115_394
    assert len(set(text)) == 65
    assert text.startswith("First Citizen:\nBefore we proceed any further")
