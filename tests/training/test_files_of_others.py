"""What a run did not write stays where it is, and is not taken for the run's."""

import pytest
from small_runs import command, overrides, run, small

from lstmlab.config import ConfigError
from lstmlab.tracking.files import RunError
from lstmlab.training import RunFailed

FOREIGN = ["notes.txt", "checkpoints/mine.pt", "checkpoints/best/a.pt", "samples/mine-0000001.txt",
           "pictures/holiday-20240101.png", "tables/a-0000002.csv", ".config.yaml.swp", "model.pt"]  # fmt: skip


def refusal(call, *arguments):
    with pytest.raises((RunError, RunFailed, ConfigError)) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("more", [[], ["resume=true"]])
def test_files_of_others_stay(more, tmp_path):
    for name in FOREIGN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"mine: {name}")
    run(small("char_lm"), tmp_path)
    ours = {path.name for path in (tmp_path / "samples").iterdir()}
    assert len(ours) > 1
    (tmp_path / "summary.json").unlink()
    run(small("char_lm", *more, *([] if more else ["training.steps=2"])), tmp_path)
    for name in FOREIGN:
        assert (tmp_path / name).read_text() == f"mine: {name}"
    if not more:  # what the first run had shown at its end is gone
        assert not [name for name in ours if "0000004" in name and (tmp_path / "samples" / name).exists()]


@pytest.mark.parametrize("name", ["model.npz", "summary.json", "metrics.jsonl", "task.json", "config.yaml"])
def test_a_file_that_no_run_wrote_is_not_overwritten(name, tmp_path):
    (tmp_path / name).write_text("mine: 1\n")
    assert str(tmp_path / name) in refusal(run, small("adding"), tmp_path)
    ran = command(*overrides("adding"), f"hydra.run.dir={tmp_path}")
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert (tmp_path / name).read_text() == "mine: 1\n"


@pytest.mark.parametrize("name", ["7", "7/mine.pt", "007/x", "12.orbax-checkpoint-tmp-3/mine"])
def test_what_has_the_name_of_a_checkpoint_but_is_none_is_neither_used_nor_removed(name, tmp_path):
    path = tmp_path / "checkpoints" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert "is no checkpoint of a run" in refusal(run, small("adding"), tmp_path)
    assert path.read_text() == "mine"
