"""``lstmlab wandb-workspace``: a file without network, and one line where something is missing."""

import importlib.util
import json

import pytest
from small_runs import command

from lstmlab.tracking import wandb_sink, wandb_view

INSTALLED = importlib.util.find_spec("wandb_workspaces") is not None


@pytest.fixture(autouse=True)
def no_account(monkeypatch):
    for name in ("WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(wandb_sink, "_why_not_online", lambda: "no API key: run 'wandb login' once")


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    shown = command("wandb-workspace", "--project", "p")
    line = "lstmlab: lstmlab wandb-workspace needs wandb-workspaces: pip install 'lstmlab[wandb]'\n"
    assert (shown.code, shown.out, shown.err) == (1, "", line)


@pytest.mark.parametrize("entity", [[], ["--entity", "team"]])
def test_without_a_server_there_is_one_line(monkeypatch, entity):
    monkeypatch.setattr(wandb_view, "check_installed", lambda: None)
    shown = command("wandb-workspace", *entity)
    line = "lstmlab: W&B cannot be reached (no API key: run 'wandb login' once)\n"
    assert (shown.code, shown.out, shown.err) == (1, "", line)


def test_an_unknown_task_is_refused():
    shown = command("wandb-workspace", "--task", "addin", "--entity", "me", "--json", "view.json")
    assert shown.code == 1
    assert shown.err.startswith("lstmlab: --task: unknown task 'addin'; did you mean 'adding'?")


def test_a_file_needs_an_entity():
    shown = command("wandb-workspace", "--json", "view.json")
    assert shown.code == 2
    assert shown.err.startswith("lstmlab wandb-workspace: --json asks no server who you are: add --entity")


@pytest.mark.skipif(not INSTALLED, reason="needs wandb-workspaces")
def test_the_environment_names_project_and_entity(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "bench")
    monkeypatch.setenv("WANDB_ENTITY", "team")
    file = tmp_path / "view.json"
    shown = command("wandb-workspace", "--task", "adding", "--json", str(file))
    assert (shown.code, shown.out, shown.err) == (0, f"written to {file}\n", "")
    content = json.loads(file.read_text())
    assert (content["entity"], content["project"], content["displayName"]) == ("team", "bench", "lstmlab")
    assert '"validation/mse"' in file.read_text()


@pytest.mark.skipif(not INSTALLED, reason="needs wandb-workspaces")
def test_a_view_that_the_server_refuses_is_one_line(monkeypatch):
    import wandb_workspaces.workspaces as ws

    def refuses(view):
        raise ValueError("permission\ndenied")

    monkeypatch.setattr(wandb_sink, "_why_not_online", lambda: None)
    monkeypatch.setattr(ws.Workspace, "save", refuses)
    shown = command("wandb-workspace", "--entity", "team", "--project", "p")
    assert shown.code == 1
    assert shown.err == "lstmlab: the view of team/p could not be saved on W&B (ValueError: permission denied)\n"
