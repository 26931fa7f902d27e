"""W&B offline: its files hold what was logged, under the identity of the run."""

import math
import time

import numpy as np
import pytest
from PIL import Image
from wandb_reader import read_history, read_records, read_run, wandb_files

from lstmlab.tracking import WandbSettings, open_tracker
from lstmlab.tracking.files import read_metrics

OFFLINE = WandbSettings(mode="offline")


def test_an_offline_run_holds_the_logged_numbers_and_the_identity_of_the_run(tmp_path):
    settings = WandbSettings(project="bench", group="sweep 1", name="lstm", tags=["a", "b"])
    config = {"cell": {"name": "lstm", "forget_bias": 1.0}, "data": tmp_path}
    with open_tracker(tmp_path, wandb=settings, config=config) as tracker:
        tracker.log(10, {"train/loss": 1.25, "validation/loss": 1.5})
        tracker.log(20, {"train/loss": math.nan})
        tracker.finish({"test": {"loss": 0.5}, "backend": "scan"})
    first, second = read_history(tmp_path)
    assert first == {"step": 10, "train/loss": 1.25, "validation/loss": 1.5}
    assert second["step"] == 20
    assert math.isnan(float(second["train/loss"]))
    run = read_run(tmp_path)
    assert (run["project"], run["group"], run["name"]) == ("bench", "sweep 1", "lstm")
    assert sorted(run["tags"]) == ["a", "b"]
    assert run["config"]["cell"] == {"name": "lstm", "forget_bias": 1.0}
    assert run["config"]["data"] == tmp_path.as_posix()
    assert run["summary"]["test"] == {"loss": 0.5}
    assert run["summary"]["backend"] == "scan"
    assert run["exit_code"] == 0
    assert run["id"] == (tmp_path / "wandb_id.txt").read_text().strip()


def test_step_is_the_x_axis_of_every_metric(tmp_path):
    with open_tracker(tmp_path, wandb=OFFLINE) as tracker:
        tracker.log(10, {"train/loss": 1.0})
    metrics = [record.metric for record in read_records(wandb_files(tmp_path)[0])]
    assert [metric.step_metric for metric in metrics if metric.glob_name == "*"] == ["step"]


def test_no_row_of_a_long_run_is_lost(tmp_path):
    # Much more than the 32 KiB of one block of the file.
    rows = [{"step": step, **{f"metric {i}": step + i / 8 for i in range(8)}} for step in range(500)]
    with open_tracker(tmp_path, wandb=OFFLINE) as tracker:
        for row in rows:
            tracker.log(row["step"], {name: row[name] for name in row if name != "step"})
    assert read_history(tmp_path) == rows == read_metrics(tmp_path)


def test_steps_may_come_late_or_twice(tmp_path):
    with open_tracker(tmp_path, wandb=OFFLINE) as tracker:
        for step in (10, 30, 20, 20):
            tracker.log(step, {"loss": float(step)})
    assert [(row["step"], row["loss"]) for row in read_history(tmp_path)] == [
        (10, 10.0),
        (30, 30.0),
        (20, 20.0),
        (20, 20.0),
    ]


def test_texts_pictures_videos_and_tables_are_media_of_their_step(tmp_path):
    # Only 0 and 1: some versions of wandb stretch such an array to 0 and 255.
    pixels = np.eye(4, dtype=np.uint8)
    with open_tracker(tmp_path, wandb=OFFLINE) as tracker:
        tracker.text(5, "samples/greedy", "<a> & b")
        tracker.image(5, "gates", pixels)
        tracker.image(6, "gates", tmp_path / "pictures" / "gates-0000005.png")
        tracker.video(5, "frames", np.zeros((3, 8, 8), np.uint8))
        tracker.table(5, "cells", ["cell", "loss"], [["lstm", np.float32(0.5)], ["gru", "–"]])
    history = read_history(tmp_path)
    media = {(row["step"], key): row[key] for row in history for key in row if key != "step"}
    folder = wandb_files(tmp_path)[0].parent / "files"
    kinds = {key: entry["_type"] for key, entry in media.items()}
    assert kinds == {
        (5, "samples/greedy"): "html-file",
        (5, "gates"): "image-file",
        (6, "gates"): "image-file",
        (5, "frames"): "video-file",
        (5, "cells"): "table-file",
    }
    page = (folder / media[5, "samples/greedy"]["path"]).read_text()
    assert "&lt;a&gt; &amp; b" in page
    for step in (5, 6):
        shown = Image.open(folder / media[step, "gates"]["path"])
        np.testing.assert_array_equal(np.asarray(shown), pixels)


