"""Dynamic evaluation: predict a segment, then learn from it, against a loop over the text in plain Python."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import run, small

from lstmlab.tasks.text.char_lm import task as char_lm
from lstmlab.tracking.files import read_summary

UNROLL, RATE = 5, 0.5


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on a text whose test split is 83 characters: 16 whole segments and a shorter one."""
    text = "To be, or not to be, that is the question: " * 38 + "Whether 'tis nobler"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(char_lm, "load_text", lambda corpus, data_dir: text)
        config = small("char_lm", "cell=rnn", f"task.unroll={UNROLL}", f"task.dynamic_rate={RATE}", "dropout.layer=0.5")
        yield run(config, tmp_path_factory.mktemp("dynamic"))


def by_hand(model, tokens, rate):
    """Bits per character: segments one by one, each with the parameters that the ones before have made."""

    @jax.jit
    def learn(model, state, inputs, targets):
        def cost(model):
            out = model(inputs[None], state)
            logs = jax.nn.log_softmax(out.outputs[0])
            nats = -logs[jnp.arange(len(targets)), targets]
            return nats.mean(), (nats, out.state)

        gradients, (nats, state) = jax.grad(cost, has_aux=True)(model)
        return jax.tree.map(lambda p, g: p - rate * g, model, gradients), state, nats

    state, bits = None, []
    for first in range(0, len(tokens) - 1, UNROLL):
        segment = tokens[first : first + UNROLL + 1]
        model, state, nats = learn(model, state, segment[:-1], segment[1:])
        bits += (nats / np.log(2)).tolist()
    assert len(bits) == len(tokens) - 1
    return np.mean(bits)


def test_segments_are_predicted_before_they_are_learned_from(trained):
    tokens = trained.task.data()["test"]
    assert (len(tokens) - 1) % UNROLL
    before = jax.tree.map(np.asarray, trained.model)
    found = trained.metrics_while_learning("test", RATE)
    assert found["bpc"] == pytest.approx(by_hand(trained.model, tokens, RATE), rel=1e-4)
    assert found["bpc"] < by_hand(trained.model, tokens, 0.0)
    jax.tree.map(np.testing.assert_array_equal, trained.model, before)


def test_at_rate_zero_nothing_is_learned(trained):
    tokens = trained.task.data()["test"]
    logs = jax.nn.log_softmax(trained(tokens[None, :-1])[0])
    plain = -np.mean(np.asarray(logs)[np.arange(len(tokens) - 1), tokens[1:]]) / np.log(2)
    assert trained.metrics_while_learning("test", 0.0)["bpc"] == pytest.approx(plain, rel=1e-5)


def test_a_run_reports_it_beside_the_plain_metrics(trained):
    test = read_summary(trained.directory)["test"]
    assert set(test) == {"bpc", "accuracy", "dynamic_bpc", "dynamic_accuracy"}
    assert test["dynamic_bpc"] == pytest.approx(trained.metrics_while_learning("test", RATE)["bpc"], rel=1e-6)
    assert trained.summary["value"] == test["bpc"] > test["dynamic_bpc"]
