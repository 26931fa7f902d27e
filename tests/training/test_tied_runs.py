"""Runs whose head shares the token embedding: trained in populations, counted, stored and loaded with one matrix."""

import numpy as np
import pytest
from population_runs import populate
from small_runs import command, parameters, small

from lstmlab import ConfigError, load, train
from lstmlab.training.budget import parameters_of, size_for_budget, with_hidden_size

TIED = "model.tied_embeddings=true"


def test_a_population_of_cells_shares_its_embeddings_and_keeps_one_matrix_each(tmp_path):
    # Eight units show embeddings of 8 as they are, and of 4 through a projection.
    steps = ["training.steps=2", "training.log_every=1", "training.eval_every=2"]
    settings = [("cell=rnn", "model.embedding_size=8"), ("cell=min_gru", "model.block=plain", "model.embedding_size=4")]
    outcomes = populate([small("copy_memory", TIED, *steps, *more) for more in settings], tmp_path)
    for index, outcome in enumerate(outcomes):
        assert outcome.error is None
        stored = parameters(tmp_path / str(index))
        heads = {"head.bias"} | ({"head.projection.kernel"} if index == 1 else set())
        assert {name for name in stored if name.startswith("head")} == heads
        assert outcome.summary["parameters"] == sum(array.size for array in stored.values())
        trained = load(tmp_path / str(index))
        np.testing.assert_array_equal(trained.model.embedding, stored["embedding"])
        likeliest = int(np.argmax(trained(np.array([[1, 2]]))[0, -1]))
        assert trained.generate([1, 2], 1, temperature=0).tolist() == [likeliest]


def test_a_budget_counts_the_matrix_once_and_finds_the_size_that_needs_no_projection():
    def spent(budget):
        return size_for_budget(
            small("copy_memory", TIED, "model.embedding_size=32", f"model.parameter_budget={budget}")
        )

    def size(units):
        return parameters_of(with_hidden_size(spent(100_000), units))

    # 32 units need fewer parameters than 31 and a projection.
    assert size(29) < size(32) < size(30) < size(31) < size(33)
    found = {units: spent(size(units)).model.hidden_size for units in (29, 30, 31, 32, 33)}
    assert found == {29: 29, 30: 32, 31: 32, 32: 32, 33: 33}
    untied = parameters_of(small("copy_memory", "model.embedding_size=32", "model.hidden_size=32"))
    vocabulary = small("copy_memory").task.inputs.size
    assert untied - size(32) == 32 * vocabulary


def test_a_task_without_tokens_on_both_sides_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"model\.tied_embeddings=true needs tokens as inputs"):
        train(small("adding", TIED), tmp_path / "run", progress=False)
    told = command("task=associative_recall", "wandb.mode=disabled", TIED)
    assert told.code != 0
    (line,) = told.err.strip().splitlines()
    assert "model.tied_embeddings=true needs logits over the tokens that are read" in line
    assert "64 different tokens and has 32 outputs" in line
