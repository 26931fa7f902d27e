"""A run that must not see the test split is explained on the validation split."""

import pytest
from small_runs import run, small

from lstmlab import load
from lstmlab.explain.material import sequences


@pytest.mark.parametrize(("test", "split"), [("true", "test"), ("false", "validation")])
def test_which_split_is_looked_at(test, split, tmp_path, monkeypatch):
    run(small("adding", f"training.test={test}"), tmp_path)
    trained = load(tmp_path)
    kind = type(trained.task)
    splits, eval_batch = [], kind.eval_batch

    def noting(task, data, which, *more):
        splits.append(which)
        return eval_batch(task, data, which, *more)

    monkeypatch.setattr(kind, "eval_batch", noting)
    sequences(trained.config, trained.model, trained.task)
    assert splits == [split]
