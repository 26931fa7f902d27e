"""The progress bar of downloads."""

import io

import pytest
from download_server import entry
from rich.console import Console

from lstmlab.data import transfer
from lstmlab.data.download import fetch
from lstmlab.data.progress import DownloadBar


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
