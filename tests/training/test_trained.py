"""A trained model in use: on sequences, step by step, and to generate."""

import jax
import numpy as np
import pytest
from small_runs import as_older_version, assert_same_bits, parameters, run, small

from lstmlab import ConfigError, load
from lstmlab.tracking.files import RunError
from lstmlab.training.checkpoint import named_leaves

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A character model of two layers."""
    return run(small("char_lm", "model.layers=2"), tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    """A model that gives one output for a whole sequence."""
    return run(small("adding", "cell=gru"), tmp_path_factory.mktemp("sums"))


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory):
    """A model that reads its sequences in both directions."""
    return run(small("adding", "model.bidirectional=true"), tmp_path_factory.mktemp("both"))


def tokens(trained, batch=3, time=7):
    return np.random.default_rng(0).integers(0, trained.task.inputs.size, (batch, time))


def test_loading_gives_the_model_that_was_trained(text):
    loaded = load(str(text.directory))
    assert_same_bits({k: np.asarray(v) for k, v in named_leaves(loaded.model).items()}, parameters(text.directory))
    inputs = tokens(text)
    np.testing.assert_array_equal(loaded(inputs), text(inputs))
    assert loaded.summary == text.summary
    assert loaded.config == text.config
    assert loaded.directory == text.directory


def test_parameters_are_stored_under_readable_names(text):
    names = parameters(text.directory).keys()
    assert {"embedding", "head.kernel", "head.bias", "layers.1.forward.recurrent.kernel"} <= names


def test_step_by_step_equals_the_whole_sequence(text):
    inputs = tokens(text)
    whole = text.run(inputs)
    state, outputs = None, []
    for t in range(inputs.shape[1]):
        output, state = text.step(inputs[:, t], state)
        outputs.append(output)
    np.testing.assert_allclose(np.stack(outputs, axis=1), whole.outputs, **CLOSE)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **CLOSE), state, whole.state)


def test_pieces_equal_the_whole_sequence(text):
    inputs = tokens(text)
    first = text.run(inputs[:, :3])
    second = text.run(inputs[:, 3:], first.state)
    pieces = np.concatenate([first.outputs, second.outputs], axis=1)
    np.testing.assert_allclose(pieces, text(inputs), **CLOSE)


def test_a_fresh_start_is_the_zero_state(text):
    inputs = tokens(text)
    zero = text.model.initial_state(len(inputs))
    np.testing.assert_allclose(text.run(inputs, zero).outputs, text(inputs), **CLOSE)


def test_one_output_per_sequence_can_be_read_after_any_step(sums):
    inputs = np.random.default_rng(0).random((3, 6, 2)).astype("float32")
    state = None
    for t in range(6):
        output, state = sums.step(inputs[:, t], state)
        assert output.shape == (3, 1)
    np.testing.assert_allclose(output, sums(inputs), **CLOSE)
    assert not np.allclose(sums(inputs[:, :5]), output)


def test_padding_does_not_count(sums):
    inputs = np.random.default_rng(0).random((2, 6, 2)).astype("float32")
    padded = inputs.copy()
    padded[0, 4:] = 99.0
    both = sums(padded, lengths=[4, 6])
    np.testing.assert_allclose(both[0], sums(inputs[:1, :4])[0], **CLOSE)
    np.testing.assert_allclose(both[1], sums(inputs[1:])[0], **CLOSE)


def test_a_model_of_both_directions_takes_whole_sequences_only(both_ways):
    inputs = np.zeros((2, 6, 2), "float32")
    assert both_ways(inputs).shape == (2, 1)
    with pytest.raises(ValueError, match="needs the whole sequence"):
        both_ways.step(inputs[:, 0])


def test_generation_is_the_same_for_the_same_seed_and_another_for_another(text):
    prompt = text.task.vocabulary.encode("ROMEO:")
    one, again, other = (text.generate(prompt, 50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert one.shape == (50,)
    assert len(text.task.vocabulary.decode(one)) == 50


def test_temperature_zero_takes_the_likeliest_token_at_every_step(text):
    prompt = text.task.vocabulary.encode("ROMEO:")
    generated = text.generate(prompt, 5, temperature=0.0, seed=3)
    np.testing.assert_array_equal(generated, text.generate(prompt, 5, temperature=0.0, seed=4))
    seen = list(prompt)
    for token in generated:
        assert token == np.argmax(text(np.asarray([seen]))[0, -1])
        seen.append(token)


def test_a_sample_does_not_depend_on_how_many_are_asked_for_nor_on_the_length(text):
    prompt = text.task.vocabulary.encode("ROMEO:")
    many = text.generate(prompt, 30, samples=5, seed=4)
    assert many.shape == (5, 30)
    assert len({tuple(sample) for sample in many}) == 5
    np.testing.assert_array_equal(text.generate(prompt, 12, samples=2, seed=4), many[:2, :12])
    np.testing.assert_array_equal(text.generate(prompt, 30, seed=4), many[0])


def test_only_the_likeliest_tokens_are_drawn(text):
    prompt = text.task.vocabulary.encode("ROMEO:")
    three = set(np.argsort(-np.asarray(text(prompt[None])[0, -1]))[:3].tolist())
    assert set(text.generate(prompt, 1, samples=100, top_k=3, temperature=2.0)[:, 0].tolist()) == three
    greedy = text.generate(prompt, 9, temperature=0.0)
    for settings in ({"top_k": 1}, {"top_p": 1e-6}):
        np.testing.assert_array_equal(text.generate(prompt, 9, **settings), greedy)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top_k": -1}, "top_k is -1, but must be at least 0"),
        ({"top_p": 0.0}, "top_p is 0.0, but must be above 0 and at most 1"),
        ({"top_p": 1.5}, "top_p is 1.5, but must be above 0 and at most 1"),
        ({"top_p": float("nan")}, "top_p is nan, but must be above 0 and at most 1"),
        ({"samples": 0}, "samples is 0, but must be at least 1"),
        ({"temperature": -1.0}, "temperature is -1.0, but must be a number of at least 0"),
        ({"temperature": float("inf")}, "temperature is inf, but must be a number"),
    ],
)
def test_sampling_out_of_range_is_refused(text, settings, message):
    with pytest.raises(ValueError, match=message):
        text.generate([0], 5, **settings)


def test_generation_needs_tokens_and_a_prompt(text, sums):
    with pytest.raises(ValueError, match="task adding has no tokens"):
        sums.generate([0], 5)
    with pytest.raises(ValueError, match="prompt is empty"):
        text.generate([], 5)
    for token in (-1, text.task.inputs.size):
        with pytest.raises(ValueError, match=f"tokens must be 0 to {text.task.inputs.size - 1}"):
            text.generate([0, token], 5)


def test_the_prediction_for_a_batch_is_that_of_its_inputs(sums):
    batch = sums.task.sample(jax.random.key(0), 4)
    np.testing.assert_array_equal(sums.predict(batch), sums(batch.inputs))


def test_what_is_no_finished_run_is_refused(tmp_path, sums):
    with pytest.raises(ConfigError, match="is not a run directory"):
        load(tmp_path)
    (tmp_path / "config.yaml").write_text((sums.directory / "config.yaml").read_text())
    with pytest.raises(RunError, match="has not finished"):
        load(tmp_path)
    (tmp_path / "model.npz").write_bytes((sums.directory / "model.npz").read_bytes())
    with pytest.raises(RunError, match=r"summary\.json"):
        load(tmp_path)


def test_a_model_of_another_size_is_refused_with_the_name_of_the_parameter(tmp_path, sums):
    for name in ("model.npz", "summary.json"):
        (tmp_path / name).write_bytes((sums.directory / name).read_bytes())
    (tmp_path / "config.yaml").write_bytes((sums.directory / "config.yaml").read_bytes())
    config = as_older_version(tmp_path) / "config.yaml"
    config.write_text(config.read_text().replace("hidden_size: 8", "hidden_size: 9"))
    with pytest.raises(RunError, match=r"model\.npz.*kernel.* has shape"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK no archive", b"\x93NUMPY"], ids=str)
def test_a_damaged_model_is_refused(content, tmp_path, sums):
    for name in ("config.yaml", "summary.json"):
        (tmp_path / name).write_bytes((sums.directory / name).read_bytes())
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(RunError, match=r"model\.npz cannot be used") as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_a_text_is_written_by_the_model_that_was_judged(tmp_path):
    # Zoneout is part of the model in use: what is generated must follow from the outputs that evaluation saw.
    trained = run(small("char_lm", "dropout.zoneout=0.5"), tmp_path)
    seen = list(trained.task.vocabulary.encode("ROMEO:"))
    # A model that has learned little writes one letter again and again: a sharper head has more to say.
    trained.model.head.kernel = trained.model.head.kernel * 30
    for token in trained.generate(seen, 20, temperature=0.0):
        assert token == np.argmax(trained(np.asarray([seen]))[0, -1])
        seen.append(token)
