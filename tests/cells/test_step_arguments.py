"""One step of a cell, called directly: what does not fit is one line that names the shapes, never another result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import assert_close
from refusals import refused

from lstmlab.cells import Cell, HCState, HState, make_cell
from lstmlab.recurrence import unroll

BATCH, FEATURES, HIDDEN = 7, 3, 4
CELLS = ("lstm", "lem", "mlstm", "qrnn", "sru", "mogrifier_lstm", "phased_lstm")
each_cell = pytest.mark.parametrize("name", CELLS)


class Doubled(Cell):
    """A cell of a user, who wrote no checks."""

    gates = ("candidate",)

    def project(self, x):
        return {"once": x, "twice": 2 * x}

    def step(self, state, z):
        return HState(self.recurrent(state.h) + self.input(z["once"] + z["twice"])), {}


def build(name="lstm", **settings):
    if name == "doubled":
        return Doubled(FEATURES, HIDDEN, key=jax.random.key(0))
    return make_cell(name, FEATURES, HIDDEN, key=jax.random.key(0), **settings)


@pytest.mark.parametrize("shape", [(BATCH, FEATURES + 1), (FEATURES - 1,), (), (FEATURES, 1)], ids=str)
@pytest.mark.parametrize("name", ["lstm", "mogrifier_lstm", "qrnn", "doubled"])
def test_inputs_with_other_features(name, shape):
    cell = build(name)
    refused(lambda: cell.project(np.ones(shape, "float32")), f"x has shape {shape}", "reads (..., 3)")


def test_inputs_of_convolutional_cells():
    cell = make_cell("conv_lstm", 2, 4, key=jax.random.key(0), spatial=(5,))
    refused(lambda: cell.project(jnp.ones((BATCH, 4, 2))), "(7, 4, 2)", "(..., 5, 2)")
    refused(lambda: cell.step(cell.initial_state(2), cell.project(jnp.ones((3, 5, 2)))), "(3, 5, 16)")
    assert cell.step(cell.initial_state(2, 3), cell.project(jnp.ones((2, 3, 5, 2))))[0].h.shape == (2, 3, 5, 4)


@each_cell
def test_inputs_and_states_of_different_batches(name):
    cell = build(name)
    one, many = cell.project(jnp.ones(FEATURES)), cell.project(jnp.ones((BATCH, FEATURES)))
    for state, z in ((cell.initial_state(), many), (cell.initial_state(BATCH), one), (cell.initial_state(1), many)):
        refused(lambda s=state, z=z: cell.step(s, z), "z has shape", "cell.project(x)", "(7, ")
    for batch, z in (((), one), ((BATCH,), many)):
        assert cell.step(cell.initial_state(*batch), z)[0].h.shape == (*batch, cell.output_size)


@pytest.mark.parametrize("name", ["lstm", "qrnn", "doubled"])
def test_inputs_that_were_not_projected(name):
    cell = build(name)
    refused(lambda: cell.step(cell.initial_state(BATCH), jnp.ones((BATCH, FEATURES))), "cell.project(x)")
    assert cell.step(cell.initial_state(BATCH), cell.project(jnp.ones((BATCH, FEATURES))))[0].h.shape == (BATCH, HIDDEN)


@each_cell
def test_states_of_another_size_or_cell(name):
    cell = build(name)
    z, state = cell.project(jnp.ones((BATCH, FEATURES))), cell.initial_state(BATCH)
    for field, array in state._asdict().items():
        shape = (*array.shape[:-1], array.shape[-1] + 1)
        refused(lambda f=field, s=shape: cell.step(state._replace(**{f: jnp.ones(s)}), z), f"state.{field}")
    refused(lambda: cell.step(tuple(state), z), "state is a tuple", "cell.initial_state(batch)")
    refused(lambda: cell.step(state._replace(h=None), z), "state.h", "real numbers", error=TypeError)


def test_states_whose_fields_are_of_different_batches():
    cell = build()
    state = HCState(jnp.zeros((BATCH, HIDDEN)), jnp.zeros((BATCH - 1, HIDDEN)))
    refused(lambda: cell.step(state, cell.project(jnp.ones((BATCH, FEATURES)))), "state.c has shape (6, 4)")


@pytest.mark.parametrize(("batch", "error"), [((-1,), ValueError), ((2, -3), ValueError), ((2.0,), TypeError)])
@pytest.mark.parametrize("name", ["lstm", "mlstm", "qrnn"])
def test_batches_that_cannot_be(name, batch, error):
    refused(lambda: build(name).initial_state(*batch), f"batch is {batch[-1]}", name, error=error)
    refused(lambda: build(name).initial_state((2, 3)), "batch is (2, 3)", "whole numbers", error=TypeError)


@each_cell
def test_integers_are_numbers_and_nothing_else_is(name):
    cell, x = build(name), np.arange(BATCH * FEATURES).reshape(BATCH, FEATURES) % 5
    whole, real = (cell.step(cell.initial_state(BATCH), cell.project(a))[0].h for a in (x, x.astype("float32")))
    assert_close(whole, real)
    assert whole.dtype == jnp.float32
    for kind in ("complex64", "object", "U3"):
        refused(lambda k=kind: cell.project(x.astype(k)), "x is of type", "real numbers", error=TypeError)


@pytest.mark.parametrize("name", ["lstm", "gru", "sru", "qrnn", "mlstm"])
def test_nothing_of_the_checks_is_left_in_a_program(name):
    """A step that is compiled is that of the equations alone; a method of a base class is not checked again."""
    cell, x = build(name), jnp.ones((BATCH, FEATURES))
    state, z = cell.initial_state(BATCH), cell.project(x)
    bare = type(cell).step.__wrapped__
    assert str(jax.make_jaxpr(cell.step)(state, z)) == str(jax.make_jaxpr(lambda s, z: bare(cell, s, z))(state, z))


def test_steps_are_those_of_unroll_also_for_a_cell_without_checks_of_its_own():
    cell, xs = build("doubled"), jax.random.normal(jax.random.key(1), (5, BATCH, FEATURES))
    state = cell.initial_state(BATCH)
    for x in xs:
        state, _ = cell.step(state, cell.project(x))
    assert_close(unroll(cell, xs, backend="scan").state.h, state.h)
