"""An interrupted run goes on where it stopped and ends with the same bits; nothing else may be resumed."""

import pytest
from small_runs import assert_same_bits, parameters, run, small, untimed

from lstmlab.config import ConfigError
from lstmlab.tracking import Tracker
from lstmlab.tracking.files import read_metrics, read_summary
from lstmlab.training.checkpoint import Checkpoints
from lstmlab.training.recorder import Recorder

SETTINGS = [
    "training.steps=10", "training.log_every=1", "training.eval_every=4", "training.checkpoint_every=2",
    "dropout.layer=0.3", "optimizer.learning_rate=0.05",
]  # fmt: skip


def config_of(*settings):
    return small("adding", *SETTINGS, *settings)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run that nobody disturbed."""
    return run(config_of(), tmp_path_factory.mktemp("alone"))


def interrupt(monkeypatch, owner, method, *, step=None, before=False):
    """The method raises as Ctrl-C does, before or after it has worked, at the given step."""
    works = getattr(owner, method)

    def interrupted(self, *args):
        hit = step is None or step in args
        if hit and before:
            raise KeyboardInterrupt
        result = works(self, *args)
        if hit:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(owner, method, interrupted)


MOMENTS = {
    "before the first row": (Tracker, "log", {"step": 1, "before": True}),
    "after a row, before any checkpoint": (Tracker, "log", {"step": 1}),
    "after a row that has no checkpoint yet": (Tracker, "log", {"step": 7}),
    "after an evaluation that has no checkpoint yet": (Checkpoints, "save", {"step": 8, "before": True}),
    "after a checkpoint": (Checkpoints, "save", {"step": 4}),
    "after the last step": (Recorder, "finish", {"before": True}),
    "after everything but the summary": (Tracker, "finish", {"before": True}),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_interrupted_and_resumed_is_as_if_left_alone(moment, alone, tmp_path, monkeypatch):
    owner, method, when = MOMENTS[moment]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, owner, method, **when)
        run(config_of(), tmp_path)
    assert read_summary(tmp_path)["status"] == "failed"
    resumed = run(config_of("resume=true"), tmp_path)
    assert_same_bits(parameters(tmp_path), parameters(alone.directory))
    assert untimed(read_metrics(tmp_path)) == untimed(read_metrics(alone.directory))
    timed = ("seconds", "steps_per_second", "peak_memory", "git_revision")
    assert {k: v for k, v in resumed.summary.items() if k not in timed} == {
        k: v for k, v in alone.summary.items() if k not in timed
    }


def test_a_resumed_run_does_not_repeat_what_a_checkpoint_holds(tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, Checkpoints, "save", step=6)
        run(config_of(), tmp_path)
    logged = []
    works = Tracker.log
    monkeypatch.setattr(Tracker, "log", lambda self, step, row: (logged.append(step), works(self, step, row)))
    run(config_of("resume=true"), tmp_path)
    assert logged == [7, 8, 9, 10]


def test_the_time_spent_before_the_interruption_counts(tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, Recorder, "finish", before=True)
        run(config_of(), tmp_path)
    rows = read_metrics(tmp_path)
    spent = sum(1 / row["time/steps_per_second"] for row in rows)
    # No step was left to take: all of the time is that of the first start.
    assert run(config_of("resume=true"), tmp_path).summary["seconds"]["train"] == pytest.approx(spent)


def test_a_finished_run_is_loaded_and_not_run_again(alone, monkeypatch):
    monkeypatch.setattr(Recorder, "open", lambda self, compiled: pytest.fail("trained again"))
    before = {path: path.stat().st_mtime_ns for path in alone.directory.rglob("*") if path.is_file()}
    again = run(config_of("resume=true"), alone.directory)
    assert again.summary == read_summary(alone.directory)
    assert_same_bits(parameters(again.directory), parameters(alone.directory))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_there_may_be_nothing_to_resume(tmp_path, alone):
    run(config_of("resume=true"), tmp_path / "new")
    assert_same_bits(parameters(tmp_path / "new"), parameters(alone.directory))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("training.steps=20", "training.steps=10 (now 20)"),
        ("cell=gru", "cell.name=lstm (now gru)"),
        ("task.length=9", "task.length=6 (now 9)"),
        ("seed=5", "seed=0 (now 5)"),
        ("optimizer.learning_rate=0.5", "optimizer.learning_rate=0.05 (now 0.5)"),
    ],
)
def test_a_run_of_other_settings_is_not_resumed(change, told, alone):
    with pytest.raises(ConfigError) as error:
        run(config_of("resume=true", change), alone.directory)
    message = str(error.value)
    assert told in message
    assert str(alone.directory) in message
    assert "\n" not in message
    # And nothing was touched.
    assert read_summary(alone.directory)["status"] == "finished"


def test_where_results_go_may_change(alone):
    changed = config_of("resume=true", "name=another", "wandb.project=elsewhere", "data.dir=/elsewhere")
    assert run(changed, alone.directory).summary["status"] == "finished"


def test_without_resume_a_used_directory_starts_over(alone, tmp_path):
    run(config_of("seed=1"), tmp_path)
    run(config_of(), tmp_path)
    assert_same_bits(parameters(tmp_path), parameters(alone.directory))
    assert untimed(read_metrics(tmp_path)) == untimed(read_metrics(alone.directory))
