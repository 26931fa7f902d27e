"""What the papers say of cells beside their equations: first values, limits, options that cannot be."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import BATCH, FEATURES, HIDDEN, Case, assert_close, masked, problem

from lstmlab.cells import HCState, Init, make_cell
from lstmlab.cells.regularise import weight_drop
from lstmlab.cells.zoo.hyper_lstm import HyperState
from lstmlab.cells.zoo.phased_lstm import PhasedState
from lstmlab.recurrence import backends


def whole(array):
    return jnp.asarray(array)


def results(cell):
    """What a cell gives on the LSTM's problem."""
    p = problem(Case("lstm"))
    return masked(p._replace(cell=cell), backend="scan")


def fresh(name, **settings):
    return make_cell(name, FEATURES, HIDDEN, key=jax.random.key(7), **settings)


def test_a_mogrifier_without_rounds_is_the_lstm():
    ours, plain = results(fresh("mogrifier_lstm", rounds=0, cap_input_gate=False)), results(fresh("lstm"))
    for name in ("outputs", "final", "d_xs", "d_state"):
        assert_close(ours[name], plain[name], 1e-6)
    for name in ("input", "recurrent"):
        assert_close(getattr(ours["d_cell"], name), getattr(plain["d_cell"], name), 1e-6)


def test_a_hyper_lstm_starts_as_an_lstm():
    p, hyper, plain = problem(Case("lstm")), fresh("hyper_lstm"), fresh("lstm")
    start = hyper.initial_state(BATCH)
    start = HyperState(*p.state, start.hyper_h + 0.7, start.hyper_c - 0.4)
    ours, _ = hyper.step(start, hyper.project(p.xs[0]))
    theirs, _ = plain.step(p.state, plain.project(p.xs[0]))
    assert_close(HCState(ours.h, ours.c), theirs, 1e-6)


@pytest.mark.parametrize(("hidden", "given", "size"), [(4, 0, 2), (5, 0, 3), (1, 0, 1), (4, 3, 3), (4, 6, 6)])
def test_the_projection_is_half_as_wide_or_as_asked(hidden, given, size):
    cell = make_cell("lstmp", FEATURES, hidden, key=jax.random.key(0), projection_size=given)
    state = cell.initial_state(2, 3)
    assert cell.output_size == size
    assert state.h.shape == (2, 3, size) and state.c.shape == (2, 3, hidden)


def test_chunks_must_divide_the_hidden_size():
    with pytest.raises(ValueError, match=f"cell.chunk_size is 3, but must divide the hidden size {HIDDEN}"):
        fresh("on_lstm", chunk_size=3)


