"""Our cells against PyTorch's, whose gradients are its own."""

import jax
import jax.numpy as jnp
import pytest
from battery import FEATURES, HIDDEN, Case
from oracles import blocks, check

torch = pytest.importorskip("torch")


def rnn_weights(cell):
    """PyTorch keeps ``[gates, features]`` and two biases that it adds."""
    W, U, b = blocks(cell, "candidate")
    return W.T, U.T, b, jnp.zeros_like(b)


def lstm_weights(cell):
    W, U, b = blocks(cell, "input", "forget", "candidate", "output")
    return W.T, U.T, b, jnp.zeros_like(b)


def gru_weights(cell):
    W, U, b = blocks(cell, "reset", "update", "candidate")
    zeros = jnp.zeros(2 * HIDDEN)
    return W.T, U.T, b, jnp.concatenate([zeros, jnp.asarray(cell.candidate_bias)])


def tensor(array):
    return torch.tensor(jax.device_get(array), requires_grad=True)


def torch_module(build, weights_of):
    def oracle(p):
        weights, pull_back = jax.vjp(weights_of, p.cell)
        module = build(FEATURES, HIDDEN).double()
        for parameter, weight in zip(module.parameters(), weights, strict=True):
            parameter.data = tensor(weight).data
        xs, state = tensor(p.xs), jax.tree.map(tensor, p.state)
        layers = [field[None] for field in state]
        outputs, last = module(xs, tuple(layers) if len(layers) > 1 else layers[0])
        final = type(p.state)(*(field[0] for field in (last if len(layers) > 1 else [last])))
        weighted = [torch.sum(a * tensor(w).detach()) for a, w in pairs((outputs, final), p.weights)]
        sum(weighted).backward()
        d_weights = tuple(jnp.asarray(w.grad.numpy()) for w in module.parameters())
        outputs, final = jax.tree.map(lambda a: a.detach().numpy(), (outputs, final))
        d_xs, d_state = jax.tree.map(lambda a: a.grad.numpy(), (xs, state))
        return outputs, final, *pull_back(d_weights), d_xs, d_state

    return oracle


def pairs(a, b):
    return zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)


def lstmp_weights(cell):
    return *lstm_weights(cell), jnp.asarray(cell.projection.kernel).T


PAIRS = {
    "RNN": (Case("rnn"), torch.nn.RNN, rnn_weights),
    "RNN-relu": (
        Case("rnn", (("activation", "relu"),)),
        lambda *sizes: torch.nn.RNN(*sizes, nonlinearity="relu"),
        rnn_weights,
    ),
    "LSTM": (Case("lstm"), torch.nn.LSTM, lstm_weights),
    "LSTMP": (Case("lstmp"), lambda *sizes: torch.nn.LSTM(*sizes, proj_size=HIDDEN // 2), lstmp_weights),
    "LSTMP-projection": (
        Case("lstmp", (("projection_size", 3),)),
        lambda *sizes: torch.nn.LSTM(*sizes, proj_size=3),
        lstmp_weights,
    ),
    "GRU": (Case("gru"), torch.nn.GRU, gru_weights),
}


@pytest.mark.parametrize(("case", "build", "weights_of"), PAIRS.values(), ids=PAIRS)
def test_agrees_with_torch(case, build, weights_of):
    check(case, torch_module(build, weights_of))
