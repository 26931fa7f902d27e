"""``lstmlab dashboard``: what it prints, refuses and serves, without a browser."""

import importlib.util
import signal
import socket
import urllib.request

import pytest
from processes import started
from small_runs import command

NEEDS_DASH = pytest.mark.skipif(importlib.util.find_spec("dash") is None, reason="needs Dash")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["no/such/directory"], 1, "lstmlab: no/such/directory is not a directory\n"),
        ([], 1, "lstmlab: there is neither outputs nor multirun here: name the directories of your runs\n"),
        ([".", "--port", "0"], 2, "invalid port from 1 to 65535 value: '0'"),
        ([".", "--port", "http"], 2, "invalid port from 1 to 65535 value: 'http'"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(arguments, code, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = command("dashboard", *arguments)
    assert (shown.code, shown.out, shown.err.count("\n")) == (code, "", 1)
    assert says in shown.err


def test_without_dash_it_says_how_to_get_it(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "dash" else find(name, *rest))
    shown = command("dashboard", str(tmp_path))
    assert shown == (1, "", "lstmlab: the dashboard needs Dash: pip install 'lstmlab[dashboard]'\n")


@NEEDS_DASH
def test_a_port_in_use_is_named_and_without_one_the_next_is_taken(tmp_path):
    from lstmlab.dashboard.server import open_server

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = command("dashboard", str(tmp_path), "--port", str(port), "--no-browser")
        assert (shown.code, shown.out) == (1, "")
        assert shown.err.startswith(f"lstmlab: port {port} is in use: ")
        assert shown.err.count("\n") == 1
    servers = [open_server(object(), None) for _ in range(2)]
    assert servers[0].port < servers[1].port
    for server in servers:
        assert server.socket.getsockname()[0] == "127.0.0.1"
        server.server_close()


@NEEDS_DASH
def test_it_serves_until_ctrl_c_which_ends_it_quietly(tmp_path):
    with started("-m", "lstmlab", "dashboard", str(tmp_path), "--no-browser") as process:
        process.wait_for(lambda: "(Ctrl-C ends it)" in process.outcome().out)
        address = process.outcome().out.split()[2]
        with urllib.request.urlopen(address) as answer:
            assert b"lstmlab dashboard" in answer.read()
        process.send(signal.SIGINT)
        ended = process.end()
    assert ended == (0, f"lstmlab dashboard: {address} (Ctrl-C ends it)\n", "")
