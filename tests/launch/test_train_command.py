"""``lstmlab KEY=VALUE …``: one run in its own directory, and one line when it cannot be."""

from pathlib import Path

import pytest
from small_runs import command, overrides

from lstmlab import load
from lstmlab.config import read_config
from lstmlab.tracking.files import read_metrics, read_summary


def test_a_run_goes_into_a_directory_named_by_task_cell_and_time(folder):
    ran = command(*overrides("adding", "cell=gru", "seed=3"))
    assert ran.code == 0
    (directory,) = (folder / "outputs" / "adding" / "gru").iterdir()
    assert directory.name.startswith("20")
    assert read_summary(directory)["status"] == "finished"
    assert read_config(directory / "config.yaml").seed == 3
    assert load(directory).config.cell.name == "gru"
    # The last lines are the result: who ran, how long, how good beside the baseline, and where it lies.
    ended, result = ran.out.splitlines()
    value = read_metrics(directory)[-1]["validation/mse"]
    assert ended.startswith("gru · adding · seed 3 · 4 steps · ")
    assert ended.endswith(f"validation/mse {value:.4g}")
    test = read_summary(directory)["test"]["mse"]
    assert result == f"test mse {test:.4g} · baseline 0.1667 (constant 1) · {directory.relative_to(folder)}"


def test_the_directory_can_be_chosen_and_the_run_resumed(folder):
    arguments = [*overrides("adding"), "hydra.run.dir=runs/a"]
    assert command(*arguments).code == 0
    before = (folder / "runs/a/model.npz").stat().st_mtime_ns
    (again,) = command(*arguments, "resume=true").out.splitlines()
    assert again.startswith("test mse ")
    refused = command(*arguments)
    assert (refused.code, refused.out) == (1, "")
    assert "runs/a holds a run already: add resume=true to go on with it" in refused.err
    assert (folder / "runs/a/model.npz").stat().st_mtime_ns == before
    refused = command(*arguments, "resume=true", "seed=1")
    assert refused.code == 1
    assert "seed=0 (now 1)" in refused.err
    assert refused.err.count("\n") == 1


def test_a_run_that_diverges_says_so_and_keeps_its_rows(folder):
    settings = ["optimizer.name=sgd", "optimizer.learning_rate=1e30", "optimizer.clip_norm=0"]
    failed = command(*overrides("adding", *settings), "hydra.run.dir=run")
    assert failed.code == 1
    assert failed.err.splitlines()[-1].startswith("lstmlab: the loss stopped being finite at step 2")
    assert "Traceback" not in failed.err
    assert failed.out == ""
    assert len(read_metrics(folder / "run")) == 1
    assert read_summary(folder / "run")["status"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cell=conv_lstm", "task=adding"], "needs a task with spatial inputs, such as moving_mnist"),
        (["cell=lstmm"], "unknown cell 'lstmm'; did you mean 'lstm'?"),
        (["model.hiden_size=3", "foo=1"], "unknown key 'model.hiden_size'; did you mean 'hidden_size'?"),
        (["training.steps=0"], "training.steps is 0, but must be at least 1"),
        (["cell=lstm,gru"], "'cell=lstm,gru' lists several values: add -m to sweep over them"),
        (["training.steps=1", "nonsense"], "cannot read 'nonsense': an override is written key=value"),
        (["resume=true", "hydra.run.dir=new"], "new holds no run: name one with hydra.run.dir=DIR"),
        (["--nonsense"], "unrecognized arguments: --nonsense (see lstmlab --help)"),
        (["--config-dir", "nowhere"], "nowhere is not a directory"),
        (["--cfg", "job", "cell=lstmm"], "unknown cell 'lstmm'; did you mean 'lstm'?"),
        (["task.corpus=tiny_shakespeare", "data.dir=a_file"], "a_file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_run_is_one_line_and_leaves_no_results(arguments, told, folder):
    (folder / "a_file").touch()
    refused = command(*arguments)
    assert refused.code != 0
    assert refused.err.startswith("lstmlab: ")
    assert told in refused.err
    assert refused.err.count("\n") == 1
    assert refused.out == ""
    assert not list(folder.rglob("metrics.jsonl"))


def test_files_of_ones_own(folder):
    (folder / "mine" / "experiment").mkdir(parents=True)
    content = "# @package _global_\nmodel:\n  hidden_size: 3\n"
    (folder / "mine" / "experiment" / "narrow.yaml").write_text(content)
    arguments = [a for a in overrides("adding") if not a.startswith("model.")]
    ran = command("--config-dir", "mine", *arguments, "experiment=narrow", "hydra.run.dir=run")
    assert ran.code == 0
    assert read_config(folder / "run" / "config.yaml").model.hidden_size == 3


def test_the_composed_configuration_can_be_shown_without_running_it(folder):
    shown = command("--cfg", "job", "cell=gru", "task=adding")
    assert shown.code == 0
    assert "reset: after" in shown.out
    assert not list(Path().iterdir())
