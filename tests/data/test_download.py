"""Downloads, against a server of this test's own."""

import contextlib
import hashlib
import http.server
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
from rich.console import Console

from lstmlab.data import download, transfer
from lstmlab.data.download import REGISTRY, DataError, Download, data_directory, fetch
from lstmlab.data.progress import DownloadBar
from lstmlab.tasks.text.corpus import load_text

CONTENT = b"all the world's a stage\n" * 20_000


class Server:
    """Serves `/text` whole, `/cut` cut short, and `/range` as is set below; remembers what it was asked.

    Attributes:
        asked: the paths, in the order in which they were asked for.
        ranges: the header `Range` of each.
        content: what `/range` holds.
        cut: bytes after which the answers to `/range` break off; `None` for never.
        headers: what names the version of `/range`, and says that it can be had in parts.
        honest: whether `/range` does send parts.
        hold: until it is set, `/slow`, which else is as `/range`, stops after 200 kB.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ranges: list[str | None] = []
        self.content, self.cut, self.honest = CONTENT, None, True
        self.headers = {"ETag": '"first"', "Accept-Ranges": "bytes"}
        self.status = 200
        self.hold = threading.Event()
        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                server.ranges.append(self.headers["Range"])
                if self.path in ("/range", "/slow"):
                    self.send_range()
                elif self.path not in ("/text", "/cut"):
                    self.send_error(404)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(CONTENT)))
                    self.end_headers()
                    self.wfile.write(CONTENT if self.path == "/text" else CONTENT[:100_000])

            def send_range(self):
                if server.status != 200:
                    self.send_error(server.status)
                    return
                versions = [server.headers.get("ETag"), server.headers.get("Last-Modified")]
                asked, same = self.headers["Range"], self.headers["If-Range"] in versions
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and same and server.honest else 0
                size = len(server.content)
                if start >= size > 0:
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
                self.send_header("Content-Length", str(size - start))
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                rest = server.content[start:][: server.cut]
                if self.path == "/slow":
                    self.wfile.write(rest[:200_000])
                    server.hold.wait(60)
                    rest = rest[200_000:]
                with contextlib.suppress(OSError):  # the client may have gone
                    self.wfile.write(rest)

            def log_message(self, format, *args):
                pass

        return Handler

    def shut_down(self) -> None:
        if self._thread.is_alive():
            self._httpd.shutdown()
            self._httpd.server_close()
            self._thread.join()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Server()
    yield running
    running.shut_down()


def entry(url: str, content: bytes = CONTENT, algorithm: str = "sha256") -> Download:
    digest = hashlib.new(algorithm, content).hexdigest()
    return Download("stage", url, "plays/stage.txt", f"{algorithm}:{digest}", "none", ("stage.txt",))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


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


def test_bar_draws_on_a_terminal_what_has_come(server, tmp_path, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(
        transfer, "DownloadBar", lambda title: DownloadBar(title, Console(file=screen, force_terminal=True, width=100))
    )
    fetch(entry(f"{server.url}/text"), tmp_path)
    assert "stage" in screen.getvalue()
    assert "480.0/480.0 kB" in screen.getvalue()


def test_bar_never_overshoots_and_bears_an_unknown_size():
    with DownloadBar("x", Console(file=io.StringIO(), force_terminal=True)) as bar:
        bar.total = 0
        bar.update(100)
        assert (bar.total, bar.completed) == (None, 100)
        bar.total = 150
        bar.update(100)
        assert bar.completed == 150


def test_bar_gives_the_cursor_back_when_a_transfer_fails():
    screen = io.StringIO()
    with pytest.raises(OSError), DownloadBar("x", Console(file=screen, force_terminal=True)):
        raise OSError("broke off")
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h") == 1


def test_bar_is_silent_without_a_terminal():
    screen = io.StringIO()
    with DownloadBar("x", Console(file=screen, force_terminal=False)) as bar:
        bar.total = 10
        bar.update(10)
    assert screen.getvalue() == ""
