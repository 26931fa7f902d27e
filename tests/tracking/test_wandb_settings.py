"""What decides how a run appears in W&B: the configuration, then W&B's environment variables, then our own defaults."""

import json

import pytest
from wandb_reader import read_run

from lstmlab.config.schema import WandbConfig
from lstmlab.tracking import RunError, WandbSettings, open_tracker
from lstmlab.tracking.wandb_settings import remembered, wandb_settings

VARIABLES = {
    "WANDB_MODE": "disabled", "WANDB_PROJECT": "theirs", "WANDB_ENTITY": "team", "WANDB_TAGS": "a, b,",
    "WANDB_RUN_GROUP": "night", "WANDB_NOTES": "why", "WANDB_JOB_TYPE": "ablation", "WANDB_DIR": "/elsewhere",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def chosen(config, **arguments):
    settings = wandb_settings(config, name="a run", **arguments)
    return (settings.mode, settings.project, settings.entity, settings.group, settings.job_type, settings.tags,
            settings.notes, settings.dir)  # fmt: skip


def test_without_configuration_and_environment_runs_are_offline_in_our_project():
    assert chosen(WandbConfig(), group="sweep 1") == (
        "offline", "lstmlab", None, "sweep 1", "train", [], None, None,
    )  # fmt: skip


def test_the_environment_counts_where_the_configuration_says_nothing(monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert chosen(WandbConfig(), group="sweep 1") == (
        "disabled", "theirs", "team", "night", "ablation", ["a", "b"], "why", "/elsewhere",
    )  # fmt: skip
    assert wandb_settings(WandbConfig(), name="a run", job_type="explain").job_type == "explain"


def test_the_configuration_wins_where_it_says_something(monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    config = WandbConfig(
        mode="online", project="mine", entity="me", group="day", job_type="tuning", tags=("c",), notes="because"
    )
    assert chosen(config, group="sweep 1")[:-1] == (
        "online", "mine", "me", "day", "tuning", ["c"], "because",
    )  # fmt: skip


@pytest.mark.parametrize(("value", "mode"), [("dryrun", "offline"), ("run", "online")])
def test_modes_that_wandb_calls_otherwise(monkeypatch, value, mode):
    monkeypatch.setenv("WANDB_MODE", value)
    assert wandb_settings(WandbConfig(), name="a run").mode == mode


@pytest.mark.parametrize("value", ["shared", "", "of"])
def test_an_unknown_mode_of_the_environment_is_refused_in_one_line(monkeypatch, value):
    monkeypatch.setenv("WANDB_MODE", value)
    with pytest.raises(RunError, match=rf"^WANDB_MODE is '{value}', but must be one of: offline, online, disabled; or"):
        wandb_settings(WandbConfig(), name="a run")
    assert wandb_settings(WandbConfig(mode="disabled"), name="a run").mode == "disabled"


def test_where_wandb_would_fail_over_its_variable_the_configuration_does_not_help(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "of")
    with pytest.raises(RunError, match=r"^WANDB_MODE is 'of', but"):
        wandb_settings(WandbConfig(mode="offline"), name="a run")
    monkeypatch.setenv("WANDB_MODE", "shared")
    assert wandb_settings(WandbConfig(mode="offline"), name="a run").mode == "offline"


def test_wandb_is_told_kind_notes_axes_and_goals(tmp_path):
    settings = WandbSettings(
        job_type="ablation", notes="why\nnot", goals={"validation/accuracy": "max", "test/loss": "min"},
        axes={"gradient/best": "lag"},
    )  # fmt: skip
    with open_tracker(tmp_path, wandb=settings) as tracker:
        for step, accuracy in enumerate((0.5, 0.75, 0.25)):
            tracker.log(step, {"validation/accuracy": accuracy, "train/loss": 1.0})
        tracker.log(3, {"lag": 1.0, "gradient/best": 0.5})
        tracker.finish({"test": {"loss": 0.125}})
    run = read_run(tmp_path)
    assert (run["job_type"], run["notes"]) == ("ablation", "why\nnot")
    assert run["summary"]["validation/accuracy"] == {"max": 0.75, "last": 0.25}
    assert run["summary"]["test/loss"] == 0.125
    metrics = run["metrics"]
    assert metrics["validation/accuracy"] == {"step": "step", "summary": {"max", "last"}, "hidden": False}
    assert metrics["gradient/best"]["step"] == "lag" and metrics["lag"]["hidden"]
    assert metrics["*"]["step"] == "step"


def test_wandbs_files_go_where_the_settings_say(tmp_path):
    with open_tracker(tmp_path / "run", wandb=WandbSettings(dir=str(tmp_path / "new" / "place"))):
        pass
    assert not (tmp_path / "run" / "wandb").exists()
    assert read_run(tmp_path / "new" / "place")["exit_code"] == 0


def test_a_run_directory_remembers_who_the_run_is(tmp_path):
    assert remembered(tmp_path) is None
    settings = WandbSettings(project="bench", group="sweep 1", job_type="train", name="lstm", tags=["a"], notes="why")
    with open_tracker(tmp_path, wandb=settings):
        pass
    found = remembered(tmp_path)
    assert found is not None and found.id == read_run(tmp_path)["id"]
    found.id = None
    assert found == settings


def test_a_run_of_a_wandb_agent_is_remembered_as_the_agent_calls_it(tmp_path, run_program):
    program = (
        "import os, sys\n"
        "os.environ.update(WANDB_SWEEP_ID='tuning', WANDB_RUN_ID='theirs', WANDB_PROJECT='agents')\n"
        "from lstmlab.tracking import WandbSettings, open_tracker\n"
        "with open_tracker(sys.argv[1], wandb=WandbSettings()) as tracker:\n"
        "    tracker.log(1, {'loss': 1.0})\n"
    )
    assert run_program(program, tmp_path).stderr == ""
    found = remembered(tmp_path)
    assert found is not None and (found.id, found.project) == ("theirs", "agents")
    assert read_run(tmp_path)["id"] == "theirs"


@pytest.mark.parametrize("damage", [lambda c: c | {"group": 3}, lambda c: {}, lambda c: c | {"mode": "x"}, None])
def test_a_damaged_memory_is_named(tmp_path, damage):
    with open_tracker(tmp_path, wandb=WandbSettings()):
        pass
    file = tmp_path / "wandb_run.json"
    file.write_text(json.dumps(damage(json.loads(file.read_text()))) if damage else "{")
    with pytest.raises(RunError, match=r"wandb_run\.json does not say how the run appears in W&B"):
        remembered(tmp_path)
