"""Weights from and to PyTorch: every cell, depth, direction and bias gives the same outputs."""

import jax
import numpy as np
import pytest
from interop_checks import (
    BATCH,
    FEATURES,
    HIDDEN,
    OUTPUTS,
    TIME,
    assert_close,
    assert_same_bits,
    blank,
    run,
    sequences,
)

from lstmlab.interop import cell_from_torch, cell_to_torch, from_torch, to_torch
from lstmlab.tasks import Tokens

torch = pytest.importorskip("torch")
nn = torch.nn

KINDS = {
    "rnn_tanh": ("rnn", {"activation": "tanh"}, nn.RNN, {"nonlinearity": "tanh"}),
    "rnn_relu": ("rnn", {"activation": "relu"}, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": ("lstm", {}, nn.LSTM, {}),
    "gru": ("gru", {}, nn.GRU, {}),
}
SINGLE = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
PARTS = {"prefix": "recurrent.", "head": "linear."}


class TheirModel(nn.Module):
    def __init__(self, kind, layers=1, bidirectional=False, bias=True):
        super().__init__()
        _, _, cls, settings = KINDS[kind]
        self.recurrent = cls(
            FEATURES, HIDDEN, layers,
            bidirectional=bidirectional, bias=bias, batch_first=True, **settings,
        )  # fmt: skip
        self.linear = nn.Linear(HIDDEN * (2 if bidirectional else 1), OUTPUTS)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0, 0.4)

    def forward(self, inputs):
        outputs, state = self.recurrent(inputs)
        return self.linear(outputs), state


def ours(kind, **settings):
    cell, options, _, _ = KINDS[kind]
    return blank(cell, **options, **settings)


def run_torch(module, inputs):
    with torch.no_grad():
        outputs, state = module(torch.from_numpy(inputs))
    return outputs.numpy(), [s.numpy() for s in (state if isinstance(state, tuple) else (state,))]


def load(module, arrays):
    """Strict: every name must be there, and no other."""
    module.load_state_dict({name: torch.as_tensor(array) for name, array in arrays.items()})


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_states_are_equal_both_ways(kind, layers, bidirectional, bias):
    shape = {"layers": layers, "bidirectional": bidirectional, "bias": bias}
    torch.manual_seed(0)
    theirs, inputs = TheirModel(kind, **shape), sequences()
    start = ours(kind, **shape)

    imported = from_torch(start, theirs.state_dict(), **PARTS)
    outputs, states = run_torch(theirs, inputs)
    result = run(imported, inputs)
    assert_close(result.outputs, outputs)
    # PyTorch's order of final states: layer by layer, forward before backward.
    flat = [state for layer in result.state for state in layer]
    for field, expected in zip(("h", "c"), states, strict=False):
        assert_close(np.stack([getattr(state, field) for state in flat]), expected)

    load(theirs, to_torch(start, **PARTS))
    assert_close(run(start, inputs).outputs, run_torch(theirs, inputs)[0])


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trips_are_exact(kind, bias):
    shape = {"layers": 2, "bidirectional": True, "bias": bias}
    model = ours(kind, seed=1, **shape)
    exported = to_torch(model, **PARTS)
    assert_same_bits(from_torch(ours(kind, seed=2, **shape), exported, **PARTS), model)

    again = to_torch(from_torch(ours(kind, seed=2, **shape), exported, **PARTS), **PARTS)
    assert again.keys() == exported.keys()
    for name in exported:
        np.testing.assert_array_equal(again[name], exported[name])


@pytest.mark.parametrize("kind", KINDS)
def test_single_cells(kind):
    cell_name, options, _, settings = KINDS[kind]
    module = SINGLE[cell_name](FEATURES, HIDDEN, **settings)
    cell = blank(cell_name, **options).layers[0].forward
    x = sequences()[:, 0]
    h = np.random.default_rng(2).normal(size=(BATCH, HIDDEN)).astype("f4")
    state = cell.initial_state(BATCH)._replace(h=jax.numpy.asarray(h))

    def theirs():
        carry = (torch.from_numpy(h), torch.zeros(BATCH, HIDDEN))
        with torch.no_grad():
            new = module(torch.from_numpy(x), carry if cell_name == "lstm" else carry[0])
        return new[0] if cell_name == "lstm" else new

    imported = cell_from_torch(cell, module.state_dict())
    assert_close(imported.step(state, imported.project(x))[0].h, theirs())
    load(module, cell_to_torch(cell))
    assert_close(cell.step(state, cell.project(x))[0].h, theirs())


