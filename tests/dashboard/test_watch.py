import json
import shutil
import time

import pytest
import yaml
from run_directories import append, finished, row, running, write_run

from lstmlab.dashboard import locks
from lstmlab.dashboard import watch as watching
from lstmlab.dashboard.run import DIVERGED, FAILED, FINISHED, RUNNING, STOPPED, WAITING
from lstmlab.dashboard.watch import Watch


class Clock:
    """Seconds since 1970 that a test can let pass."""

    def __init__(self):
        self.later = 0.0

    def __call__(self):
        return time.time() + self.later


@pytest.fixture
def clock():
    return Clock()


def seen(*directories, clock=time.time):
    """The runs after one poll, by name."""
    watch = Watch(directories, clock=clock)
    watch.poll()
    return {run.name: run for run in watch.snapshot().runs}


NOT_FINITE = "RunFailed: the loss stopped being finite at step 20: lower optimizer.learning_rate"
ENDS = {
    "finished": (finished(0.1), FINISHED),
    "nan": (finished(float("nan")), DIVERGED),
    "diverged": ({"status": "failed", "error": NOT_FINITE}, DIVERGED),
    "failed": ({"status": "failed", "error": "DataError: no such file"}, FAILED),
    "stopped": ({"status": "failed", "error": "interrupted"}, STOPPED),
    "terminated": ({"status": "failed", "error": "SystemExit: 143"}, STOPPED),
}


@pytest.mark.parametrize("end", ENDS)
def test_state_of_a_run_that_has_ended(tmp_path, end):
    summary, state = ENDS[end]
    write_run(tmp_path / "a", 3, summary=summary)
    run = seen(tmp_path)["a"]
    assert (run.state, run.step, run.steps) == (state, 30, 1000)
    assert (state in (DIVERGED, FAILED)) <= bool(run.reason)


def test_a_run_is_running_while_its_directory_is_locked_and_interrupted_when_it_is_not(tmp_path, clock):
    write_run(tmp_path / "a", 3)
    watch = Watch([tmp_path], clock=clock)
    clock.later = 3600
    with running(tmp_path / "a"):
        watch.poll()
        assert watch.snapshot().runs[0].state == RUNNING
    watch.poll()
    assert watch.snapshot().runs[0].state == STOPPED


def test_the_lock_is_not_taken(tmp_path):
    write_run(tmp_path / "a", 3)
    before = sorted(path.name for path in (tmp_path / "a").iterdir())
    seen(tmp_path)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == before
    with running(tmp_path / "a"):  # would be refused while anybody else holds it
        seen(tmp_path)


