"""The comparison as a W&B run of its own: tables, curves with intervals, pictures, the best members."""

import wandb_reader
from small_runs import command, overrides

from lstmlab.study import compare
from lstmlab.study.publish import publish_comparison
from lstmlab.tracking.wandb_sink import WandbSettings

SWEEP = ["-m", "cell=rnn,gru", *overrides("adding"), "seed=0,1", "wandb.mode=offline", "hydra.sweep.dir=sweep"]


def test_a_sweep_leaves_one_more_run_than_it_has_jobs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = command(*SWEEP)
    assert shown.code == 0
    assert shown.out.count("to upload these runs to W&B: wandb sync sweep/wandb sweep/*/wandb\n") == 1
    sweep = tmp_path / "sweep"
    run = wandb_reader.read_run(sweep)
    assert (run["group"], run["name"], run["exit_code"]) == ("sweep", "comparison sweep", 0)
    members = [wandb_reader.read_run(path.parent) for path in sweep.glob("*/summary.json")]
    assert len(members) == 4
    assert {member["group"] for member in members} == {"sweep"}
    assert run["id"] not in {member["id"] for member in members}
    history = wandb_reader.read_history(sweep)
    named = {name for row in history for name in row}
    assert {"comparison", "best_members", "comparison_adding", "comparison_adding_intervals"} <= named
    # The curves: the mean of two seeds lies between them.
    curve = {row["step"]: row for row in history if "adding/rnn" in row}
    assert sorted(curve) == [2, 4]
    for row in curve.values():
        assert row["adding/rnn/low"] <= row["adding/rnn"] <= row["adding/rnn/high"]


def test_a_second_comparison_goes_on_in_the_same_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(*SWEEP, "wandb.mode=disabled").code == 0
    comparison = compare(["sweep"])
    for _ in range(2):
        publish_comparison(comparison, [], tmp_path / "sweep", WandbSettings(name="again"))
    assert len(wandb_reader.wandb_files(tmp_path / "sweep")) == 2
    assert (tmp_path / "sweep" / "wandb_id.txt").read_text().strip() == wandb_reader.read_run(tmp_path / "sweep")["id"]
    assert all(run.parent.name != "files" for run in (tmp_path / "sweep").rglob("metrics.jsonl"))
    assert len(compare(["sweep"]).settings) == 2  # W&B's own files are no runs
