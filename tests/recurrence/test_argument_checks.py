"""What a caller gives to unroll is checked: a wrong shape or type is one line that names it, never another result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import BATCH, FEATURES, HIDDEN, TIME, Case, assert_close, problem

from lstmlab.cells import HCState, HState, make_cell
from lstmlab.recurrence import unroll


def refused(error_type, *words, case="lstm", **changed):
    p = problem(Case(case))
    arguments = {"xs": p.xs, "state": p.state} | changed
    with pytest.raises(error_type) as error:
        unroll(p.cell, **arguments)
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    "shape",
    [(7, FEATURES), (7,), (), (TIME, BATCH, FEATURES + 1), (TIME, BATCH, 1), (2, TIME, BATCH, FEATURES)],
    ids=str,
)
@pytest.mark.parametrize("case", ["lstm", "min_gru", "mlstm", "lem"])
def test_inputs_of_another_shape(case, shape):
    refused(ValueError, str(shape), case=case, xs=np.ones(shape, "float32"), state=None)


@pytest.mark.parametrize("dtype", ["complex64", "object", "U3"])
def test_inputs_that_are_no_numbers(dtype):
    refused(TypeError, "xs", "real numbers", xs=np.ones((TIME, BATCH, FEATURES)).astype(dtype))


def test_convolutional_cells_name_their_space():
    cell = make_cell("conv_lstm", 2, 4, key=jax.random.key(0), spatial=(5,))
    with pytest.raises(ValueError, match=r"\(3, 2, 2\).*\(time, batch, 5, 2\)"):
        unroll(cell, np.ones((3, 2, 2), "float32"))


@pytest.mark.parametrize(
    ("lengths", "error", "words"),
    [
        ([6], ValueError, "(1,)"),
        (6, ValueError, "()"),
        ([[6, 3, 2]], ValueError, "(1, 3)"),
        ([6, 3, 7], ValueError, "7"),
        (np.array([6, -1, 2]), ValueError, "-1"),
        ([6.0, 3.0, 2.0], TypeError, "float64"),
        ([True, False, True], TypeError, "bool"),
        ([[1], [1, 2]], ValueError, "lengths"),
    ],
    ids=str,
)
def test_lengths_that_cannot_be(lengths, error, words):
    refused(error, "lengths", words, lengths=lengths)


@pytest.mark.parametrize("name", ["resets", "mask"])
@pytest.mark.parametrize(
    ("mask", "error"),
    [
        (np.ones((BATCH, TIME), bool), ValueError),
        (np.ones(TIME, bool), ValueError),
        (np.ones((TIME, 1), bool), ValueError),
        (np.ones((TIME, BATCH), int), TypeError),
        (np.ones((TIME, BATCH)), TypeError),
    ],
    ids=["batch_first", "no_batch", "one_row", "int", "float"],
)
def test_masks_that_cannot_be(name, mask, error):
    refused(error, name, **{name: mask})


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        (HState(np.zeros((BATCH, HIDDEN))), ValueError, "HState"),
        (HCState(np.zeros((1, HIDDEN)), np.zeros((1, HIDDEN))), ValueError, "state.h"),
        (HCState(np.zeros((BATCH, HIDDEN)), np.zeros((BATCH, HIDDEN + 1))), ValueError, "state.c"),
        (HCState(np.zeros((BATCH, HIDDEN)), np.zeros((BATCH, HIDDEN), complex)), TypeError, "state.c"),
        (np.zeros((BATCH, HIDDEN)), ValueError, "HCState"),
    ],
    ids=["other_cell", "other_batch", "other_size", "complex", "array"],
)
def test_states_that_cannot_be(state, error, words):
    refused(error, words, state=state)


def test_plain_lists_serve_as_lengths_and_masks():
    p = problem(Case("lstm"))
    lengths, resets = [6, 3, 0], np.eye(TIME, BATCH, dtype=bool)
    plain = unroll(*p[:3], lengths=lengths, resets=resets.tolist())
    assert_close(tuple(plain[:2]), tuple(unroll(*p[:3], lengths=jnp.asarray(lengths), resets=jnp.asarray(resets))[:2]))


def test_shapes_are_checked_while_jax_traces():
    p = problem(Case("gru"))
    with pytest.raises(ValueError, match="lengths"):
        jax.jit(lambda lengths: unroll(*p[:3], lengths=lengths))(jnp.ones(1, int))
