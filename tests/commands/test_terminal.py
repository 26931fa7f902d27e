"""Output streams that are closed or have few characters lose no result."""

import io
import sys

import pytest
from processes import started
from small_runs import overrides, quick_programs

from lstmlab.cli import main
from lstmlab.terminal import transliterated
from lstmlab.tracking import print_table


@pytest.mark.parametrize(
    ("text", "encoding", "read"),
    [
        ("lstm → gru · 3", "ascii", "lstm -> gru - 3"),
        ("lstm → gru · 3", "cp1252", "lstm -> gru · 3"),
        ("é 温 ± … ─", "ascii", "e ? +- ... -"),
        ("é 温 → ─", "utf-8", "é 温 → ─"),
        ("é → ─", "latin-1", "é -> -"),
        ("file \udcff", "utf-8", "file ?"),
        ("é", None, "é"),
    ],
)
def test_what_an_encoding_lacks_is_written_in_ascii(text, encoding, read):
    assert transliterated(text, encoding) == read


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_sweep_in_another_encoding_ends_with_its_comparison(encoding, monkeypatch, tmp_path, tmp_path_factory):
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with quick_programs(tmp_path_factory):
        assert main(["-m", *overrides("adding"), "seed=0,1", f"hydra.sweep.dir={tmp_path}"]) == 0
    out.flush()
    text = out.buffer.getvalue().decode(encoding)
    assert "test mean" in text
    assert f"written to {tmp_path}" in text
    table = (tmp_path / "comparison.md").read_text(encoding="utf-8")
    assert "| lstm |" in table


def test_with_every_stream_closed_a_run_finishes(tmp_path):
    arguments = ["-m", "lstmlab", *overrides("adding"), f"hydra.run.dir={tmp_path}/run"]
    script = f"import os, sys; os.closerange(0, 3); os.execv(sys.executable, [sys.executable, *{arguments!r}])"
    with started("-c", script, LSTMLAB_CACHE_DIR=str(tmp_path), JAX_DISABLE_MOST_OPTIMIZATIONS="1") as process:
        assert process.end().code == 0
    assert '"status": "finished"' in (tmp_path / "run" / "summary.json").read_text(encoding="utf-8")


def test_control_characters_of_names_reach_no_terminal():
    stream = io.StringIO()
    print_table("a\x1b[31m", ["x\ny"], [["red \x1b[31m"], ["two\nlines"], ["bell\x07\t"]], stream=stream)
    lines = [line.strip() for line in stream.getvalue().splitlines() if line.strip("─ ")]
    assert lines == ["a\\x1b[31m", "x\\ny", "red \\x1b[31m", "two\\nlines", "bell\\x07\\t"]
