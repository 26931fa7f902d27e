"""Recurrent dropout and zoneout wrap any cell, and every backend runs the wrapped cell alike."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import (
    BATCH,
    FORMS,
    PAIRS,
    RAGGED,
    RECURRENT,
    SOMETIMES,
    TIME,
    USUAL,
    Case,
    assert_close,
    each_form,
    each_kind_of_cell,
    masked,
    problem,
    quick_jit,
    representative,
    shape_of,
    show,
)  # fmt: skip

from lstmlab.cells.regularise import dropout_mask, recurrent_dropout, weight_drop
from lstmlab.cells.regularise_steps import CandidateDropout, Zoneout, candidate_masks, zoneout_masks
from lstmlab.recurrence import backends

KEY = jax.random.key(5)
BEFORE = Case("gru", (("reset", "before"),))
SEVERAL_MAPS = [Case(name) for name in ("lstmp", "multiplicative_lstm", "mogrifier_lstm", "hyper_lstm")]


def with_dropout(p, rate=0.5):
    return p._replace(cell=recurrent_dropout(p.cell, rate, KEY, BATCH))


def masks_of(cell, rate, key, *shape):
    return quick_jit(lambda: zoneout_masks(cell, rate, key, *shape))()


def with_zoneout(p, rate):
    return p._replace(cell=Zoneout(p.cell), xs=(p.xs, masks_of(p.cell, rate, KEY, TIME, BATCH)))


def with_weight_drop(p, rate=0.5):
    return p._replace(cell=weight_drop(p.cell, rate, KEY))


def with_candidate_dropout(p, rate=0.5):
    masks = quick_jit(lambda: candidate_masks(p.cell, rate, KEY, TIME, BATCH))()
    return p._replace(cell=CandidateDropout(p.cell), xs=(p.xs, masks))


ON_MAPS = {"drop": with_dropout, "weights": with_weight_drop}
WRAPPED = [
    *((case, name, wrap) for case in RECURRENT for name, wrap in ON_MAPS.items()),
    *((case, "candidate", with_candidate_dropout) for case in FORMS if "candidate" in shape_of(case).gates),
    *((case, "zone", lambda p: with_zoneout(p, 0.3)) for case in FORMS),
]
WRAPPED.sort(key=lambda wrapped: (str(wrapped[0]), wrapped[1]))
RECURRENT_PAIRS = [(case, backend) for case, backend in PAIRS if case in RECURRENT]


# A wrapper knows of a cell what its form and its maps say: the usual cells, and one of every form, in every way.
@pytest.mark.parametrize(
    ("case", "name", "wrap"),
    [
        pytest.param(
            *wrapped, marks=() if wrapped[0].name in USUAL or representative(wrapped[0].name) else pytest.mark.slow
        )
        for wrapped in WRAPPED
    ],
    ids=[f"{case}-{name}" for case, name, _ in WRAPPED],
)
def test_backends_agree(case, name, wrap):
    wrapped = wrap(problem(case))
    reference = masked(wrapped, RAGGED, SOMETIMES, backend="scan")
    plain = masked(problem(case), RAGGED, SOMETIMES, backend="scan")
    assert not np.allclose(reference["outputs"], plain["outputs"], atol=1e-2)
    for backend in backends(wrapped.cell):
        assert_close(masked(wrapped, RAGGED, SOMETIMES, backend=backend), reference)


def first_half(p):
    """Outputs and final state after half of the steps: a program that other tests of the cell have as well."""
    return show(p.cell, jax.tree.map(lambda a: a[: TIME // 2], p.xs), p.state, backend=backends(p.cell)[0])


@each_form
def test_every_cell_runs_with_dropout_and_with_zoneout(case):
    """Forwards on the backend of training; gradients, and the other backends, are asked of one cell of every kind."""
    p = problem(case)
    plain = first_half(p)
    if case in RECURRENT:
        assert_close(first_half(with_dropout(p, 0.0)), plain)
        assert not np.allclose(first_half(with_dropout(p))[0], plain[0], atol=1e-3)
    assert_close(first_half(with_zoneout(p, 0.0)), plain)
    _, kept = first_half(with_zoneout(p, 1.0))
    for name in p.cell.zoneout_fields or p.state._fields:
        assert_close(getattr(kept, name), getattr(p.state, name), 1e-6)


# Both kinds act on the maps that a cell names.
@pytest.mark.parametrize(
    ("case", "backend", "wrap"),
    [
        pytest.param(
            case, backend, wrap, marks=() if representative(case.name) else pytest.mark.slow,
            id=f"{case}-{backend}-{name}",
        )
        for case, backend in RECURRENT_PAIRS
        for name, wrap in ON_MAPS.items()
    ],
)  # fmt: skip
def test_dropout_at_rate_zero_changes_nothing(case, backend, wrap):
    p = problem(case)
    result, plain = (masked(q, backend=backend) for q in (wrap(p, 0.0), p))
    for name in ("outputs", "final", "d_xs", "d_state"):
        assert_close(result[name], plain[name])


@pytest.mark.parametrize("case", [case for case in FORMS if case not in RECURRENT], ids=str)
def test_dropout_on_products_that_a_cell_does_not_have_is_refused(case):
    for wrap, key in ((with_dropout, "dropout.recurrent"), (with_weight_drop, "dropout.weight")):
        with pytest.raises(ValueError, match=f"{key} has nothing to act on: cell {case.name}"):
            wrap(problem(case))


@pytest.mark.parametrize("case", [case for case in FORMS if "candidate" in shape_of(case).gates], ids=str)
def test_a_dropped_candidate_is_zero_and_a_kept_one_as_it_was(case):
    p = problem(case)
    step = quick_jit(lambda cell, state, x: cell.step(state, cell.project(x)))
    _, plain = step(p.cell, p.state, p.xs[0])
    for rate in (0.0, 1.0):
        q = with_candidate_dropout(p, rate)
        _, gates = step(q.cell, q.state, (p.xs[0], q.xs[1][0]))
        assert_close(gates["candidate"], plain["candidate"] * (1 - rate), 1e-6)


def test_dropout_uses_one_mask_at_all_steps():
    """A linear network makes the mask visible: h_t = U (mask * h_{t-1})."""
    p = problem(Case("rnn"))
    mask = np.asarray(dropout_mask(KEY, 0.5, p.state.h.shape))
    cell, h = p.cell, np.asarray(p.state.h)
    outputs = np.asarray(masked(with_dropout(p))["outputs"])
    for x, output in zip(np.asarray(p.xs), outputs, strict=True):
        z = x @ np.asarray(cell.input.kernel) + np.asarray(cell.input.bias)
        h = np.tanh(z + (h * mask) @ np.asarray(cell.recurrent.kernel))
        assert_close(output, h)


@pytest.mark.parametrize("case", [Case("rnn"), Case("lstm"), Case("gru"), BEFORE, *SEVERAL_MAPS], ids=str)
def test_dropout_reaches_every_product_with_the_state(case):
    """With all units dropped no gate can tell one h from another."""
    p = problem(case)
    z = p.cell.project(p.xs[0])
    moved = p.state._replace(h=p.state.h + 0.1)
    for rate, same in ((0.0, False), (1.0, True)):
        cell = with_dropout(p, rate).cell
        (_, gates), (_, others) = cell.step(p.state, z), cell.step(moved, z)
        for name in gates:
            assert np.allclose(gates[name], others[name], atol=1e-6) == same, name


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_dropout_masks_keep_the_mean(rate):
    """Kept units are scaled up; the rate may be traced."""
    mask = np.asarray(quick_jit(lambda r: dropout_mask(KEY, r, (200, 200)))(rate))
    scale = 1 / (1 - rate) if rate < 1 else 0
    assert np.isin(mask, np.float32([0, scale])).all()
    assert mask.mean() == pytest.approx(float(rate < 1), abs=0.02)


@each_kind_of_cell
def test_zoneout_at_rate_zero_equals_the_plain_cell(case):
    p = problem(case)
    regularised, plain = with_zoneout(p, 0.0), masked(p)
    for backend in backends(regularised.cell):
        result = masked(regularised, backend=backend)
        for name in ("outputs", "final", "d_state"):
            assert_close(result[name], plain[name])
        assert_close(result["d_xs"][0], plain["d_xs"])


@each_kind_of_cell
def test_zoneout_at_rate_one_keeps_the_state(case):
    p = problem(case)
    regularised = with_zoneout(p, 1.0)
    for backend in backends(regularised.cell):
        result = masked(regularised, backend=backend)
        for name in p.cell.zoneout_fields or p.state._fields:
            assert_close(getattr(result["final"], name), getattr(p.state, name), 1e-6)
        if "h" in (p.cell.zoneout_fields or p.state._fields):
            assert_close(result["outputs"], jnp.broadcast_to(p.state.h, (TIME, *p.state.h.shape)), 1e-6)
        assert p.cell.zoneout_fields or not np.any(result["d_xs"][0])


@pytest.mark.parametrize("kept", [0, 1], ids=["h", "c"])
def test_zoneout_keeps_each_field_of_the_state_on_its_own(kept):
    p = problem(Case("lstm"))
    keep = type(p.state)(*(np.full((TIME, *f.shape), k == kept, "float32") for k, f in enumerate(p.state)))
    final = masked(p._replace(cell=Zoneout(p.cell), xs=(p.xs, keep)))["final"]
    assert np.allclose(final[kept], p.state[kept], atol=1e-6)
    assert not np.allclose(final[1 - kept], p.state[1 - kept], atol=1e-2)


@each_form
def test_zoneout_masks_have_the_shapes_of_the_fields_on_which_it_acts(case):
    cell = shape_of(case)
    masks, state = jax.eval_shape(lambda: (zoneout_masks(cell, 0.3, KEY, 50, 40), cell.initial_state(40)))
    fields = cell.zoneout_fields or state._fields
    shapes = {name: mask.shape for name, mask in masks._asdict().items() if mask is not None}
    assert shapes == {name: (50, *getattr(state, name).shape) for name in fields}


@each_kind_of_cell
def test_zoneout_masks(case):
    """Random in training, the rate itself in evaluation; each field of the state has its own."""
    cell = case.build()
    masks = masks_of(cell, 0.3, KEY, 50, 40)
    assert {name for name, mask in masks._asdict().items() if mask is not None} == set(
        cell.zoneout_fields or masks._fields
    )
    for field, keep in zip(cell.initial_state(40), masks, strict=True):
        if keep is None:
            continue
        keep = np.asarray(keep)
        assert keep.shape == (50, *field.shape)
        assert set(np.unique(keep)) == {0.0, 1.0}
        assert keep.mean() == pytest.approx(0.3, abs=0.03)
        assert len(np.unique(keep.reshape(50, -1), axis=0)) == 50
    for keep in jax.tree.leaves(masks_of(cell, 0.3, None, 2, 2)):
        assert (np.asarray(keep) == np.float32(0.3)).all()
