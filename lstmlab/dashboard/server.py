"""Serving on this computer only, until Ctrl-C."""

from __future__ import annotations

import errno
import logging
import socket
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, make_server

from lstmlab.dashboard.app import make_app
from lstmlab.dashboard.watch import Watch
from lstmlab.tracking.files import RunError

HOST = "127.0.0.1"
DEFAULT_PORT, _TRIED = 8050, 20


def serve(directories: Sequence[Path], port: int | None, *, browser: bool) -> None:
    """Watch the directories and show the page until Ctrl-C; prints its address.

    Without a ``port`` the first free one from 8050 on is taken. Raises ``RunError`` where the given one is in use.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    watch = Watch(directories)
    server = open_server(make_app(watch).server, port)
    address = f"http://{HOST}:{server.port}/"
    watch.start()
    print(f"lstmlab dashboard: {address} (Ctrl-C ends it)", flush=True)
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        server.serve_forever()
    finally:
        watch.stop()
        server.server_close()


def open_server(app: object, port: int | None) -> BaseWSGIServer:
    """A server that listens on the port, or on the first free one. Raises ``RunError`` where that is not possible."""
    last = DEFAULT_PORT + _TRIED - 1
    for wanted in [port] if port is not None else range(DEFAULT_PORT, last + 1):
        try:
            # Werkzeug's own way of opening it prints several lines and ends the process where the port is taken.
            listening = socket.create_server((HOST, wanted))
        except PermissionError:
            raise RunError(f"port {wanted} may not be used: choose one from 1024 to 65535") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        with listening:
            return make_server(HOST, wanted, app, threaded=True, fd=listening.fileno())  # type: ignore[arg-type]
    if port is not None:
        raise RunError(f"port {port} is in use: name another one with --port, or leave it out to get a free one")
    raise RunError(f"ports {DEFAULT_PORT} to {last} are in use: name another one with --port")
