"""``lstmlab -m``: several runs, one table, and no job lost to another's failure."""

import json
from types import SimpleNamespace

import pytest
from small_runs import command, overrides

from lstmlab.commands.train import check
from lstmlab.config import ConfigError
from lstmlab.launch import callbacks
from lstmlab.tracking.files import read_summary


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Three cells, of which one cannot do the task."""
    directory = tmp_path_factory.mktemp("sweep")
    cells = "cell=rnn,conv_lstm,gru"
    ran = command("-m", cells, *overrides("adding", "seed=0"), f"hydra.sweep.dir={directory}")
    return directory, ran


def test_every_job_has_its_own_directory(sweep):
    directory, _ = sweep
    finished = sorted(path.parent.name for path in directory.glob("*/summary.json"))
    assert finished == ["0_rnn_adding_seed0", "2_gru_adding_seed0"]
    assert all(read_summary(directory / name)["status"] == "finished" for name in finished)


def test_a_failing_job_is_reported_and_the_exit_status_tells(sweep):
    _, ran = sweep
    assert ran.code == 1
    (line,) = [line for line in ran.err.splitlines() if line.startswith("lstmlab: ")]
    assert line.startswith("lstmlab: job 1 failed: cell conv_lstm with cell.map=conv needs a task with spatial inputs")
    assert "Traceback" not in ran.err


def test_it_ends_with_the_table_and_its_files(sweep):
    directory, ran = sweep
    table = ran.out[ran.out.index("Comparison of") :]
    assert "rnn" in table
    assert "gru" in table
    assert "conv_lstm" not in table
    assert "0.1667 (constant 1)" in table
    names = ["comparison.md", "comparison.csv", "comparison.json"]
    names += ["comparison_adding.png", "comparison_adding_intervals.png"]
    assert all((directory / name).stat().st_size > 0 for name in names)
    assert table.splitlines()[-1] == f"written to {directory}: {', '.join(names)}"
    rows = json.loads((directory / "comparison.json").read_text())["rows"]
    assert {row["cell"] for row in rows} == {"rnn", "gru"}


def test_a_sweep_without_failures_ends_well_and_can_be_resumed(sweep):
    directory, _ = sweep
    before = {path: path.stat().st_mtime_ns for path in directory.glob("*/model.npz")}
    arguments = ["-m", "cell=rnn", *overrides("adding", "seed=0"), f"hydra.sweep.dir={directory}", "resume=true"]
    assert command(*arguments).code == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_job_that_diverges_does_not_end_the_sweep(folder):
    settings = ["optimizer.name=sgd", "optimizer.clip_norm=0", "cell=rnn"]
    rates = "optimizer.learning_rate=1e30,0.01"
    ran = command("-m", rates, *overrides("adding", *settings), "hydra.sweep.dir=sweep")
    assert ran.code == 1
    states = [read_summary(path.parent)["status"] for path in sorted((folder / "sweep").glob("*/summary.json"))]
    assert states == ["failed", "finished"]
    assert "left out: " in ran.out
    assert "the loss stopped being finite at step 2" in ran.out


def test_when_no_job_has_a_result_the_end_says_so(folder):
    ran = command("-m", "cell=conv_lstm", *overrides("adding"), "hydra.sweep.dir=sweep")
    assert ran.code == 1
    assert ran.out == "no comparison: no finished run in sweep\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cell=lstm,lstmm"], "unknown cell 'lstmm'; did you mean 'lstm'?"),
        (["cell=lstm,gru", "model.hidden_size=8,0"], "model.hidden_size is 0, but must be at least 1"),
        (["cell=lstm,gru", "training.stepz=8"], "'training.stepz'; did you mean 'steps'?"),
        (["task=adding,copy_memory", "task.length=5"], "unknown key 'task.length'"),
        (["optimizer.learning_rate=interval(0,1)"], "write them out, or search the range with search=random"),
        (["cell=range(1,3)"], "cannot use 'cell=1'"),
        (["cell=null,lstm"], "cannot use 'cell=null'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_faulty_value_is_found_before_the_first_job_starts(arguments, told, folder):
    refused = command("-m", *arguments)
    assert refused.code == 1
    assert told in refused.err
    assert refused.err.startswith("lstmlab: ")
    assert refused.err.count("\n") == 1
    assert not list(folder.iterdir())


def test_every_value_of_every_key_is_checked():
    check(["cell=lstm,gru", "seed=range(3)", "optimizer.learning_rate=choice(0.1,0.2)"], sweep=True)
    check(["cell=glob(*)", "seed=1,2"], sweep=True)  # only Hydra knows the names
    check(["cell=lstm", "hydra.run.dir=a"], sweep=False)
    with pytest.raises(ConfigError, match="seed is 'x'"):
        check(["cell=glob(*)", "model.layers=1,2", "seed=1,x"], sweep=True)
    with pytest.raises(ConfigError, match="add -m"):
        check(["seed=1,2"], sweep=False)


def test_the_table_of_a_directory_without_results_is_no_error(folder, capsys):
    hydra = SimpleNamespace(hydra=SimpleNamespace(sweep=SimpleNamespace(dir=str(folder))))
    callbacks.ComparisonTable().on_multirun_end(hydra)
    assert "no comparison: no finished run" in capsys.readouterr().out
