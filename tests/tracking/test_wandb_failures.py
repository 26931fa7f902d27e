"""No failure of W&B reaches a run: it goes on, offline or without W&B, and says so once."""

import pytest
import wandb
from wandb_reader import read_history, read_run, wandb_files

from lstmlab.tracking import RunFiles, Tracker, WandbSettings, open_tracker, wandb_sinks
from lstmlab.tracking.files import read_metrics, read_summary

OFFLINE = WandbSettings(mode="offline")
ONLINE = WandbSettings(mode="online", init_timeout=1.0)


def test_what_wandb_says_while_it_logs_in_is_not_shown(tmp_path, run_program):
    program = (
        "import sys, wandb\n"
        "from lstmlab.tracking import WandbSettings, open_tracker\n"
        "wandb.login = lambda **settings: wandb.termlog('chatter')\n"
        "with open_tracker(sys.argv[1], wandb=WandbSettings(mode='online')):\n"
        "    pass\n"
    )
    [warning] = run_program(program, tmp_path).stderr.splitlines()
    assert warning.startswith("W&B is offline")


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_wandb_failing_to_start_leaves_the_run_alone(tmp_path, monkeypatch, warnings, mode):
    def broken(**settings):
        raise wandb.errors.CommError("service\nmissing")

    monkeypatch.setattr(wandb, "init", broken)
    monkeypatch.setattr(wandb, "login", lambda **settings: False)
    with open_tracker(tmp_path, wandb=WandbSettings(mode=mode)) as tracker:
        tracker.log(1, {"loss": 1.0})
    assert read_metrics(tmp_path) == [{"step": 1, "loss": 1.0}]
    assert read_summary(tmp_path)["status"] == "finished"
    assert warnings()[-1].startswith("W&B is left out from here on (CommError: service mi")


def test_wandb_failing_in_mid_run_leaves_the_run_alone(tmp_path, monkeypatch, warnings):
    [sink] = wandb_sinks(tmp_path, OFFLINE)
    with Tracker(RunFiles(tmp_path), sink) as tracker:
        tracker.log(1, {"loss": 1.0})

        def lost(*arguments, **settings):
            raise ConnectionResetError("Connection lost")

        assert sink._sink is not None
        run = sink._sink._run
        with monkeypatch.context() as patch:
            patch.setattr(run, "log", lost)
            tracker.log(2, {"loss": 2.0})
        tracker.log(3, {"loss": 3.0})
        tracker.finish({"loss": 3.0})
    run.finish()
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 2, 3]
    assert read_summary(tmp_path) == {"status": "finished", "loss": 3.0}
    assert [row["step"] for row in read_history(tmp_path)] == [1]
    assert len(warnings()) == 1


def test_the_death_of_wandbs_helper_process_leaves_the_run_alone(tmp_path, run_program):
    program = (
        "import os, pathlib, signal, sys\n"
        "from lstmlab.tracking import WandbSettings, open_tracker\n"
        "with open_tracker(sys.argv[1], wandb=WandbSettings()) as tracker:\n"
        "    tracker.log(1, {'loss': 1.0})\n"
        "    for status in pathlib.Path('/proc').glob('[0-9]*/status'):\n"
        "        text = status.read_text()\n"
        "        if f'PPid:\\t{os.getpid()}\\n' in text and 'wandb-core' in text:\n"
        "            os.kill(int(status.parent.name), signal.SIGKILL)\n"
        "            os.waitpid(int(status.parent.name), 0)\n"
        "            print('killed')\n"
        "    for step in range(2, 6):\n"
        "        tracker.log(step, {'loss': 1.0})\n"
        "print('done')\n"
    )
    ended = run_program(program, tmp_path)
    assert ended.stdout == "killed\ndone\n"
    assert ended.stderr.count("W&B is left out from here on") == 1
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 2, 3, 4, 5]
    assert read_summary(tmp_path)["status"] == "finished"


def test_an_unreachable_server_costs_seconds_once_and_runs_are_offline(tmp_path, run_program):
    # Port 9 on this machine: nobody answers there.
    program = (
        "import os, sys, time\n"
        "os.environ.update(WANDB_BASE_URL='http://127.0.0.1:9', WANDB_API_KEY='a' * 40)\n"
        "os.environ.update(WANDB_HTTP_TIMEOUT='1')\n"
        "from lstmlab.tracking import WandbSettings, open_tracker\n"
        "for name in ('a', 'b'):\n"
        "    began = time.monotonic()\n"
        "    settings = WandbSettings(mode='online', init_timeout=2.0)\n"
        "    with open_tracker(os.path.join(sys.argv[1], name), wandb=settings) as tracker:\n"
        "        tracker.log(1, {'loss': 1.0})\n"
        "    print(time.monotonic() - began)\n"
    )
    ended = run_program(program, tmp_path)
    first, second = map(float, ended.stdout.split())
    assert second < first < 20.0
    assert second < 1.0  # less than the one second that asking the server again would take
    warnings = ended.stderr.splitlines()
    assert len(warnings) == 2
    assert all(line.startswith("W&B is offline, upload later with 'wandb sync' (") for line in warnings)
    for name in ("a", "b"):
        assert read_history(tmp_path / name) == [{"step": 1, "loss": 1.0}]
        assert [file.parent.name[:7] for file in wandb_files(tmp_path / name)] == ["offline"]


def test_without_a_key_nobody_is_asked_for_one(tmp_path, monkeypatch, warnings):
    monkeypatch.setattr(wandb, "login", lambda **settings: bool(settings["prompt"]))
    with open_tracker(tmp_path, wandb=ONLINE) as tracker:
        tracker.log(1, {"loss": 1.0})
    [warning] = warnings()
    assert "no API key: run 'wandb login' once" in warning
    assert read_history(tmp_path) == [{"step": 1, "loss": 1.0}]


def test_an_online_start_that_fails_after_login_goes_on_offline(tmp_path, monkeypatch, warnings):
    start, modes = wandb.init, []

    def init(**settings):
        modes.append(settings["mode"])
        if settings["mode"] == "online":
            assert settings["settings"].init_timeout == 1.0
            raise wandb.errors.CommError("permission denied")
        return start(**settings)

    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.setattr(wandb, "login", lambda **settings: True)
    with open_tracker(tmp_path, wandb=ONLINE) as tracker:
        tracker.log(1, {"loss": 1.0})
    assert modes == ["online", "offline"]
    [warning] = warnings()
    assert "permission denied" in warning
    assert read_history(tmp_path) == [{"step": 1, "loss": 1.0}]
    assert read_run(tmp_path)["id"] == (tmp_path / "wandb_id.txt").read_text().strip()


def test_asked_for_online_the_environment_does_not_keep_a_run_offline(tmp_path, monkeypatch, warnings):
    modes = []
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(wandb, "login", lambda **settings: modes.append(wandb.setup().settings.mode))
    before = wandb.setup().settings.mode
    with open_tracker(tmp_path, wandb=ONLINE):
        pass
    assert modes == ["online"]
    assert wandb.setup().settings.mode == before
    assert "no API key" in warnings()[0]
