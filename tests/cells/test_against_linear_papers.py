"""Cells without a product in the loop against the equations of their papers, written as plain NumPy loops.

Feng et al. 2024 (minGRU, minLSTM), Bradbury et al. 2017 (QRNN), Lei et al. 2018 (SRU), Orvieto et al. 2023 (LRU),
De et al. 2024 (RG-LRU). Gradients by central differences of every number.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FEATURES, HIDDEN, Case, assert_close, jitter, problem, run, show
from oracles import check, numpy_oracle

from lstmlab.cells import HCState, HState, make_cell
from lstmlab.cells.zoo.lru import LRUState
from lstmlab.cells.zoo.qrnn import QRNNState
from lstmlab.cells.zoo.rg_lru import StartedState


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def weights_of(*vectors):
    """``W``, ``b`` per gate (and ``V`` of a second map), and the cell's vectors by name."""

    def of(cell):
        def gate_by_gate(array):
            return dict(zip(cell.gates, jnp.split(jnp.asarray(array), len(cell.gates), axis=-1), strict=True))

        weights = {"W": gate_by_gate(cell.input.kernel), "b": gate_by_gate(cell.input.bias)}
        if getattr(cell, "earlier", None) is not None:
            weights["V"] = gate_by_gate(cell.earlier.kernel)
        if hasattr(cell, "output"):
            weights["output"] = jnp.asarray(cell.output.kernel)
        return weights | {name: jnp.asarray(getattr(cell, name)) for name in vectors}

    return of


def affine(weights, x):
    return {gate: x @ W + weights["b"][gate] for gate, W in weights["W"].items()}


def log_space_candidate(a):
    """``g`` of the paper's appendix: ``where(x >= 0, x + 0.5, sigmoid(x))``."""
    return np.where(a >= 0, a + 0.5, sigmoid(a))


def min_gru(g):
    def forward(weights, xs, state):
        h, outputs = state.h, []
        for x in xs:
            a = affine(weights, x)
            z = sigmoid(a["update"])
            h = (1 - z) * h + z * g(a["candidate"])
            outputs.append(h)
        return np.stack(outputs), HState(h)

    return numpy_oracle(forward, weights_of())


def min_lstm(g):
    def forward(weights, xs, state):
        h, outputs = state.h, []
        for x in xs:
            a = affine(weights, x)
            f, i = sigmoid(a["forget"]), sigmoid(a["input"])
            h = f / (f + i) * h + i / (f + i) * g(a["candidate"])
            outputs.append(h)
        return np.stack(outputs), HState(h)

    return numpy_oracle(forward, weights_of())


def qrnn(pooling, window):
    """Section 2 of the paper; what the state holds of the input before is its part in every gate, side by side."""
    names = {"f": ("candidate", "forget"), "fo": ("candidate", "forget", "output")}
    names["ifo"] = ("candidate", "input", "forget", "output")

    def forward(weights, xs, state):
        h, c, *past = state
        outputs = []
        for x in xs:
            a = affine(weights, x)
            if window == 2:
                seen = np.split(past[0], len(a), axis=-1)
                a = {gate: a[gate] + part for gate, part in zip(names[pooling], seen, strict=True)}
                past = [np.concatenate([x @ weights["V"][gate] for gate in names[pooling]], axis=-1)]
            z, f = np.tanh(a["candidate"]), sigmoid(a["forget"])
            c = f * c + (sigmoid(a["input"]) if pooling == "ifo" else 1 - f) * z
            h = c if pooling == "f" else sigmoid(a["output"]) * c
            outputs.append(h)
        return np.stack(outputs), QRNNState(h, c, *past) if window == 2 else HCState(h, c)

    return numpy_oracle(forward, weights_of())


def sru(peepholes=False, g=np.tanh, alpha=1.0):
    def forward(weights, xs, state):
        h, c = state
        outputs = []
        for x in xs:
            a = affine(weights, x)
            f_seen, r_seen = (weights["forget_peephole"] * c, weights["reset_peephole"] * c) if peepholes else (0, 0)
            f, r = sigmoid(a["forget"] + f_seen), sigmoid(a["reset"] + r_seen)
            c = f * c + (1 - f) * a["candidate"]
            h = r * g(c) + (1 - r) * alpha * a.get("highway", x)
            outputs.append(h)
        return np.stack(outputs), HCState(h, c)

    return numpy_oracle(forward, weights_of(*(("forget_peephole", "reset_peephole") if peepholes else ())))


def lru(weights, xs, state):
    """Equations 5 and 7 of the paper, in complex numbers."""
    decay, phase, gamma = (np.exp(weights[name]) for name in ("nu", "theta", "gamma"))
    eigenvalues = np.exp(-decay + 1j * phase)
    C_real, minus_C_imaginary = np.split(weights["output"], 2)
    C = C_real - 1j * minus_C_imaginary
    h, c, outputs = state.h, state.re + 1j * state.im, []
    for x in xs:
        a = affine(weights, x)
        c = eigenvalues * c + gamma * (a["real"] + 1j * a["imaginary"])
        h = (c @ C).real + a["skip"]
        outputs.append(h)
    return np.stack(outputs), LRUState(h, c.real.copy(), c.imag.copy())


def rg_lru(weights, xs, state):
    """Equations 1 to 4; ``a = sigmoid(-Λ)``, so that ``log a = -softplus(Λ)`` as in the paper's appendix A."""
    a_open = sigmoid(-weights["rate"])
    h, outputs = state.h, []
    for x in xs:
        z = affine(weights, x)
        a = a_open ** (8 * sigmoid(z["recurrence"]))
        h = a * h + np.sqrt(1 - a**2) * (sigmoid(z["input"]) * z["candidate"])
        outputs.append(h)
    return np.stack(outputs), HState(h)


