"""docs/new_task.md: its file and commands work as they stand, without a configuration file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "new_task.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder with the page's file, after the page's commands; what they printed is in ``out.txt``."""
    where = tmp_path_factory.mktemp("page")
    ((source,),) = [[text for language, text in BLOCKS if language == "python"]]
    (where / "running_maximum.py").write_text(source, encoding="utf-8")
    ((commands,),) = [[text for language, text in BLOCKS if language == "sh"]]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "LSTMLAB_CACHE_DIR": str(where / "cache"),
    }
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=where, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    (where / "out.txt").write_text(done.stdout, encoding="utf-8")
    return where


def test_the_file_is_what_the_page_says():
    assert {language for language, _ in BLOCKS} == {"python", "sh"}
    (source,) = [text for language, text in BLOCKS if language == "python"]
    assert source.startswith("# running_maximum.py\n")


def test_the_command_line_knows_the_task(folder):
    printed = (folder / "out.txt").read_text()
    assert "running_maximum: highest point of a random walk" in printed
    assert re.search(r"task\.length +40 +≥ 1 +steps of a walk", printed)


def test_cells_learn_it_and_are_compared(folder):
    summaries = [json.loads(path.read_text()) for path in sorted((folder / "sweep").glob("*/summary.json"))]
    assert sorted(summary["cell"] for summary in summaries) == ["lstm", "rnn"]
    for summary in summaries:
        assert summary["status"] == "finished"
        assert summary["value"] < summary["baselines"]["mean of the step"] / 2
    assert "lstm" in (folder / "sweep" / "comparison.md").read_text()


def test_only_one_file_was_needed(folder):
    assert {path.name for path in folder.iterdir()} - {"cache", "out.txt", "__pycache__"} == {
        "running_maximum.py", "sweep",
    }  # fmt: skip