def test_master_gates_are_monotone_and_govern_whole_chunks():
    cell = fresh("on_lstm", chunk_size=2)
    assert cell.input.kernel.shape == (FEATURES, 4 * HIDDEN + 2 * HIDDEN // 2)
    p = problem(Case("on_lstm", (("chunk_size", 2),)))
    _, gates = p.cell.step(p.state, p.cell.project(p.xs[0]))
    forget, write = np.asarray(gates["master_forget"]), np.asarray(gates["master_input"])
    assert (np.diff(forget) > 0).all() and (np.diff(write) < 0).all()
    np.testing.assert_allclose(forget[:, -1], 1, atol=1e-6)


def test_first_periods_span_their_range_and_shifts_their_period():
    init = Init(input="zeros", recurrent="zeros")
    cell = make_cell("phased_lstm", 1, 1000, key=jax.random.key(0), init=init, period_min=2.0, period_max=50.0)
    log_period, shift = np.asarray(cell.log_period), np.asarray(cell.shift)
    low, high = math.log(2), math.log(50)
    assert low <= log_period.min() and log_period.max() <= high
    assert abs(log_period.mean() - (low + high) / 2) < 0.1
    turns = shift / np.exp(log_period)
    assert 0 <= turns.min() < 0.01 and 0.99 < turns.max() <= 1 and abs(turns.mean() - 0.5) < 0.05


def test_the_clock_counts_steps_and_starts_again():
    cell = fresh("phased_lstm")
    state = cell.initial_state(BATCH)
    assert state.clock.shape == (BATCH, 1)
    resets = np.zeros((6, BATCH), bool)
    resets[4, 1] = True
    p = problem(Case("phased_lstm", (("period_max", 6.0), ("open_ratio", 0.9))))
    final = masked(p._replace(state=state), lengths=[6, 6, 3], resets=resets)["final"]
    np.testing.assert_array_equal(final.clock, [[6], [2], [3]])


def test_a_closed_unit_without_leak_keeps_its_state():
    cell = fresh("phased_lstm", leak=0.0, open_ratio=0.1)
    cell.log_period = type(cell.log_period)(jnp.full(HIDDEN, math.log(10.0)))
    cell.shift = type(cell.shift)(jnp.array([0.0, 2.0, -0.5, 4.0]))
    p = problem(Case("peephole_lstm"))
    old = PhasedState(*p.state, jnp.zeros((BATCH, 1)))
    new, _ = cell.step(old, cell.project(p.xs[0]))
    # At time 0 the units are at phases 0, 0.8, 0.05 (the middle of the open tenth) and 0.6 of their period.
    plain, _ = fresh("peephole_lstm").step(p.state, cell.project(p.xs[0]))
    for after, before, opened in ((new.h, old.h, plain.h), (new.c, old.c, plain.c)):
        np.testing.assert_allclose(after[:, [0, 1, 3]], before[:, [0, 1, 3]], atol=1e-6)
        np.testing.assert_allclose(after[:, 2], opened[:, 2], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"open_ratio": 0.0}, "cell.open_ratio is 0, but must be above 0"),
        ({"open_ratio": 1.5}, "cell.open_ratio is 1.5, but must be above 0 and at most 1"),
        ({"period_min": 20.0, "period_max": 10.0}, "cell.period_min is 20, but must be at most cell.period_max, 10"),
    ],
)
def test_rhythms_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fresh("phased_lstm", **options)


MAPS_OF_THE_STATE = {
    "multiplicative_lstm": lambda cell: [cell.recurrent, cell.factor_recurrent],
    "mogrifier_lstm": lambda cell: [cell.recurrent, *list(cell.mogrifiers)[::2]],
    "hyper_lstm": lambda cell: [cell.recurrent, cell.hyper_main],
    "rhn": lambda cell: [cell.recurrent, *cell.deeper],
}


@pytest.mark.parametrize("name", MAPS_OF_THE_STATE)
def test_weight_drop_acts_on_every_map_of_the_state_and_on_no_other(name):
    cell = fresh(name)
    dropped = weight_drop(cell, 1.0, jax.random.key(0))
    lost = [np.asarray(linear.kernel) for linear in MAPS_OF_THE_STATE[name](dropped)]
    assert len(lost) == {"mogrifier_lstm": 4, "rhn": 3}.get(name, 2)
    assert not any(kernel.any() for kernel in lost)
    changed = [not np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, (cell, dropped)), strict=True)]
    assert sum(changed) == len(lost)


@pytest.mark.parametrize(("depth", "known"), [(1, ["fused", "scan"]), (2, ["scan"])])
def test_a_highway_of_one_layer_runs_fused(depth, known):
    assert list(backends(fresh("rhn", depth=depth))) == known


def test_transform_gates_start_closed_unless_chrono_or_uniform_say_otherwise():
    cell = fresh("rhn", transform_bias=-3.5)
    for bias in (cell.input.bias, *whole(cell.deeper_bias)):
        np.testing.assert_array_equal(bias, [0.0] * HIDDEN + [-3.5] * HIDDEN)
    for init in (Init(chrono_horizon=50), Init(gate_bias="uniform")):
        cell = fresh("rhn", transform_bias=-100.0, init=init)
        biases = np.stack([cell.input.bias, *whole(cell.deeper_bias)])
        assert (biases[:, :HIDDEN] == 0).all()
        assert len(np.unique(biases[:, HIDDEN:])) == 3 * HIDDEN and biases.min() > -5
