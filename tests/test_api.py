"""lstmlab from Python, as a research script uses it: compose, train, load, and cells of one's own."""

import doctest
import importlib
import re
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import overrides, quick_programs

import lstmlab
from lstmlab.cells import HState
from lstmlab.cells.registry import CELLS

DOCUMENTED = ["lstmlab", "lstmlab.config.compose", "lstmlab.training.run"]
EXAMPLES = doctest.DocTestParser().get_examples


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    config = lstmlab.compose(overrides("char_lm", "cell=gru"))
    return lstmlab.train(config, tmp_path_factory.mktemp("run"), progress=False)


@pytest.fixture
def own_cell(monkeypatch):
    """A cell of one's own, as the README and the cells' documentation write one."""
    monkeypatch.setattr(CELLS, "entries", dict(CELLS.entries))

    @lstmlab.register_cell("minimal", title="Minimal gated unit", paper="Zhou et al. 2016")
    class Minimal(lstmlab.Cell):
        """h_t = f h_{t-1} + (1 - f) tanh(candidate)."""

        gates = ("forget", "candidate")

        def update(self, state, z, r):
            forget, candidate = self.split(z + r)
            forget, candidate = 1 / (1 + jnp.exp(-forget)), jnp.tanh(candidate)
            h = forget * state.h + (1 - forget) * candidate
            return HState(h), {"forget": forget, "candidate": candidate}

    return Minimal


def test_every_public_name_is_there_and_an_unknown_one_is_an_error():
    for name in lstmlab.__all__:
        assert getattr(lstmlab, name).__name__ == name
    assert dir(lstmlab) == lstmlab.__all__
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = lstmlab.nonesuch


def test_importing_the_package_costs_nothing():
    program = "import sys, lstmlab; print([m for m in ('jax', 'flax', 'hydra', 'wandb') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_examples_in_the_documentation_run(name):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module)
    assert outcome.failed == 0
    assert outcome.attempted > 0


@pytest.mark.parametrize("name", ["lstmlab", "lstmlab.training.run"])
def test_the_examples_that_take_long_run_in_a_small_size(name, tmp_path, monkeypatch):
    # The documented lines themselves, with fewer steps: examples that are skipped above must not rot.
    monkeypatch.chdir(tmp_path)
    source = sys.modules[name].__doc__ if name == "lstmlab" else lstmlab.train.__doc__
    lines = [example.source for example in EXAMPLES(source)]
    assert any("train(" in line for line in lines)
    names = {}
    for line in lines:
        line = re.sub(r"# doctest: \+SKIP", "", line).strip()
        small = [o for o in overrides("adding") if not o.startswith("task=")]
        line = line.replace("])", f", *{small!r}])") if "compose(" in line else line
        exec(line, names)
    assert (tmp_path / "outputs" / "example" / "summary.json").exists()
    assert names["trained"].summary["status"] == "finished"


def test_the_example_of_loading_a_run_works(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "my_run").symlink_to(trained.directory)
    sequences = trained.task.vocabulary.encode("To be, or not to be")[None]
    names = {"load": lstmlab.load, "sequences": sequences, "first_inputs": sequences[:, 0]}
    for example in EXAMPLES(lstmlab.load.__doc__):
        exec(example.source, names)
    np.testing.assert_allclose(names["output"], names["outputs"][:, 0], rtol=1e-5, atol=1e-6)


def test_a_script_composes_trains_and_loads(trained):
    loaded = lstmlab.load(trained.directory)
    assert isinstance(loaded, lstmlab.Trained)
    assert isinstance(loaded.model, lstmlab.SequenceModel)
    assert isinstance(loaded.config, lstmlab.Config)
    assert isinstance(loaded.task, lstmlab.Task)
    assert loaded.summary["test"]["bpc"] == trained.summary["test"]["bpc"]


def test_a_loaded_model_gives_the_same_on_sequences_and_step_by_step(trained):
    loaded = lstmlab.load(trained.directory)
    sequences = loaded.task.vocabulary.encode("To be, or not to be")[None]
    outputs = loaded(sequences)
    assert outputs.shape == (1, sequences.shape[1], loaded.task.outputs.size)
    state = None
    for t in range(sequences.shape[1]):
        output, state = loaded.step(sequences[:, t], state)
        np.testing.assert_allclose(output, outputs[:, t], rtol=1e-5, atol=1e-6)


def test_training_is_silent_when_asked(tmp_path, capfd):
    lstmlab.train(lstmlab.compose(overrides("adding")), tmp_path / "silent", progress=False)
    assert capfd.readouterr() == ("", "")
    lstmlab.train(lstmlab.compose(overrides("adding")), tmp_path / "told")
    assert capfd.readouterr().out.startswith("lstm · adding · seed 0 · 4 steps")


def test_a_cell_of_ones_own_trains_and_is_loaded(own_cell, tmp_path):
    config = lstmlab.compose(overrides("adding", "cell=minimal", "dropout.recurrent=0.1"))
    trained = lstmlab.train(config, tmp_path, progress=False)
    assert trained.summary["cell"] == "minimal"
    # Two gates of 8 units over 2 inputs, 8 states and a bias; a head of 8 weights and a bias.
    assert trained.summary["parameters"] == 2 * 8 * (2 + 8 + 1) + 9
    inputs = np.ones((1, 6, 2), "float32")
    np.testing.assert_array_equal(lstmlab.load(tmp_path)(inputs), trained(inputs))


def test_a_run_of_a_cell_that_is_not_registered_any_more_says_so(own_cell, tmp_path, monkeypatch):
    config = lstmlab.compose(overrides("adding", "cell=minimal"))
    lstmlab.train(config, tmp_path, progress=False)
    monkeypatch.delitem(CELLS.entries, "minimal")
    with pytest.raises(lstmlab.ConfigError, match=r"config\.yaml: unknown cell 'minimal'"):
        lstmlab.load(tmp_path)


def test_runs_are_compared_from_a_script(trained):
    comparison = lstmlab.compare([trained.directory])
    assert [row["cell"] for row in comparison.rows] == ["gru"]
