"""What weight decay acts on, and which parameters learn at a rate of their own."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import run, small

from lstmlab.cells import cell_names
from lstmlab.config.schema import OptimizerConfig, ScheduleConfig
from lstmlab.models import SequenceModel
from lstmlab.models.parameter_groups import decayed
from lstmlab.tasks import Features, Tokens
from lstmlab.tracking.files import read_metrics
from lstmlab.training.checkpoint import named_leaves
from lstmlab.training.optimizer import make_optimizer

ADAMW = OptimizerConfig(name="adamw", learning_rate=0.1, weight_decay=0.5, clip_norm=0.0)


def model(cell, **settings):
    return SequenceModel(cell, Tokens(5), Features(5), hidden_size=4, key=jax.random.key(0), **settings)


def ones(tree):
    return jax.tree.map(jnp.ones_like, tree)


def first_update(model, gradient, config=ADAMW):
    """What the first step adds to every parameter of a model of ones, by name."""
    optimizer = make_optimizer(config, ScheduleConfig(), 10, model)
    gradients = jax.tree.map(lambda a: jnp.full_like(a, gradient), model)
    updates, _ = optimizer.update(gradients, optimizer.init(ones(model)), ones(model))
    return {name: float(np.asarray(update).ravel()[0]) for name, update in named_leaves(updates).items()}


def test_decay_moves_kernels_and_embeddings_alone():
    moved = first_update(model("lstm", block="residual"), gradient=0.0)
    kernels = {"embedding", "head.kernel", "layers.0.forward.input.kernel", "layers.0.forward.recurrent.kernel"}
    assert kernels < moved.keys()
    for name, update in moved.items():
        # The learning rate times the decay times a parameter of one.
        assert update == pytest.approx(-0.05 if name in kernels else 0.0), name


def test_decay_moves_everything_where_it_is_asked_to():
    everything = dataclasses.replace(ADAMW, weight_decay_on="all")
    assert set(np.round(list(first_update(model("lru"), 0.0, everything).values()), 6)) <= {-0.05, -0.025}


def test_poles_of_an_lru_are_not_decayed_and_learn_at_half_the_rate():
    moved = first_update(model("lru"), gradient=0.0)
    rates = first_update(model("lru"), gradient=1.0, config=dataclasses.replace(ADAMW, weight_decay=0.0))
    for name, update in rates.items():
        slow = name in {f"layers.0.forward.{part}" for part in ("nu", "theta", "gamma", "input.kernel")}
        assert update == pytest.approx(-0.05 if slow else -0.1, rel=1e-4), name
        assert not slow or moved[name] == 0


@pytest.mark.parametrize(("options", "factor"), [({}, 0.1), ({"rate_factor": 0.7}, 0.7), ({"rate_factor": 1.0}, 1.0)])
def test_the_orthogonal_matrix_learns_at_its_own_rate(options, factor):
    moved = first_update(model("exprnn", cell_options=options), 1.0, dataclasses.replace(ADAMW, weight_decay=0.0))
    assert moved["layers.0.forward.recurrent.kernel"] == pytest.approx(-0.1 * factor, rel=1e-4)
    assert moved["layers.0.forward.input.kernel"] == pytest.approx(-0.1, rel=1e-4)


@pytest.mark.parametrize("name", [name for name in cell_names() if name != "conv_lstm"])
def test_no_vector_of_a_cell_is_decayed(name):
    """Biases, peepholes, gains, poles and periods are vectors; maps are named kernels."""
    build = functools.partial(SequenceModel, name, Features(4), Features(2), hidden_size=4)
    shapes = jax.eval_shape(lambda key: build(key=key), jax.random.key(0))
    acts = named_leaves(decayed(shapes))
    for place, leaf in named_leaves(shapes).items():
        if not place.endswith("kernel"):
            assert not acts[place], place
        elif leaf.ndim > 1 and name != "lru":
            assert acts[place], place


def test_a_run_goes_on_from_its_checkpoint_to_the_same_end_and_tells_its_groups(tmp_path):
    settings = ["cell=lru", "optimizer=adamw", "optimizer.weight_decay=0.1", "training.log_every=2"]
    whole = run(small("adding", *settings, "training.steps=4", "training.eval_every=2"), tmp_path / "whole")
    checkpoints = tmp_path / "whole" / "checkpoints"
    (tmp_path / "whole" / "summary.json").unlink()
    assert (checkpoints / "4").is_dir()
    again = run(small("adding", *settings, "training.steps=4", "training.eval_every=2", "resume=true"), whole.directory)
    assert again.summary["test"] == whole.summary["test"]
    assert len(read_metrics(whole.directory)) == 2
    summary = again.summary
    assert summary["block"] == "glu"
    assert summary["learning_rate_factors"] == {"lru.nu": 0.5, "lru.theta": 0.5, "lru.gamma": 0.5, "lru.input": 0.5}
    assert 0 < summary["weight_decay_parameters"] < summary["parameters"]
