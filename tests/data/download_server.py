"""A server of the tests' own, and what it serves."""

import contextlib
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlab.data.download import Download

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
