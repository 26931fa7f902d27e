"""Cells with a structured recurrence against the equations of their papers, written as plain NumPy loops.

Le et al. 2015 (IRNN); Li et al. 2018, eq. 2 (IndRNN); Koutník et al. 2014, eqs. 1-3 (clockwork RNN); Rusch & Mishra
2021, eq. 3 (coRNN); Rusch et al. 2022, eq. 3 (LEM); Lezcano-Casado & Martínez-Rubio 2019, section 3 (expRNN). Rows are
sequences, so products stand the other way round. Gradients by central differences of every number.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from battery import BATCH, HIDDEN, TIME, Case, jitter, problem
from oracles import check, numpy_oracle

from lstmlab.cells import HCState, HState, make_cell
from lstmlab.cells.zoo.clockwork_rnn import ClockedState
from lstmlab.cells.zoo.cornn import OscillatorState
from lstmlab.cells.zoo.exprnn import Orthogonal
from lstmlab.recurrence import unroll

MODULES = 4


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def weights_of(cell):
    arrays = {"W": cell.input.kernel, "U": cell.recurrent.kernel}
    if cell.input.bias is not None:
        arrays["b"] = cell.input.bias
    for name, attribute in {"V": "velocity_recurrent", "M": "memory_recurrent"}.items():
        if hasattr(cell, attribute):
            arrays[name] = getattr(cell, attribute).kernel
    if hasattr(cell, "modrelu_bias"):
        arrays["m"] = cell.modrelu_bias
    return {name: jnp.asarray(array) for name, array in arrays.items()}


def irnn(w, x, state):
    return HState(np.maximum(0, x @ w["W"] + state.h @ w["U"] + w["b"]))


def indrnn(w, x, state):
    return HState(np.maximum(0, x @ w["W"] + w["U"] * state.h + w["b"]))


def clockwork_rnn(w, x, state):
    """Group by group: only modules with ``t MOD T_i = 0`` are run, each from itself and the slower ones."""
    size = HIDDEN // MODULES
    numbers, h = list(w["U"]), state.h.copy()
    for i in range(MODULES):
        mine = slice(i * size, (i + 1) * size)
        slower = HIDDEN - i * size
        U = np.array([numbers.pop(0) for _ in range(slower * size)]).reshape(slower, size)
        new = np.tanh(x @ w["W"][:, mine] + state.h[:, i * size :] @ U + w["b"][mine])
        for row, (t,) in enumerate(state.clock):
            if round(t) % 2**i == 0:
                h[row, mine] = new[row]
    return ClockedState(h, (np.round(state.clock) + 1) % 2 ** (MODULES - 1))


def cornn(w, x, state, dt=0.042, gamma=2.7, epsilon=4.7):
    y, z = state
    z = z + dt * np.tanh(y @ w["U"] + z @ w["V"] + x @ w["W"] + w["b"]) - dt * gamma * y - dt * epsilon * z
    return OscillatorState(y + dt * z, z)


def lem(w, x, state, dt=1.0):
    y, z = state
    V1, V2, Vz, Vy = np.split(w["W"], 4, axis=1)
    b1, b2, bz, by = np.split(w["b"], 4)
    W1, W2, Wz = np.split(w["U"], 3, axis=1)
    step = dt * sigmoid(y @ W1 + x @ V1 + b1)
    other = dt * sigmoid(y @ W2 + x @ V2 + b2)
    z = (1 - step) * z + step * np.tanh(y @ Wz + x @ Vz + bz)
    y = (1 - other) * y + other * np.tanh(z @ w["M"] + x @ Vy + by)
    return HCState(y, z)


def exprnn(w, x, state):
    A = np.zeros((HIDDEN, HIDDEN))
    numbers = iter(w["U"])
    for column in range(HIDDEN):
        for row in range(column + 1, HIDDEN):
            A[row, column] = next(numbers)
    B = scipy.linalg.expm(A - A.T)
    a = np.stack([B @ h for h in state.h]) + x @ w["W"] + w.get("b", 0)
    return HState(np.where(a > 0, 1, -1) * np.maximum(0, np.abs(a) + w["m"]))


def loop(equations):
    def forward(weights, xs, state):
        outputs = []
        for x in xs:
            state = equations(weights, x, state)
            outputs.append(state.h)
        return np.stack(outputs), state

    return numpy_oracle(forward, weights_of)


def with_options(equations, **options):
    return lambda *arguments: equations(*arguments, **options)


PHYSICS = {"dt": 0.3, "gamma": 1.3, "epsilon": 2.1}
PAIRS = [
    (Case("irnn"), irnn),
    (Case("indrnn"), indrnn),
    (Case("clockwork_rnn"), clockwork_rnn),
    (Case("cornn"), cornn),
    (Case("cornn", tuple(PHYSICS.items())), with_options(cornn, **PHYSICS)),
    (Case("lem"), lem),
    (Case("lem", (("dt", 0.4),)), with_options(lem, dt=0.4)),
    (Case("exprnn"), exprnn),
    (Case("exprnn", (("bias", True),)), exprnn),
]


@pytest.mark.parametrize(("case", "equations"), PAIRS, ids=lambda p: str(p) if isinstance(p, Case) else "")
def test_agrees_with_the_paper(case, equations):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(case, loop(equations), 1e-7)


def test_the_matrix_of_an_exprnn_stays_orthogonal_wherever_its_parameters_go():
    cell = make_cell("exprnn", 3, 33, key=jax.random.key(0))
    first = np.asarray(cell.recurrent.matrix())
    for scale in (0.0, 0.1, 1.0):
        matrix = np.asarray(jitter(cell, 7, scale).recurrent.prepared().kernel)
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(33), atol=1e-5)
        assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-4)
        assert (abs(matrix - first).max() > 0.1) == (scale > 0)


def test_an_exprnn_starts_with_rotations_of_pairs_between_zero_and_one():
    matrix = np.asarray(make_cell("exprnn", 3, 101, key=jax.random.key(0)).recurrent.matrix())
    angles = np.angle(np.linalg.eigvals(matrix))
    angles = np.sort(angles[angles > 1e-6])
    assert len(angles) == 50 and angles[0] < 0.1 and 0.9 < angles[-1] <= 1
    # tan(φ / 2) with φ uniform: half of them below tan(π / 8).
    assert np.median(angles) == pytest.approx(np.tan(np.pi / 8), abs=0.12)


@pytest.mark.parametrize("backend", ["scan", "fused"])
def test_the_exponential_is_computed_once_per_sequence(backend, monkeypatch):
    """Not once per step: the loop is traced with a dense map, and its matrix is made outside, once."""
    p, calls = problem(Case("exprnn")), []
    matrix = Orthogonal.matrix
    monkeypatch.setattr(Orthogonal, "matrix", lambda self: calls.append(self) or matrix(self))
    traced = jax.make_jaxpr(lambda p: unroll(*p[:3], backend=backend).outputs)(p)
    assert len(calls) == 1
    loop = next(e for e in traced.eqns if "scan" in str(e.primitive) or "custom_vjp" in str(e.primitive))
    assert "solve" in str(traced) and "solve" not in str(loop)


def test_groups_of_a_clockwork_rnn_move_at_their_periods_alone():
    p = problem(Case("clockwork_rnn"))
    xs = np.random.default_rng(0).normal(size=(17, BATCH, p.xs.shape[-1])).astype("float32")
    outputs = np.asarray(unroll(p.cell, xs).outputs)
    before = np.concatenate([np.zeros_like(outputs[:1]), outputs[:-1]])
    moved = (outputs != before).reshape(len(xs), BATCH, MODULES, -1)
    for t in range(len(xs)):
        for group in range(MODULES):
            assert (moved[t, :, group] == (t % 2**group == 0)).all(), (t, group)


def test_a_new_sequence_starts_the_clock_again():
    p = problem(Case("clockwork_rnn"))
    resets = np.zeros((TIME, BATCH), bool)
    resets[3, 1] = True
    outputs = np.asarray(unroll(p.cell, p.xs, resets=resets).outputs)
    # At step 3 only the fastest group is due, and in a sequence that begins there all of them.
    assert ((outputs[3, 1] != outputs[2, 1]) & (outputs[3, 1] != 0)).all()
    assert (outputs[3, 0, HIDDEN // MODULES :] == outputs[2, 0, HIDDEN // MODULES :]).all()


def test_slower_groups_feed_faster_ones_and_not_the_reverse():
    cell = make_cell("clockwork_rnn", 3, 12, key=jax.random.key(0), modules=3)
    matrix = np.asarray(cell.recurrent.matrix()).reshape(3, 4, 3, 4)
    fed = (matrix != 0).all(axis=(1, 3))
    np.testing.assert_array_equal(fed, [[True, False, False], [True, True, False], [True, True, True]])
    assert not matrix.transpose(0, 2, 1, 3)[~fed].any()
    assert cell.recurrent.kernel.size == 6 * 16, "blocks that are zero are no parameters"


def test_modules_must_divide_the_hidden_size():
    with pytest.raises(ValueError, match=r"cell\.modules is 4, but must divide the hidden size 10 without remainder"):
        make_cell("clockwork_rnn", 3, 10, key=jax.random.key(0))


def test_rectified_units_start_as_published():
    irnn = make_cell("irnn", 50, 64, key=jax.random.key(0))
    np.testing.assert_array_equal(irnn.recurrent.kernel, np.eye(64))
    assert np.std(irnn.input.kernel) == pytest.approx(0.001, rel=0.05) and not np.any(irnn.input.bias)
    weights = np.asarray(make_cell("indrnn", 3, 500, key=jax.random.key(0), horizon=2).recurrent.kernel)
    assert 0 <= weights.min() < 0.02 and np.sqrt(2) - 0.02 < weights.max() < np.sqrt(2)
