"""xLSTM's cells against the equations of the paper, and against the authors' package where it is installed.

Beck et al. 2024, "xLSTM: Extended long short-term memory", arXiv:2405.04517, eqs. 8-27. The loops follow the equations
without stabiliser, in float64, from gates that are moderate; the stabiliser of eq. 15 only translates the states.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import HIDDEN, Case, assert_close, problem
from oracles import check, numpy_oracle

from lstmlab.cells.matrix import MatrixState
from lstmlab.cells.zoo.slstm import NormalisedState
from lstmlab.recurrence import Backend, backends, unroll

EXPONENTIAL, SIGMOID, HEADS = ("forget", "exponential"), ("forget", "sigmoid"), ("heads", 2)
PLAIN = ("gate_inputs", "x")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


FORGET = {"sigmoid": sigmoid, "exponential": np.exp}


def slstm_weights(cell):
    """Per gate ``W``, ``R`` and ``b``; ``R`` with all of its heads as one matrix."""
    heads, width = cell.heads, HIDDEN // cell.heads
    split = lambda a: dict(zip(cell.gates, jnp.split(a, 4, axis=-1), strict=True))  # noqa: E731
    W, b = split(jnp.asarray(cell.input.kernel)), split(jnp.asarray(cell.input.bias))
    kernel, R = jnp.asarray(cell.recurrent.kernel), {}
    for k, gate in enumerate(cell.gates):
        whole = jnp.zeros((HIDDEN, HIDDEN), kernel.dtype)
        for head in range(heads):
            mine = slice(head * width, (head + 1) * width)
            whole = whole.at[mine, mine].set(kernel[head, :, k])
        R[gate] = whole
    return W, R, b


def slstm(forget):
    def forward(weights, xs, state):
        W, R, b = weights
        h, c, n, m = state
        c, n = c * np.exp(m), n * np.exp(m)
        outputs = []
        for x in xs:
            a = {gate: x @ W[gate] + h @ R[gate] + b[gate] for gate in W}
            i, f, o = np.exp(a["input"]), FORGET[forget](a["forget"]), sigmoid(a["output"])
            c = f * c + i * np.tanh(a["candidate"])
            n = f * n + i
            h = o * c / n
            m = np.maximum(np.log(f) + m, np.log(i))
            outputs.append(h)
        return np.stack(outputs), NormalisedState(h, c / np.exp(m), n / np.exp(m), m)

    return numpy_oracle(forward, slstm_weights)


def mlstm_weights(cell):
    """``W`` and ``b`` per gate; a gate that reads query, key and value has a matrix from them, which ``W`` follows."""
    ends = np.cumsum([HIDDEN, HIDDEN, HIDDEN, cell.heads, cell.heads])
    kernel, b = jnp.asarray(cell.input.kernel), jnp.asarray(cell.input.bias)
    if cell.gate_map is not None:
        read, gates = kernel[:, : 3 * HIDDEN], jnp.asarray(cell.gate_map.kernel)
        kernel = jnp.concatenate([read, read @ gates, kernel[:, 3 * HIDDEN :]], axis=-1)
        b = b.at[ends[2] : ends[4]].add(b[: ends[2]] @ gates)
    arrays = (jnp.split(a, ends, axis=-1) for a in (kernel, b))
    return tuple(dict(zip(("q", "k", "v", "i", "f", "o"), parts, strict=True)) for parts in arrays)


def mlstm(forget, heads):
    d = HIDDEN // heads

    def forward(weights, xs, state):
        W, b = weights
        h, C, n, m = (np.array(a) for a in state)
        C, n = C * np.exp(m)[..., None, None], n * np.exp(m)[..., None]
        outputs = []
        for x in xs:
            a = {gate: x @ W[gate] + b[gate] for gate in W}
            i, f = np.exp(a["i"]), FORGET[forget](a["f"])
            h = np.zeros_like(h)
            for row, head in np.ndindex(len(x), heads):
                mine = slice(head * d, (head + 1) * d)
                q, k, v = a["q"][row, mine], a["k"][row, mine] / np.sqrt(d), a["v"][row, mine]
                # The paper's C is our C transposed.
                C_paper = f[row, head] * C[row, head].T + i[row, head] * np.outer(v, k)
                C[row, head] = C_paper.T
                n[row, head] = f[row, head] * n[row, head] + i[row, head] * k
                h[row, mine] = C_paper @ q / max(abs(n[row, head] @ q), 1.0)
            h = sigmoid(a["o"]) * h
            m = np.maximum(np.log(f) + m, np.log(i))
            outputs.append(h)
        return np.stack(outputs), MatrixState(h, C / np.exp(m)[..., None, None], n / np.exp(m)[..., None], m)

    return numpy_oracle(forward, mlstm_weights)


SLSTM = [(Case("slstm", (HEADS, option)), slstm(option[1])) for option in (SIGMOID, EXPONENTIAL)]
SLSTM.append((Case("slstm"), slstm("sigmoid")))
MLSTM = [(Case("mlstm", (HEADS, PLAIN, option)), mlstm(option[1], 2)) for option in (SIGMOID, EXPONENTIAL)]
MLSTM.append((Case("mlstm", (PLAIN,)), mlstm("sigmoid", 1)))
MLSTM.append((Case("mlstm", (HEADS,)), mlstm("sigmoid", 2)))


@pytest.mark.parametrize(("case", "oracle"), SLSTM + MLSTM, ids=lambda a: str(a) if isinstance(a, Case) else "")
def test_agrees_with_the_paper(case, oracle):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(case, oracle, 1e-7)


def test_the_paper_is_checked_on_the_chunkwise_backend():
    assert backends(Case("mlstm").build())[0] is Backend.CHUNKWISE


def torch_oracle(forward, weights_of):
    """Oracle from a PyTorch function ``forward(weights, xs, state)``, in float64."""
    torch = pytest.importorskip("torch")

    def oracle(p):
        weights, pull_back = jax.vjp(weights_of, p.cell)
        tree = (weights, p.xs, p.state)
        leaves, structure = jax.tree.flatten(tree)
        tensors = [torch.tensor(np.array(a), requires_grad=True) for a in leaves]
        outputs, final = forward(*jax.tree.unflatten(structure, tensors))
        counts = [torch.tensor(np.array(a)) for a in jax.tree.leaves(p.weights)]
        shown = [outputs, *final]
        sum((a * b).sum() for a, b in zip(counts, shown, strict=True)).backward()
        gradients = [np.zeros(a.shape) if a.grad is None else a.grad.numpy() for a in tensors]
        d_weights, d_xs, d_state = jax.tree.unflatten(structure, gradients)
        shown = jax.tree.map(lambda a: a.detach().numpy(), (outputs, final))
        return *shown, *pull_back(d_weights), d_xs, d_state

    return oracle


def authors_slstm():
    torch = pytest.importorskip("torch")
    step = pytest.importorskip("xlstm.blocks.slstm.src.vanilla.slstm").slstm_forward_pointwise

    def forward(weights, xs, state):
        W, R, b = ([w[gate] for gate in ("input", "forget", "candidate", "output")] for w in weights)
        W, R, b = torch.cat(W, -1), torch.cat(R, -1), torch.cat(b)
        states, outputs = torch.stack(list(state)), []
        for x in xs:
            states, _ = step(x @ W, states[0] @ R, b[None], states, {})
            outputs.append(states[0])
        return torch.stack(outputs), NormalisedState(*states)

    return torch_oracle(forward, slstm_weights)


def authors_mlstm(heads):
    torch = pytest.importorskip("torch")
    step = pytest.importorskip("xlstm.blocks.mlstm.backends").recurrent_step_stabilized_simple

    def forward(weights, xs, state):
        W, b = weights
        h, C, n, m = state
        n, m, outputs = n[..., None], m[..., None, None], []
        for x in xs:
            a = {gate: x @ W[gate] + b[gate] for gate in W}
            q, k, v = (a[gate].reshape(len(x), heads, 1, -1) for gate in "qkv")
            read, (C, n, m) = step(C, n, m, q, k, v, a["i"][..., None, None], a["f"][..., None, None], eps=0.0)
            h = torch.sigmoid(a["o"]) * read.reshape(len(x), -1)
            outputs.append(h)
        return torch.stack(outputs), MatrixState(h, C, n[..., 0], m[..., 0, 0])

    return torch_oracle(forward, mlstm_weights)


@pytest.mark.parametrize("heads", [1, 2])
def test_slstm_agrees_with_the_authors_package(heads):
    check(Case("slstm", (("heads", heads),)), authors_slstm())


@pytest.mark.parametrize("heads", [1, 2])
def test_mlstm_agrees_with_the_authors_package(heads):
    check(Case("mlstm", (("heads", heads),)), authors_mlstm(heads))


@pytest.mark.parametrize("heads", [1, 2])
def test_mlstm_agrees_with_the_authors_parallel_form(heads):
    """Whole sequences from an empty memory; the 1e-6 that they add to the divisor is left out."""
    torch = pytest.importorskip("torch")
    parallel = pytest.importorskip("xlstm.blocks.mlstm.backends").parallel_stabilized_simple
    p = problem(Case("mlstm", (("heads", heads),)))
    W, b = ({k: torch.tensor(np.array(a)) for k, a in w.items()} for w in mlstm_weights(p.cell))
    a = {gate: torch.tensor(np.array(p.xs)) @ W[gate] + b[gate] for gate in W}
    time, batch = p.xs.shape[:2]
    q, k, v, i, f = (a[gate].reshape(time, batch, heads, -1).permute(1, 2, 0, 3) for gate in "qkvif")
    expected = torch.sigmoid(a["o"]) * parallel(q, k, v, i, f, eps=0.0).permute(2, 0, 1, 3).reshape(time, batch, -1)
    assert_close(unroll(p.cell, p.xs).outputs, expected.numpy())