def authors_rg_lru(weights, xs, state):
    """The authors' code: gates read what they gate, block by block, and the first input of a sequence is not scaled."""
    a_open = sigmoid(-weights["rate"])
    heads, width, _, _ = weights["gates"].shape
    h, outputs, past = state.h, [], state.past
    for x in xs:
        u = x @ weights["W"]["candidate"] + weights["b"]["candidate"]
        blocks = u.reshape(len(u), heads, width)
        r, i = (np.einsum("nhi,hio->nho", blocks, weights["gates"][:, :, k]).reshape(u.shape) for k in range(2))
        a = a_open ** (8 * sigmoid(r + weights["b"]["recurrence"]))
        multiplier = np.where(past > 0, np.sqrt(1 - a**2), 1)
        h = a * h + multiplier * sigmoid(i + weights["b"]["input"]) * u
        past = np.ones_like(past)
        outputs.append(h)
    return np.stack(outputs), StartedState(h, past)


def rg_lru_weights(cell):
    bias = dict(zip(cell.gates, jnp.split(jnp.asarray(cell.input.bias), 3), strict=True))
    kernels = {"W": {"candidate": jnp.asarray(cell.input.kernel)}, "gates": jnp.asarray(cell.gate_map.kernel)}
    return kernels | {"b": bias, "rate": jnp.asarray(cell.rate)}


def case(name, **options):
    return Case(name, tuple(options.items()))


def identity(a):
    return a


PAIRS = [
    (case("min_gru"), min_gru(log_space_candidate)),
    (case("min_gru", candidate="identity"), min_gru(identity)),
    (case("min_lstm"), min_lstm(log_space_candidate)),
    (case("min_lstm", candidate="identity"), min_lstm(identity)),
    (case("qrnn"), qrnn("fo", 2)),
    (case("qrnn", pooling="f"), qrnn("f", 2)),
    (case("qrnn", pooling="ifo"), qrnn("ifo", 2)),
    (case("qrnn", time_window=1), qrnn("fo", 1)),
    (case("sru"), sru(alpha=1.732)),
    (case("sru", alpha=1.0), sru()),
    (case("sru", peepholes=True, output_activation="identity"), sru(True, identity, 1.732)),
    (case("lru", bias=True), numpy_oracle(lru, weights_of("nu", "theta", "gamma"))),
    (
        case("rg_lru", gate_inputs="x", unscaled_start=False, decay_start="paper"),
        numpy_oracle(rg_lru, weights_of("rate")),
    ),
    (case("rg_lru", heads=2), numpy_oracle(authors_rg_lru, rg_lru_weights)),
]


@pytest.mark.parametrize(("case", "oracle"), PAIRS, ids=[str(case) for case, _ in PAIRS])
def test_agrees_with_the_paper(case, oracle):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(case, oracle, 1e-7)


def log_scan(log_coefficients, log_values):
    """``parallel_scan_log`` of Feng et al., appendix B: ``h`` from ``log a_t`` and ``log h_0, log b_1, log b_2 …``."""
    a_star = np.concatenate([np.zeros_like(log_values[:1]), np.cumsum(log_coefficients, axis=0)])
    return np.exp(a_star + np.logaddexp.accumulate(log_values - a_star, axis=0))[1:]


def softplus(a):
    return np.logaddexp(0, a)


@pytest.mark.parametrize("name", ["min_gru", "min_lstm"])
def test_minimal_units_equal_their_form_in_logarithms(name, x64):
    p = problem(Case(name), "float64")
    p = p._replace(state=HState(jnp.abs(p.state.h) + 0.1))
    a = affine(jax.tree.map(np.asarray, weights_of()(p.cell)), np.asarray(p.xs))
    log_h = [np.log(p.state.h)[None]]
    log_g = np.where(a["candidate"] >= 0, np.log(np.maximum(a["candidate"], 0) + 0.5), -softplus(-a["candidate"]))
    if name == "min_gru":
        log_keep, log_write = -softplus(a["update"]), -softplus(-a["update"])
    else:
        difference = softplus(-a["forget"]) - softplus(-a["input"])
        log_keep, log_write = -softplus(difference), -softplus(-difference)
    expected = log_scan(log_keep, np.concatenate([*log_h, log_write + log_g]))
    for backend in ("associative", "fused", "scan"):
        outputs, _ = show(*p[:3], backend=backend)
        assert_close(outputs, expected, 1e-12)


@pytest.mark.parametrize("peepholes", [False, True])
def test_sru_passes_an_input_of_its_own_size_through(peepholes, x64):
    """No fourth projection: three blocks of parameters, and ``x`` itself in the highway."""
    cell = make_cell("sru", HIDDEN, HIDDEN, key=jax.random.key(0), peepholes=peepholes, alpha=1.5)
    assert cell.input.kernel.shape == (HIDDEN, 3 * HIDDEN)
    cell = jax.tree.map(lambda a: a.astype("float64"), jitter(cell, 1))
    p = problem(case("sru", peepholes=peepholes), "float64")
    xs = jnp.concatenate([p.xs, p.xs[..., :1]], axis=-1)
    assert xs.shape[-1] == HIDDEN == FEATURES + 1
    p = p._replace(cell=cell, xs=xs)
    ours, expected = run(*p), sru(peepholes, alpha=1.5)(p)
    names = ("outputs", "final", "d_cell", "d_xs", "d_state")
    assert_close([ours[name] for name in names], list(expected), 1e-7)