def test_one_layer_of_a_stack_goes_into_a_cell():
    stacked = ours("gru", layers=2, bidirectional=True)
    state = to_torch(stacked, prefix="gru.")
    wanted = stacked.layers[1].backward
    fresh = ours("gru", layers=2, bidirectional=True, seed=3).layers[1].backward
    loaded = cell_from_torch(fresh, state, prefix="gru.", suffix="_l1_reverse")
    assert_same_bits(loaded, wanted)


def test_embedding_and_input_map_are_encoders():
    tokens = blank("lstm", inputs=Tokens(11), embedding_size=FEATURES)
    embedding = nn.Embedding(11, FEATURES)
    state = {f"embed.{k}": v for k, v in embedding.state_dict().items()}
    state |= to_torch(tokens, prefix="lstm.")
    loaded = from_torch(tokens, state, prefix="lstm.", encoder="embed.")
    np.testing.assert_array_equal(loaded.embedding, embedding.weight.detach().numpy())
    load(embedding, {"weight": to_torch(tokens, encoder="embed.")["embed.weight"]})
    np.testing.assert_array_equal(embedding.weight.detach().numpy(), tokens.embedding)

    mapped = blank("lstm", embedding_size=4)
    exported = to_torch(mapped, encoder="in.", head="out.")
    linear = nn.Linear(FEATURES, 4)
    load(linear, {k: exported[f"in.{k}"] for k in ("weight", "bias")})
    x = sequences()
    np.testing.assert_allclose(mapped.input_map(x), linear(torch.from_numpy(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
    other = blank("lstm", embedding_size=4, seed=5)
    assert_same_bits(from_torch(other, exported, encoder="in.", head="out."), mapped)


def test_head_without_bias_counts_as_zero_bias():
    model = ours("lstm")
    state = to_torch(model, **PARTS)
    del state["linear.bias"]
    loaded = from_torch(model, state, **PARTS)
    np.testing.assert_array_equal(loaded.head.bias, np.zeros(OUTPUTS))
    np.testing.assert_array_equal(loaded.head.kernel, model.head.kernel)


def test_head_stays_when_no_prefix_is_given():
    model = ours("lstm")
    loaded = from_torch(model, TheirModel("lstm").state_dict(), prefix="recurrent.")
    assert_same_bits(loaded.head, model.head)
    assert "linear.weight" not in to_torch(model, prefix="recurrent.")


def test_given_model_is_unchanged_and_shares_no_memory_with_torch():
    theirs, model = TheirModel("lstm"), ours("lstm")
    before = jax.tree.map(np.array, model)
    loaded = from_torch(model, theirs.state_dict(), **PARTS)
    assert_same_bits(model, before)

    after = jax.tree.map(np.array, loaded)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.zero_()
    assert_same_bits(loaded, after)

    exported = to_torch(loaded, **PARTS)
    for array in exported.values():
        array[...] = 0.0
    assert_same_bits(loaded, after)


def test_imported_model_is_compiled_and_differentiated_like_any_other():
    model = from_torch(ours("gru"), TheirModel("gru").state_dict(), **PARTS)
    inputs = sequences()
    outputs = jax.jit(lambda m, x: m(x).outputs)(model, inputs)
    assert outputs.shape == (BATCH, TIME, OUTPUTS)
    grads = jax.grad(lambda m: (m(inputs).outputs ** 2).sum())(model)
    assert all(np.abs(np.asarray(g)).max() > 0 for g in jax.tree.leaves(grads))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_number_types_become_float32(dtype):
    theirs = TheirModel("lstm").to(dtype)
    loaded = from_torch(ours("lstm"), dict(theirs.named_parameters()), **PARTS)
    kernel = loaded.layers[0].forward.recurrent.kernel
    assert kernel.dtype == np.float32
    expected = theirs.recurrent.weight_hh_l0.detach().float().numpy().T
    np.testing.assert_array_equal(kernel, expected)
