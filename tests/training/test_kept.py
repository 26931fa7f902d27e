"""The models of a run besides its best one."""

import jax
import numpy as np
import pytest
from small_runs import run, small

from lstmlab.tracking.files import RunError
from lstmlab.training import functions
from lstmlab.training.kept import initial_model, kept_models


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return run(small("adding", "seed=3"), tmp_path_factory.mktemp("kept"))


def leaves(model):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(model)]


def test_the_initial_model_is_the_one_before_the_first_step(trained):
    for made, expected in zip(
        leaves(initial_model(trained.config)), leaves(functions.init(trained.config).model), strict=True
    ):
        np.testing.assert_allclose(made, expected, rtol=1e-6, atol=1e-7)


def test_the_checkpoint_of_the_best_step_holds_the_best_model(trained):
    kept = dict(kept_models(trained.directory, trained.model))
    assert list(kept) == [2, 4]
    for one, best in zip(leaves(kept[trained.summary["best_step"]]), leaves(trained.model), strict=True):
        np.testing.assert_array_equal(one, best)


def test_a_damaged_checkpoint_is_named(trained):
    folder = trained.directory / "checkpoints" / "9"
    (folder / "state").mkdir(parents=True)
    with pytest.raises(RunError, match="checkpoints/9 cannot be read"):
        list(kept_models(trained.directory, trained.model))
    (folder / "state").rmdir()
    folder.rmdir()
