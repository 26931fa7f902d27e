"""The command that uploads offline runs, as a shell and ``wandb sync`` read it."""

import shlex
import subprocess
import sys

from lstmlab.tracking.wandb_sync import sync_command


def offline(directory, name="offline-run-1-abc", *, synced=False):
    folder = directory / "wandb" / name
    folder.mkdir(parents=True)
    (folder / "run-abc.wandb").write_bytes(b"")
    if synced:
        (folder / "run-abc.wandb.synced").touch()


def test_where_nothing_is_to_be_uploaded_there_is_no_command(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_DIR", raising=False)
    offline(tmp_path / "online", "run-1-abc")
    offline(tmp_path / "synced", synced=True)
    assert sync_command([tmp_path, tmp_path / "absent"]) is None


def test_wandb_finds_every_offline_run_by_the_command(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_DIR", raising=False)
    sweep = tmp_path / "a sweep"
    for place in (".", "0", "1", "1/explain", "confirm/lstm/0"):
        offline(sweep / place)
    offline(sweep / "2", synced=True)
    told = sync_command([sweep])
    assert told is not None
    where = shlex.quote(str(sweep))
    assert told == f"wandb sync {where}/wandb {where}/*/wandb {where}/*/*/wandb {where}/*/*/*/wandb"
    program = f"{shlex.quote(sys.executable)} -m {told} --dry-run"
    shown = subprocess.run(program, shell=True, capture_output=True, text=True, check=True, timeout=120)
    lines = shown.stdout + shown.stderr
    assert "Would sync 5 run(s)" in lines and "Skipped 1 synced run(s)" in lines


def test_with_wandb_dir_the_runs_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "elsewhere"))
    offline(tmp_path / "run")
    assert sync_command([tmp_path / "run"]) is None
    offline(tmp_path / "elsewhere")
    assert sync_command([tmp_path / "run"]) == f"wandb sync {tmp_path}/elsewhere/wandb"
