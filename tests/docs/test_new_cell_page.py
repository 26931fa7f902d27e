"""docs/new_cell.md: its files and commands work as they stand, and its cell passes the whole battery.

Everything runs in processes of its own, so that the cell is unknown to all other tests.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "new_cell.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text for language, text in BLOCKS if language == "sh"]
# What the battery must have been through, by the names of its tests.
BATTERY = [
    "test_surprise_agrees_with_its_equations",
    "test_gradients_are_derivatives[surprise]",
    "test_with_lengths_and_resets[surprise-fused-forward]",
    "test_with_lengths_and_resets[surprise-fused-reverse]",
    "test_close_to_float32_yet_different[surprise-fused]",
    "test_garbage_in_the_padding_changes_no_result[surprise-fused-forward]",
    "test_pieces_and_single_steps_equal_the_whole[surprise-plain]",
    "test_every_cell_gives_the_same_results[surprise]",
]


class Done(NamedTuple):
    """What a command left."""

    code: int
    out: str


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Runs commands in one empty folder with the page's files in it; ``python`` is the one that runs this test."""
    folder = tmp_path_factory.mktemp("page")
    for language, text in BLOCKS:
        if language in ("python", "yaml"):
            path = folder / re.match(r"# (\S+)\n", text)[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(paths),
        "LSTMLAB": str(ROOT),
        "LSTMLAB_CACHE_DIR": str(folder / "cache"),
        # No pytest settings of the outer run, such as its number of workers.
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    for name in [name for name in environment if name.startswith("PYTEST_XDIST")]:
        del environment[name]

    def run(command):
        done = subprocess.run(
            ["bash", "-euc", command], cwd=folder, env=environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
        return Done(done.returncode, done.stdout)

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def sweep(shell):
    """The page's sweep; its output."""
    (command,) = [text for text in COMMANDS if " -m --config-dir" in text]
    return shell(command).out


def test_every_block_is_a_file_a_command_or_what_a_command_prints():
    assert {language for language, _ in BLOCKS} == {"math", "python", "yaml", "sh", ""}
    files = [re.match(r"# (\S+)\n", text)[1] for language, text in BLOCKS if language in ("python", "yaml")]
    assert files == ["surprise.py", "conf/cell/surprise.yaml", "gates.py", "test_against_surprise.py"]
    # Each of them is run by a test below.
    assert [text.split()[1] for text in COMMANDS[:3]] == ["surprise.py", "surprise.py", "gates.py"]
    assert "-m pytest" in COMMANDS[3]
    assert len(COMMANDS) == 4


def test_the_equations_on_the_page_are_those_of_the_docstring():
    (block,) = [text for language, text in BLOCKS if language == "math"]
    lines = [line for line in block.splitlines() if "{aligned}" not in line]
    (source,) = [text for language, text in BLOCKS if text.startswith("# surprise.py")]
    for line in lines:
        assert line in source


def test_the_command_line_knows_the_cell(shell):
    shown = shell(COMMANDS[0]).out
    (printed,) = [text for language, text in BLOCKS if not language and text.startswith("surprise:")]
    for line in printed.splitlines():
        assert line == "…" or line in shown.splitlines()


def test_its_configuration_is_found_and_needed_by_nobody(shell):
    told = shell("python surprise.py --config-dir conf cell=surprise task=adding --cfg job").out
    assert "start: 0.5" in told
    assert "Warning" not in told
    told = shell("python surprise.py cell=surprise cell.start=1 task=adding --cfg job").out
    assert re.search(r"start: 1(\.0)?$", told, re.MULTILINE)


def test_the_sweep_compares_it_with_the_lstm_and_the_page_has_its_table(sweep):
    assert "Warning" not in sweep
    assert "failed" not in sweep

    def rows(text):
        found = re.findall(r"^\|[^|]*\b(surprise|lstm) \| (\d+) \| ([\d/]+) \| ([\d.e-]+) \[", text, re.MULTILINE)
        return {cell: (int(parameters), sizes, float(value)) for cell, parameters, sizes, value in found}

    page = rows(PAGE)
    table = re.findall(r"^ +adding +(\w+) +(\d+) +([\d/]+) +([\d.e-]+) \[", sweep, re.MULTILINE)
    assert sorted(cell for cell, *_ in table) == sorted(page) == ["lstm", "surprise"]
    for cell, parameters, sizes, value in table:
        assert (int(parameters), sizes) == page[cell][:2]
        # Another machine rounds otherwise, and training amplifies that; both stay far below the baseline.
        assert float(value) < 0.01
        assert page[cell][2] < 0.01


def test_the_gates_can_be_looked_at(shell, sweep):
    said = shell(COMMANDS[2]).out
    (page,) = [text for language, text in BLOCKS if not language and text.startswith("update gate")]
    number = re.compile(r"\d+(?:\.\d+)?")
    assert number.sub("#", said) == number.sub("#", page)
    for text in (said, page):
        marked, others, grew, shrank, units = map(float, number.findall(text))
        assert 0 < others < marked < 1
        assert grew > 0 < shrank
        assert grew + shrank <= units == 29


def test_the_cell_passes_the_battery_and_agrees_with_its_oracle(shell):
    out = shell(COMMANDS[3]).out
    passed = set(re.findall(r"::(\S+) PASSED", out))
    assert set(BATTERY) <= passed, sorted(set(BATTERY) - passed)
    assert not re.search(r"(FAILED|ERROR|SKIPPED)", out)
    assert all("surprise" in name for name in passed)
    assert len(passed) > 50