def test_where_locks_are_not_seen_a_run_counts_as_running_as_long_as_it_may_write_again(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(locks, "_LOCKS", tmp_path / "no such file")
    write_run(tmp_path / "runs" / "slow", 3, training__log_every=30_000)  # a row every 300 s
    write_run(tmp_path / "runs" / "quick", 3)
    for clock.later, slow, quick in ((30, RUNNING, RUNNING), (600, RUNNING, STOPPED), (1200, STOPPED, STOPPED)):
        runs = seen(tmp_path / "runs", clock=clock)
        assert (runs["slow"].state, runs["quick"].state) == (slow, quick)


def test_time_left_is_measured(tmp_path, clock):
    write_run(tmp_path / "a", 1)
    watch = Watch([tmp_path], clock=clock)
    with running(tmp_path / "a"):
        watch.poll()
        logged = watch.snapshot().runs[0].left
        for later in (10, 20, 30):
            clock.later = later
            append(tmp_path / "a", row(10 + 10 * later))
            watch.poll()
        measured = watch.snapshot().runs[0].left
    assert logged == pytest.approx(990 / 100, abs=1)  # as fast as the run says
    assert measured == pytest.approx((1000 - 310) / 10, rel=0.5)  # ten steps per second, as its rows arrive


def test_new_rows_new_runs_and_new_ends_are_seen(tmp_path, clock):
    write_run(tmp_path / "a", 1)
    watch = Watch([tmp_path], clock=clock)
    watch.poll()
    first = watch.snapshot()
    watch.poll()
    append(tmp_path / "a", row(500))
    write_run(tmp_path / "b", 1)
    clock.later = 3
    watch.poll()
    second = watch.snapshot()
    (tmp_path / "a" / "summary.json").write_text(json.dumps(finished(0.5)))
    watch.poll()
    third = watch.snapshot()
    assert first.version < second.version < third.version
    assert [run.name for run in second.runs] == ["a", "b"]
    assert second.runs[0].step == 500
    assert third.runs[0].state == FINISHED
    assert watch.curve(second.runs[0].id, "train/loss")[0].tolist() == [10, 500]


def test_directories_that_vanish_are_gone_and_may_come_back(tmp_path, clock):
    write_run(tmp_path / "sweep" / "a", 1)
    write_run(tmp_path / "sweep" / "b", 1)
    watch = Watch([tmp_path / "sweep"], clock=clock)
    watch.poll()
    shutil.rmtree(tmp_path / "sweep" / "a")
    watch.poll()
    assert [run.name for run in watch.snapshot().runs] == ["b"]
    shutil.rmtree(tmp_path / "sweep")
    clock.later = 3
    watch.poll()
    assert watch.snapshot().runs == []
    write_run(tmp_path / "sweep" / "c", 1)
    clock.later = 6
    watch.poll()
    assert [run.name for run in watch.snapshot().runs] == ["c"]


BAD = {
    "config.yaml": ["{", "- 1", "a: &a [1]\nb: *a", "x" * (1 << 21), "\x00"],
    "summary.json": ["{", "[]", "{}", '{"status": 3}', "[" * 100_000],
}


@pytest.mark.parametrize(("name", "content"), [(name, content) for name in BAD for content in BAD[name]])
def test_files_that_cannot_be_read_are_named_beside_their_run_and_do_not_hide_others(tmp_path, name, content):
    write_run(tmp_path / "bad", 2, summary=finished(0.1))
    write_run(tmp_path / "good", 2, summary=finished(0.1))
    (tmp_path / "bad" / name).write_text(content)
    runs = seen(tmp_path)
    assert name in runs["bad"].reason
    assert "\n" not in runs["bad"].reason
    assert runs["good"].state == FINISHED
    assert not runs["good"].reason


def test_copies_of_configurations_are_no_runs_and_names_are_escaped(tmp_path):
    write_run(tmp_path / "a", 1)
    for folder in (".hydra", "wandb/files", "checkpoints"):
        write_run(tmp_path / "a" / folder, 1)
    write_run(tmp_path / "b\n<b>", 1)
    assert list(seen(tmp_path)) == ["a", "b\\n<b>"]


def test_names_are_in_natural_order_and_tell_watched_directories_apart(tmp_path):
    for place in ("x/10", "x/9", "y/1"):
        write_run(tmp_path / place, 1)
    assert list(seen(tmp_path / "x")) == ["9", "10"]
    assert list(seen(tmp_path / "x", tmp_path / "y")) == ["x/9", "x/10", "y/1"]
    assert list(seen(tmp_path, tmp_path / "x")) == [f"{tmp_path.name}/{name}" for name in ("x/9", "x/10", "y/1")]


def sweep(directory, *arguments, **sweeper):
    """A sweep as Hydra lists it, with its first job begun."""
    target = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
    hydra = {"sweeper": {"_target_": target, **sweeper}, "overrides": {"task": list(arguments)}}
    directory.mkdir()
    (directory / "multirun.yaml").write_text(yaml.safe_dump({"hydra": hydra}))


def begin(directory, number, *overrides, rows=1, **keys):
    run = write_run(directory / str(number), rows, **keys)
    (run / ".hydra").mkdir()
    (run / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(list(overrides)))
    return run


def test_jobs_of_a_sweep_that_have_not_begun_wait_while_it_goes_on(tmp_path, clock):
    sweep(tmp_path / "s", "cell=lstm,gru", "seed=range(0,2)", "optimizer.learning_rate=0.1")
    run = begin(tmp_path / "s", 0, "cell=lstm", "seed=0", "optimizer.learning_rate=0.1", optimizer__learning_rate=0.1)
    watch = Watch([tmp_path / "s"], clock=clock)
    clock.later = 3600
    with running(run):
        watch.poll()
    first, *others = watch.snapshot().runs
    assert (first.name, first.state) == ("0", RUNNING)
    assert [(each.state, each.config["cell.name"], each.config["seed"]) for each in others] == [
        (WAITING, "lstm", 1), (WAITING, "gru", 0), (WAITING, "gru", 1),
    ]  # fmt: skip
    assert [each.name for each in others] == ["s: cell=lstm seed=1", "s: cell=gru seed=0", "s: cell=gru seed=1"]
    assert {each.config["task.name"] for each in others} == {"adding"}
    assert {each.steps for each in others} == {1000}
    begin(tmp_path / "s", 1, "cell=lstm", "seed=1", "optimizer.learning_rate=0.1", summary=finished(0.1))
    clock.later += 3
    watch.poll()
    states = [run.state for run in watch.snapshot().runs]
    assert states == [STOPPED, FINISHED, STOPPED, STOPPED]  # nothing runs any more


@pytest.mark.parametrize("content", ["{", "hydra: 3", "hydra: {sweeper: {_target_: other}}", "[]"])
def test_a_sweep_whose_jobs_are_not_known_has_no_waiting_ones(tmp_path, content):
    begin(tmp_path, 0, "cell=lstm")
    (tmp_path / "multirun.yaml").write_text(content)
    assert list(seen(tmp_path)) == ["0"]


def test_a_sweep_of_very_many_jobs_lists_none(tmp_path):
    sweep(tmp_path / "s", "seed=range(0,1000000)", "cell=lstm,gru")
    assert seen(tmp_path / "s") == {}


def test_polls_of_many_runs_are_quick(tmp_path, monkeypatch):
    first = write_run(tmp_path / "0", 2, summary=finished(0.1))
    for number in range(1, 300):
        shutil.copytree(first, tmp_path / str(number))
    watch = Watch([tmp_path])
    watch.poll()
    assert len(watch.snapshot().runs) == 300
    monkeypatch.setattr(watching, "_SCAN_EVERY", 1e9)
    started = time.process_time()
    watch.poll()
    assert time.process_time() - started < 0.2  # a tenth of it where nothing else runs
