"""Relatives of the LSTM against the equations of their papers, written as plain NumPy loops.

Sak et al. 2014 (LSTMP), Krause et al. 2016 (multiplicative LSTM), Melis et al. 2020 (Mogrifier LSTM), Shen et al. 2019
(ON-LSTM), Neil et al. 2016 (phased LSTM), Ha et al. 2016 (HyperLSTM), Zilly et al. 2017 (recurrent highway network).
Gradients by central differences of every number.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from battery import Case
from oracles import check, numpy_oracle

from lstmlab.cells import HCState, HState
from lstmlab.cells.zoo.hyper_lstm import HyperState
from lstmlab.cells.zoo.phased_lstm import PhasedState

LSTM_GATES = ("i", "f", "c", "o")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softmax(a):
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def whole(array):
    return jnp.asarray(array)


def named(array, names, widths=None):
    """A stacked array cut into one per gate, under the letters of the papers."""
    cuts = np.cumsum(widths)[:-1] if widths else len(names)
    return dict(zip(names, jnp.split(whole(array), cuts, axis=-1), strict=True))


def lstm_weights(cell):
    """Our order of gates is input, forget, candidate, output."""
    arrays = {"W": cell.input.kernel, "U": cell.recurrent.kernel, "b": cell.input.bias}
    return {name: named(array, LSTM_GATES) for name, array in arrays.items()}


def peepholes(cell):
    return {gate[0]: whole(getattr(cell, f"{gate}_peephole")) for gate in ("input", "forget", "output")}


def lstm_step(w, x, h, c):
    a = {g: x @ w["W"][g] + h @ w["U"][g] + w["b"][g] for g in LSTM_GATES}
    c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["c"])
    return sigmoid(a["o"]) * np.tanh(c), c


def peephole_step(w, p, x, h, c):
    a = {g: x @ w["W"][g] + h @ w["U"][g] + w["b"][g] for g in LSTM_GATES}
    i, f = sigmoid(a["i"] + p["i"] * c), sigmoid(a["f"] + p["f"] * c)
    c = f * c + i * np.tanh(a["c"])
    return sigmoid(a["o"] + p["o"] * c) * np.tanh(c), c


def loop(step, state_type):
    """A whole sequence from one step ``step(weights, x, *state) -> state``."""

    def forward(weights, xs, state):
        outputs = []
        for x in xs:
            state = state_type(*step(weights, x, *state))
            outputs.append(state.h)
        return np.stack(outputs), state

    return forward


def projected_step(w, x, h, c):
    m, c = peephole_step(w, w["p"], x, h, c) if "p" in w else lstm_step(w, x, h, c)
    return m @ w["projection"], c


def projected_weights(cell):
    weights = lstm_weights(cell) | {"projection": whole(cell.projection.kernel)}
    return weights | ({"p": peepholes(cell)} if cell.peepholes else {})


def multiplicative_step(w, x, h, c):
    m = (x @ w["mx"]) * (h @ w["mh"])
    return lstm_step(w, x, m, c)


def multiplicative_weights(cell):
    return lstm_weights(cell) | {"mx": whole(cell.factor_input.kernel), "mh": whole(cell.factor_recurrent.kernel)}


def mogrified_step(w, x, h, c):
    """Equations 1 and 2 of the paper, with its indices: odd rounds change x, even ones h."""
    turns = {-1: x, 0: h}
    for i, (matrix, bias) in enumerate(w["turns"], start=1):
        turns[i] = 2 * sigmoid(turns[i - 1] @ matrix + bias) * turns[i - 2]
    last = len(w["turns"])
    x, h = (turns[last], turns[last - 1]) if last % 2 else (turns[last - 1], turns[last])
    return capped_step(w, x, h, c) if w["capped"] else lstm_step(w, x, h, c)


def capped_step(w, x, h, c):
    """The authors' code: the input gate is at most what the forget gate leaves."""
    a = {g: x @ w["W"][g] + h @ w["U"][g] + w["b"][g] for g in LSTM_GATES}
    f = sigmoid(a["f"])
    c = f * c + np.minimum(1 - f, sigmoid(a["i"])) * np.tanh(a["c"])
    return sigmoid(a["o"]) * np.tanh(c), c


def mogrifier_weights(cell):
    def modulator(m):
        matrix = whole(m.kernel) @ whole(m.right_kernel) if cell.rank else whole(m.kernel)
        return matrix, whole(m.bias) if cell.modulator_bias else 0 * matrix[0]

    capped = jnp.asarray(float(cell.cap_input_gate))
    return lstm_weights(cell) | {"turns": [modulator(m) for m in cell.mogrifiers], "capped": capped}


def ordered_step(w, x, h, c):
    a = {g: x @ w["W"][g] + h @ w["U"][g] + w["b"][g] for g in w["W"]}
    f, i, o, candidate = sigmoid(a["f"]), sigmoid(a["i"]), sigmoid(a["o"]), np.tanh(a["c"])
    chunk = c.shape[-1] // a["master f"].shape[-1]
    master_f = np.cumsum(softmax(a["master f"]), -1).repeat(chunk, -1)
    master_i = (1 - np.cumsum(softmax(a["master i"]), -1)).repeat(chunk, -1)
    overlap = master_f * master_i
    c = (f * overlap + master_f - overlap) * c + (i * overlap + master_i - overlap) * candidate
    return o * np.tanh(c), c


def ordered_weights(cell):
    names, level = (*LSTM_GATES, "master i", "master f"), cell.hidden_size // cell.chunk_size
    arrays = {"W": cell.input.kernel, "U": cell.recurrent.kernel, "b": cell.input.bias}
    return {k: named(a, names, [cell.hidden_size] * 4 + [level] * 2) for k, a in arrays.items()}


