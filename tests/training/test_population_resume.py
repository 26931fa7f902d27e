"""A population that was stopped goes on: members at unlike steps, some finished, some not begun."""

import pytest
from population_runs import assert_ran_about_as, assert_ran_as, populate
from small_runs import run, small

from lstmlab.config import ConfigError
from lstmlab.tracking.files import read_summary
from lstmlab.training import Hooks
from lstmlab.training.checkpoint import Checkpoints

SETTINGS = ["cell=rnn", "training.steps=8", "training.checkpoint_every=2", "training.eval_every=4"]


def members(*more):
    return [small("adding", *SETTINGS, f"seed={seed}", *more) for seed in range(4)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    directory = tmp_path_factory.mktemp("alone")
    for index, config in enumerate(members()):
        run(config, directory / str(index))
    return directory


class Interrupts(Hooks):
    """Ctrl-C once so many members have taken so many steps."""

    def __init__(self, members, steps):
        self.members, self.steps, self.taken = members, steps, {}

    def on_advance(self, index, steps):
        self.taken[index] = self.taken.get(index, 0) + steps
        if sum(taken >= self.steps for taken in self.taken.values()) >= self.members:
            raise KeyboardInterrupt


def stop_at(step, config, directory, monkeypatch):
    """Leave a run with the checkpoint of this step as its last."""
    works = Checkpoints.save

    def stopping(self, at, *args):
        works(self, at, *args)
        if at == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Checkpoints, "save", stopping)
        run(config, directory)


@pytest.mark.parametrize("strategy", ["threads", "vmap"])
def test_members_at_unlike_steps_go_on_from_where_they_stood(strategy, alone, tmp_path, monkeypatch):
    # One at step 2, one at step 6, one finished, one not begun, and after that everything again.
    first = members()
    stop_at(2, first[0], tmp_path / "0", monkeypatch)
    stop_at(6, first[1], tmp_path / "1", monkeypatch)
    run(first[2], tmp_path / "2")
    before = (tmp_path / "2" / "model.npz").stat().st_mtime_ns
    outcomes = populate(members("resume=true"), tmp_path, strategy=strategy, max_members=4)
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert (tmp_path / "2" / "model.npz").stat().st_mtime_ns == before
    for name in "0123":
        # Members of unlike steps are crews of their own: even under vmap these are plain programs.
        assert_ran_as(tmp_path / name, alone / name)
    assert outcomes[2].trained is None
    assert outcomes[2].summary == read_summary(tmp_path / "2")


@pytest.mark.parametrize(("strategy", "check"), [("threads", assert_ran_as), ("vmap", assert_ran_about_as)])
def test_an_interrupted_population_can_be_resumed(strategy, check, alone, tmp_path):
    settings = {"strategy": strategy, "max_members": 4, "workers": 1}
    with pytest.raises(KeyboardInterrupt):
        populate(members(), tmp_path, hooks=Interrupts(2, 4), **settings)
    states = [read_summary(path.parent)["status"] for path in sorted(tmp_path.glob("*/summary.json"))]
    assert len(states) >= 2
    assert set(states) == {"failed"}
    outcomes = populate(members("resume=true"), tmp_path, **settings)
    assert [outcome.error for outcome in outcomes] == [None] * 4
    for name in "0123":
        check(tmp_path / name, alone / name)


def test_the_sweep_bar_starts_where_the_resumed_members_stand(alone, tmp_path, monkeypatch):
    class Counts(Hooks):
        def __init__(self):
            self.taken = {}

        def on_advance(self, index, steps):
            self.taken.setdefault(index, []).append(steps)

    stop_at(6, members()[1], tmp_path / "1", monkeypatch)
    hooks = Counts()
    populate(members("resume=true")[:2], tmp_path, hooks=hooks)
    assert hooks.taken == {0: [0, 2, 2, 2, 2], 1: [6, 2]}


def test_a_directory_of_another_run_is_refused_for_its_member_only(tmp_path):
    run(members()[0], tmp_path / "0")
    other = small("adding", *SETTINGS, "seed=0", "optimizer.learning_rate=0.5", "resume=true")
    outcomes = populate([other, members("resume=true")[1]], tmp_path)
    assert isinstance(outcomes[0].error, ConfigError)
    assert "optimizer.learning_rate=0.002 (now 0.5)" in str(outcomes[0].error)
    assert outcomes[1].error is None