def test_two_runs_of_one_process_are_live_at_once_and_stay_apart(tmp_path):
    trackers = [open_tracker(tmp_path / name, wandb=OFFLINE) for name in ("a", "b")]
    for step in (1, 2):
        for member, tracker in enumerate(trackers):
            tracker.log(step, {"loss": 10.0 * member + step})
    trackers[0].finish()
    trackers[1].log(3, {"loss": 13.0})
    trackers[1].fail("diverged")
    assert [row["loss"] for row in read_history(tmp_path / "a")] == [1.0, 2.0]
    assert [row["loss"] for row in read_history(tmp_path / "b")] == [11.0, 12.0, 13.0]
    ends = [read_run(tmp_path / name) for name in ("a", "b")]
    assert [end["exit_code"] for end in ends] == [0, 1]
    assert ends[1]["summary"]["error"] == "diverged"
    assert ends[0]["id"] != ends[1]["id"]


def test_a_resumed_run_goes_on_under_its_identifier_and_a_new_one_does_not(tmp_path):
    with open_tracker(tmp_path, wandb=OFFLINE) as tracker:
        tracker.log(10, {"loss": 1.0})
    first = read_run(tmp_path)["id"]
    with open_tracker(tmp_path, wandb=OFFLINE, resume_step=10) as tracker:
        tracker.log(20, {"loss": 2.0})
    assert read_run(tmp_path)["id"] == first
    assert [row["step"] for row in read_history(tmp_path)] == [10, 20]
    with open_tracker(tmp_path, wandb=OFFLINE):
        pass
    assert read_run(tmp_path)["id"] != first


def test_an_identifier_from_the_settings_is_used(tmp_path):
    with open_tracker(tmp_path, wandb=WandbSettings(id="my-run")):
        pass
    assert read_run(tmp_path)["id"] == "my-run"


def test_disabled_does_not_even_import_wandb(tmp_path, run_program):
    program = (
        "import sys\n"
        "from lstmlab.tracking import WandbSettings, open_tracker\n"
        "with open_tracker(sys.argv[1], wandb=WandbSettings(mode='disabled')) as tracker:\n"
        "    tracker.log(1, {'loss': 1.0})\n"
        "print('wandb' in sys.modules)\n"
    )
    assert run_program(program, tmp_path).stdout == "False\n"
    assert not (tmp_path / "wandb").exists()
    assert not (tmp_path / "wandb_id.txt").exists()


@pytest.mark.parametrize("before", ["", "import wandb; wandb.setup()"])
def test_an_offline_run_prints_nothing(tmp_path, run_program, before):
    program = (
        f"import logging, sys; {before}\n"
        "logging.basicConfig(level=logging.INFO)  # as Hydra does\n"
        "from lstmlab.tracking import WandbSettings, open_tracker\n"
        "with open_tracker(sys.argv[1], wandb=WandbSettings()) as tracker:\n"
        "    tracker.log(1, {'loss': 1.0})\n"
    )
    ended = run_program(program, tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert read_history(tmp_path) == [{"step": 1, "loss": 1.0}]


def test_an_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'onlin' \(known: offline, online, disabled\)"):
        WandbSettings(mode="onlin")


def test_settings_serve_as_a_hydra_schema():
    from omegaconf import OmegaConf

    schema = OmegaConf.structured(WandbSettings)
    schema.mode = "disabled"
    assert OmegaConf.to_object(schema) == WandbSettings(mode="disabled")


def test_starting_and_finishing_offline_costs_no_time_worth_speaking_of(tmp_path):
    with open_tracker(tmp_path / "first", wandb=OFFLINE):
        pass  # starts wandb's helper process, once per process
    began = time.monotonic()
    for member in range(5):
        with open_tracker(tmp_path / str(member), wandb=OFFLINE):
            pass
    # Measured 0.02 s a run on two cores; the bound leaves room for a busy machine.
    assert (time.monotonic() - began) / 5 < 1.0
