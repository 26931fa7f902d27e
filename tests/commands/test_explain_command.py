"""``lstmlab explain``: files for each run, and refusals in one line."""

import json
import shutil

import pytest
import wandb_reader
from small_runs import command

FOLDER = "01-lstm-adding-seed0"
DIAGNOSTICS = ["gradients", "gates", "memory", "dynamics", "generalisation"]


@pytest.fixture(scope="module")
def explained(number_run, tmp_path_factory):
    """What the command prints about a run, and the directory of what it writes."""
    output = tmp_path_factory.mktemp("explained")
    shown = command("explain", str(number_run), "--output", str(output), "--format", "svg")
    assert shown.code == 0
    assert shown.err.count("initialisation: ") == len(DIAGNOSTICS)
    return shown.out, output / FOLDER


def content(path):
    """A file as any reader of JSON reads it: NaN is none."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_a_run_gets_a_small_file_and_figures(explained):
    out, folder = explained
    found = content(folder / "explain.json")
    assert (found["version"], found["run"]["task"]) == (1, "adding")
    assert (folder / "explain.json").stat().st_size < 1e6
    assert {one["diagnostic"] for one in found["findings"]} == set(DIAGNOSTICS)
    assert {f"{name}.svg" for name in DIAGNOSTICS} <= {path.name for path in folder.iterdir()}
    assert f"written to {folder}" in out


def test_findings_are_lists_along_their_axes_at_every_checkpoint(explained):
    found = content(explained[1] / "explain.json")
    names = [one["name"] for one in found["checkpoints"]]
    assert names[0] == "initialisation" and "best" in names
    assert {one["checkpoint"] for one in found["findings"]} == set(names)
    for one in found["findings"]:
        assert one["title"] and one["layer"] == 0
        assert all(len(values) == len(one["axis"]["values"]) for values in one["series"].values()), one["name"]
    [summary] = [f for f in found["findings"] if f["name"] == "gate_summary" and f["checkpoint"] == "initialisation"]
    forget = summary["axis"]["values"].index("forget")
    assert summary["series"]["mean"][forget] == pytest.approx(0.73, abs=0.02)  # σ(1)
    [jacobian] = [f for f in found["findings"] if f["name"] == "state_jacobian" and f["checkpoint"] == "best"]
    assert jacobian["axis"]["values"][0] == 0 and jacobian["series"]["largest"][0] == 1


def test_what_a_task_cannot_give_is_said_in_a_line(explained):
    out, folder = explained
    reason = "error by position: task adding is not answered step by step"
    assert out.count(f"  generalisation: {reason}\n") == 1
    refusals = content(folder / "explain.json")["refusals"]
    assert {"diagnostic": "generalisation", "reason": reason} in refusals


def test_an_unknown_diagnostic_is_refused(number_run):
    shown = command("explain", str(number_run), "--only", "gates,why")
    assert shown.code == 1
    assert shown.err == f"lstmlab: --only: there is no diagnostic 'why', but: {', '.join(DIAGNOSTICS)}\n"


def test_a_directory_without_a_finished_run_is_refused(tmp_path):
    shown = command("explain", str(tmp_path))
    assert (shown.code, shown.err) == (1, f"lstmlab: no finished run at or below {tmp_path}\n")


def test_a_run_that_cannot_be_read_does_not_stop_the_others(number_run, tmp_path):
    broken, whole = tmp_path / "a", tmp_path / "b"
    for directory in (broken, whole):
        shutil.copytree(number_run, directory)
    (broken / "model.npz").unlink()
    out = tmp_path / "out"
    shown = command("explain", str(tmp_path), "--only", "gates", "--output", str(out), "--wandb", "offline")
    assert shown.code == 1
    assert "1 of 2 runs not explained" in shown.err and "model.npz" in shown.err and "Traceback" not in shown.err
    assert (out / "02-lstm-adding-seed0" / "explain.json").exists()
    assert shown.out.endswith(f"to upload to W&B: wandb sync {out}/*/wandb\n")
    assert any("explain/figures/gates" in row for row in wandb_reader.read_history(out / "02-lstm-adding-seed0"))
