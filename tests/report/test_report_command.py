"""``lstmlab report``."""

import sys

from small_runs import command


def test_report_writes_one_file_and_says_where(many_runs, tmp_path):
    shown = command("report", str(many_runs()), "--output", str(tmp_path / "a" / "r.html"), "--title", "Two cells")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"written to {tmp_path / 'a' / 'r.html'}")
    assert "<h1>Two cells</h1>" in (tmp_path / "a" / "r.html").read_text(encoding="utf-8")


def test_what_is_missing_is_one_line(tmp_path, monkeypatch):
    shown = command("report", str(tmp_path / "nowhere"))
    assert (shown.code, shown.err) == (1, f"lstmlab: {tmp_path / 'nowhere'} is not a directory\n")
    monkeypatch.setitem(sys.modules, "plotly", None)
    shown = command("report", str(tmp_path))
    assert (shown.code, shown.err) == (1, "lstmlab: a report needs plotly: pip install 'lstmlab[report]'\n")
