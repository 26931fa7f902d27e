"""The check of a GPU: its parts are joined whatever became of each, and it runs on a CPU with tiny sizes."""

import json
from pathlib import Path

import pytest
from processes import started

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import gpu_check_report

    return gpu_check_report


def test_what_a_stopped_part_has_measured_is_kept(report, tmp_path):
    rows = [{"members": 1, "backend": "pallas", "seconds": 0.00123}, {"members": 2, "error": "out of memory"}]
    part = {"machine": {"name": "A GPU"}, "versions": {"jax": "1.2"}, "tiny": False, "rows": rows}
    (tmp_path / "members.json").write_text(json.dumps(part))
    (tmp_path / "members.status").write_text("124 90\n")
    (tmp_path / "bench.status").write_text("1 3\n")
    report.main([str(tmp_path)])
    result = json.loads((tmp_path / "gpu_check.json").read_text())
    assert result["machine"] == {"name": "A GPU"}
    assert result["parts"]["members"] == {"ended": "stopped at its time limit", "seconds": 90, "rows": rows}
    assert result["parts"]["bench"]["ended"] == "failed with exit status 1"
    assert result["parts"]["memory"]["ended"] == "not started"
    text = (tmp_path / "gpu_check.md").read_text()
    assert text.startswith("# A GPU\n")
    assert "| 1 | pallas | 0.00123 |  |" in text
    assert "| 2 |  |  | out of memory |" in text


def test_a_folder_that_is_not_there_is_refused(report, tmp_path):
    with pytest.raises(SystemExit, match="one folder"):
        report.main([str(tmp_path / "none")])


def test_an_error_of_one_measurement_leaves_the_others(report, monkeypatch):
    import gpu_check

    def fails():
        raise RuntimeError("first line\nsecond line")

    assert gpu_check.attempt(fails) == {"error": "RuntimeError: first line"}
    assert gpu_check.attempt(lambda: {"difference": 0.0}) == {"difference": 0.0}


@pytest.mark.slow
def test_all_parts_run_on_a_cpu(tmp_path):
    command = [str(ROOT / "scripts/gpu_check.sh"), "--tiny", str(tmp_path)]
    with started("-c", f"import os; os.execv({command[0]!r}, {command})", cwd=ROOT) as process:
        ended = process.end(880)
    assert ended.code == 0, ended
    result = json.loads((tmp_path / "gpu_check.json").read_text())
    assert all(part["ended"] == "complete" and part["rows"] for part in result["parts"].values())
