"""What the W&B tests share: fresh processes, and warnings of our own."""

import os
import subprocess
import sys

import pytest

from lstmlab.tracking import wandb_sink


@pytest.fixture(autouse=True)
def nobody_asked_the_server_yet(monkeypatch):
    wandb_sink._why_not_online.cache_clear()
    monkeypatch.delenv("WANDB_MODE", raising=False)


@pytest.fixture
def run_program():
    """The outcome of a program in a process that does not share this one's wandb helper."""

    def run(program, *arguments):
        command = [sys.executable, "-c", program, *map(str, arguments)]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=inherited)

    return run


@pytest.fixture
def warnings(caplog):
    """A function that lists our warnings: wandb logs too, through pytest's handler."""
    ours = "lstmlab.tracking"
    return lambda: [record.message for record in caplog.records if record.name == ours]