def phased(open_ratio, leak):
    def step(w, x, h, c, t):
        phase = np.mod(t - w["shift"], w["period"]) / w["period"]
        k = leak * phase
        k = np.where(phase < open_ratio, 2 - 2 * phase / open_ratio, k)
        k = np.where(phase < open_ratio / 2, 2 * phase / open_ratio, k)
        new_h, new_c = peephole_step(w, w["p"], x, h, c)
        return k * new_h + (1 - k) * h, k * new_c + (1 - k) * c, t + 1

    return step


def phased_weights(cell):
    clock = {"shift": whole(cell.shift), "period": jnp.exp(whole(cell.log_period))}
    return lstm_weights(cell) | clock | {"p": peepholes(cell)}


def hyper_step(w, x, h, c, hyper_h, hyper_c):
    """The small LSTM reads [h; x]; the embeddings of the main one are read from its last output."""
    new_hyper = lstm_step(w["hyper"], np.concatenate([h, x], -1), hyper_h, hyper_c)
    a = {}
    for g in LSTM_GATES:
        z_h, z_x = (hyper_h @ w[f"embed {k}"][g] + w[f"embed {k} bias"][g] for k in "hx")
        z_b = hyper_h @ w["embed b"][g]
        d_h, d_x = z_h @ w["scale h"][g], z_x @ w["scale x"][g]
        a[g] = d_h * (h @ w["U"][g]) + d_x * (x @ w["W"][g]) + z_b @ w["scale b"][g] + w["b"][g]
    c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["c"])
    return sigmoid(a["o"]) * np.tanh(c), c, *new_hyper


def hyper_weights(cell):
    seen = jnp.concatenate([whole(cell.hyper_main.kernel), whole(cell.hyper_input.kernel)])
    small = {"W": seen, "U": cell.hyper_recurrent.kernel, "b": cell.hyper_bias}
    weights = lstm_weights(cell) | {"hyper": {name: named(array, LSTM_GATES) for name, array in small.items()}}
    for name, array in (("embed {}", cell.embed_scales.kernel), ("embed {} bias", cell.embed_scales.bias)):
        for k, half in zip("hx", jnp.split(whole(array), 2, axis=-1), strict=True):
            weights[name.format(k)] = named(half, LSTM_GATES)
    weights["embed b"] = named(cell.embed_biases.kernel, LSTM_GATES)
    for k, kernel in zip("hxb", jnp.split(whole(cell.generate.kernel)[:, :, 0], 3), strict=True):
        weights[f"scale {k}"] = dict(zip(LSTM_GATES, kernel, strict=True))
    return weights


def highway_step(w, x, s):
    for layer, (U, b) in enumerate(zip(w["U"], w["b"], strict=True)):
        a = {g: s @ U[g] + b[g] + (x @ w["W"][g] if layer == 0 else 0) for g in ("n", "t")}
        t = sigmoid(a["t"])
        s = np.tanh(a["n"]) * t + s * (1 - t)
    return (s,)


def highway_weights(cell):
    maps = [cell.recurrent, *cell.deeper]
    biases = [cell.input.bias, *([] if cell.deeper_bias is None else whole(cell.deeper_bias))]
    return {
        "W": named(cell.input.kernel, "nt"),
        "U": [named(linear.kernel, "nt") for linear in maps],
        "b": [named(bias, "nt") for bias in biases],
    }


SMALL_HYPER = (("hyper_size", 2), ("embedding_size", 2))
OFTEN_OPEN = (("period_max", 6.0), ("open_ratio", 0.9))
ALWAYS_LEAKING = (("period_max", 40.0), ("open_ratio", 0.3), ("leak", 0.8))
PAIRS = {
    "LSTMP": (Case("lstmp"), loop(projected_step, HCState), projected_weights),
    "LSTMP with peepholes": (Case("lstmp", (("peepholes", True),)), loop(projected_step, HCState), projected_weights),
    "multiplicative LSTM": (Case("multiplicative_lstm"), loop(multiplicative_step, HCState), multiplicative_weights),
    **{
        f"mogrifier LSTM, {n} rounds": (
            Case("mogrifier_lstm", (("rounds", n), ("cap_input_gate", False), ("modulator_bias", False))),
            loop(mogrified_step, HCState),
            mogrifier_weights,
        )
        for n in (1, 2, 5)
    },
    "mogrifier LSTM as its authors'": (
        Case("mogrifier_lstm", (("rounds", 3), ("rank", 2))),
        loop(mogrified_step, HCState),
        mogrifier_weights,
    ),
    **{
        f"ON-LSTM, chunks of {n}": (Case("on_lstm", (("chunk_size", n),)), loop(ordered_step, HCState), ordered_weights)
        for n in (1, 2)
    },
    "phased LSTM": (Case("phased_lstm", OFTEN_OPEN), loop(phased(0.9, 0.001), PhasedState), phased_weights),
    "phased LSTM that leaks": (
        Case("phased_lstm", ALWAYS_LEAKING),
        loop(phased(0.3, 0.8), PhasedState),
        phased_weights,
    ),
    "HyperLSTM": (Case("hyper_lstm", SMALL_HYPER), loop(hyper_step, HyperState), hyper_weights),
    **{
        f"RHN of depth {n}": (Case("rhn", (("depth", n),)), loop(highway_step, HState), highway_weights) for n in (1, 3)
    },
}


@pytest.mark.parametrize(("case", "forward", "weights_of"), PAIRS.values(), ids=PAIRS)
def test_agrees_with_the_paper(case, forward, weights_of):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(case, numpy_oracle(forward, weights_of), 1e-7)
