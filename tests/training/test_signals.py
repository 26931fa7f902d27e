"""Ctrl-C and SIGTERM end a run at a safe point, with a checkpoint there."""

import signal
import threading

import pytest
from population_runs import assert_ran_as, populate
from small_runs import assert_same_bits, parameters, run, small, untimed

from lstmlab.tracking import Tracker
from lstmlab.tracking.files import read_metrics, read_summary
from lstmlab.training import Hooks
from lstmlab.training.checkpoint import Checkpoints
from lstmlab.training.interrupts import Terminated, interrupts_at_safe_points, terminate_as_usual, terminate_like_ctrl_c

# No checkpoint is due before the last step.
SETTINGS = ["training.steps=12", "training.log_every=2", "training.eval_every=12", "training.checkpoint_every=0"]
STOPS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


def config_of(*more):
    return small("adding", *SETTINGS, *more)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run that nobody disturbed."""
    return run(config_of(), tmp_path_factory.mktemp("alone")).directory


@pytest.fixture(autouse=True)
def default_handlers():
    """As in a program that was started by hand."""
    before = {number: signal.getsignal(number) for number in STOPS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_it_stops_with_a_checkpoint_of_that_step_and_goes_on_to_the_same_bits(number, alone, tmp_path, monkeypatch):
    step = 6
    works = Tracker.log

    def log(self, at, row):
        works(self, at, row)
        if at == step:
            signal.raise_signal(number)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as stopped:
        patch.setattr(Tracker, "log", log)
        run(config_of(), tmp_path)
    assert stopped.type is STOPS[number]
    assert Checkpoints(tmp_path).latest_step == step
    assert read_summary(tmp_path) == {"status": "failed", "error": "interrupted"}
    assert [row["step"] for row in read_metrics(tmp_path)] == list(range(2, step + 1, 2))
    logged = []
    with monkeypatch.context() as patch:
        patch.setattr(Tracker, "log", lambda self, at, row: (logged.append(at), works(self, at, row)))
        run(config_of("resume=true"), tmp_path)
    assert logged == list(range(step + 2, 13, 2))
    assert_same_bits(parameters(tmp_path), parameters(alone))
    assert untimed(read_metrics(tmp_path)) == untimed(read_metrics(alone))


class Sends(Hooks):
    """Send the signal when the members have taken this many steps, all counted together."""

    def __init__(self, number, steps):
        self.number, self.left = number, steps

    def on_advance(self, index, steps):
        before, self.left = self.left, self.left - steps
        if before > 0 >= self.left:
            signal.raise_signal(self.number)


@pytest.mark.parametrize(("strategy", "number"), [("threads", signal.SIGTERM), ("vmap", signal.SIGINT)])
def test_a_population_keeps_a_checkpoint_of_every_member_that_is_under_way(number, strategy, tmp_path):
    def members(*more):
        return [config_of(f"seed={seed}", *more) for seed in range(3)]

    settings = {"strategy": strategy, "max_members": 3, "workers": 1}
    with pytest.raises(STOPS[number]):
        populate(members(), tmp_path / "stopped", hooks=Sends(number, 6), **settings)
    kept = {}
    for place in (tmp_path / "stopped").iterdir():
        rows = read_metrics(place)
        if rows:
            kept[place.name] = Checkpoints(place).latest_step
            assert kept[place.name] == rows[-1]["step"]
    assert kept
    outcomes = populate(members("resume=true"), tmp_path / "stopped", **settings)
    assert [outcome.error for outcome in outcomes] == [None] * 3
    if strategy == "threads":
        populate(members(), tmp_path / "alone", **settings)
        for name in "012":
            assert_ran_as(tmp_path / "stopped" / name, tmp_path / "alone" / name)


def test_sigterm_may_be_repeated_but_a_second_ctrl_c_acts_at_once():
    with interrupts_at_safe_points() as signals:
        assert not signals.requested()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert signals.requested()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_outside_of_a_run_sigterm_acts_at_once_and_inside_at_a_safe_point():
    terminate_like_ctrl_c()
    with pytest.raises(Terminated):
        signal.raise_signal(signal.SIGTERM)
    with interrupts_at_safe_points() as signals:
        signal.raise_signal(signal.SIGTERM)
        assert signals.requested()
    with pytest.raises(Terminated):
        signal.raise_signal(signal.SIGTERM)
    terminate_as_usual()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_handler_of_somebody_else_stays():
    heard = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    with interrupts_at_safe_points() as signals:
        signal.raise_signal(signal.SIGTERM)
        assert not signals.requested()
    assert heard == [signal.SIGTERM]


def test_nothing_is_installed_in_another_thread():
    seen = []

    def look():
        with interrupts_at_safe_points() as signals:
            seen.append((signal.getsignal(signal.SIGTERM), signals.requested()))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(signal.SIG_DFL, False)]
