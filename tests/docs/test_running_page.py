"""The SLURM script of docs/running.md: a job that is told to end is queued again, and goes on."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "running.md"
RUN = """#!/bin/bash
echo "$@" >> started.txt
mkdir -p runs/long && touch runs/long/config.yaml
trap 'sleep 0.3; echo checkpoint >> started.txt; exit 143' TERM
for i in $(seq 100); do [ -e finish ] && exit $(cat finish); sleep 0.05; done
exit 9
"""


@pytest.fixture
def folder(tmp_path):
    script = re.search(r"```sh\n(#!/bin/bash\n#SBATCH.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "job.sh").write_text(script[1])
    for name, text in {"lstmlab": RUN, "scontrol": '#!/bin/bash\necho "$@" >> queued.txt\n'}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def submit(folder):
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "SLURM_JOB_ID": "77"}
    return subprocess.Popen(["bash", "job.sh"], cwd=folder, env=environment)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_a_job_that_is_told_to_end_keeps_a_checkpoint_and_is_queued_again(folder):
    with submit(folder) as job:
        while len(lines(folder / "started.txt")) < 1:
            time.sleep(0.01)
        time.sleep(0.2)
        job.send_signal(signal.SIGTERM)
    assert job.returncode == 143
    assert lines(folder / "queued.txt") == ["requeue 77"]
    first, kept = lines(folder / "started.txt")
    assert kept == "checkpoint"
    assert "resume=true" not in first
    (folder / "finish").write_text("0")
    with submit(folder) as job:
        pass
    assert job.returncode == 0
    assert lines(folder / "started.txt")[-1] == f"{first} resume=true"
    assert lines(folder / "queued.txt") == ["requeue 77"]


def test_a_job_that_fails_is_not_queued_again(folder):
    (folder / "finish").write_text("1")
    with submit(folder) as job:
        pass
    assert job.returncode == 1
    assert not lines(folder / "queued.txt")
