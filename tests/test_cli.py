"""Finding commands, help, exit codes and errors; the commands themselves are in ``tests/commands``."""

import pkgutil
import runpy
import signal

import pytest
from processes import started
from small_runs import TASKS, TINY, command, overrides, quick_programs

from lstmlab import commands
from lstmlab.cli import COMMANDS


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def number_run(tmp_path_factory):
    """The directory of a run that has no text."""
    directory = tmp_path_factory.mktemp("numbers")
    assert command(*overrides("adding"), f"hydra.run.dir={directory}").code == 0
    return directory


@pytest.mark.parametrize("argument", ["--help", "-h", "help"])
def test_help_names_every_command_and_shows_how_to_train_and_sweep(argument):
    shown = command(argument)
    assert shown.code == 0
    assert shown.err == ""
    for name in COMMANDS:
        assert f"lstmlab {name}" in shown.out
    for text in ("lstmlab cell=gru task=adding", "lstmlab -m cell=", "resume=true", "wandb.mode=", "--hydra-help"):
        assert text in shown.out


def test_help_is_given_wherever_it_is_asked_for():
    assert command("cell=gru", "--help") == command("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    shown = command(name, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"usage: lstmlab {name}" in shown.out
    assert len(shown.out.splitlines()) >= 5


def test_python_runs_the_package_as_the_command(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["lstmlab", "tasks", "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_module("lstmlab", run_name="__main__")
    assert left.value.code == 0
    assert capsys.readouterr().out == command("tasks", "--help").out


BAD = {
    "unknown command": (
        ["train"],
        "unknown command 'train' (commands: cells, tasks, config, compare, explain, report, dashboard, importance",
    ),
    "no run": (["generate", "{empty}"], "is not a run directory: it has no config.yaml"),
    "no place for a run": (["task=adding", "hydra.run.dir={numbers}/config.yaml/run"], "cannot use"),
    "no directory given": (["generate"], "the following arguments are required: RUN_DIR"),
    "nothing to compare": (["compare", "{empty}"], "no finished run in"),
    "unknown reference": (["compare", "{numbers}", "--reference", "mut"], "--reference mut: no run of this cell"),
    "unknown key to compare by": (["compare", "{numbers}", "--by", "seed"], "--by seed: rows are always kept apart"),
    "nothing to explain": (["importance", "{empty}"], "importance needs at least 4 runs that ended"),
    "nowhere": (["compare", "{empty}/nowhere"], "nowhere is not a directory"),
    "too much": (["cells", "lstm", "gru"], "unrecognized arguments: gru"),
    "unknown cell": (["cells", "ltsm"], "unknown cell 'ltsm'; did you mean 'lstm'?"),
    "unknown key": (["config", "seeds=1"], "unknown key 'seeds'; did you mean 'seed'?"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_on_standard_error(case, number_run, tmp_path):
    arguments, told = BAD[case]
    places = {"empty": tmp_path, "numbers": number_run}
    refused = command(*(argument.format(**places) for argument in arguments))
    assert refused.code != 0
    assert refused.out == ""
    assert refused.err.startswith("lstmlab")
    assert told in refused.err
    assert refused.err.count("\n") == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_stop_a_run_and_say_how_to_go_on(number, status, tmp_path):
    arguments = ["task=adding", *TASKS["adding"], *TINY, "training.steps=1000000", f"hydra.run.dir={tmp_path}/run"]
    environment = {"LSTMLAB_CACHE_DIR": str(tmp_path), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    rows = tmp_path / "run" / "metrics.jsonl"
    with started("-m", "lstmlab.cli", *arguments, **environment) as process:
        process.wait_for(lambda: rows.exists() and rows.stat().st_size)
        process.send(number)
        stopped = process.end()
    assert stopped.code == status
    assert stopped.err.splitlines()[-1].startswith(f"lstmlab: stopped; add resume=true hydra.run.dir={tmp_path}/run to")
    assert "Traceback" not in stopped.err
    assert '"status": "failed"' in (tmp_path / "run" / "summary.json").read_text()


def test_every_file_of_the_package_is_a_command():
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    expected = {"train", *COMMANDS}
    assert {name.replace("_", "-") for name in names if not name.startswith("_")} == expected


@pytest.mark.parametrize("arguments", [[], ["cells"], ["tasks"], ["config"], ["compare"], ["generate"]], ids=" ".join)
def test_help_imports_nothing_heavy(arguments):
    script = (
        "import contextlib, sys; from lstmlab.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({[*arguments, '--help']})\n"
        "print(sorted({'jax', 'numpy', 'hydra', 'matplotlib', 'wandb'} & set(sys.modules)))"
    )
    with started("-c", script) as process:
        shown = process.end()
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines()[-1] == "[]"
