"""What the base class says of a cell holds for every form of every registered cell."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from battery import BATCH, FORMS, TIME, Case, each_form, inner, problem, quick_jit, random_like, shape_of

from lstmlab.cells import Cell, HState
from lstmlab.cells.linear import LinearCell
from lstmlab.cells.regularise_steps import CandidateDropout, Zoneout, candidate_masks, zoneout_masks
from lstmlab.recurrence import backends, unroll
from lstmlab.recurrence.masks import make_step_mask

POINTWISE = [*(case for case in FORMS if shape_of(case).form == "pointwise"), Case("rhn", (("depth", 1),))]


class CarelessCell(Cell):
    """Its candidate never meets the mask."""

    gates = ("candidate",)

    def update(self, state, z, r):
        h = jnp.tanh(z + r)
        return HState(h), {"candidate": h}


class CarelessLinearCell(LinearCell):
    """Nor does this one's."""

    gates = ("update", "candidate")

    def activate(self, z, past):
        update, candidate = self.split(z)
        return {"update": jax.nn.sigmoid(update), "candidate": candidate}

    def coefficients(self, gates):
        return 1 - gates["update"], gates["update"] * gates["candidate"]


@pytest.mark.parametrize("case", POINTWISE, ids=str)
def test_additive_cells_read_the_sum_of_both_products_and_the_others_do_not(case):
    """The backend ``fused`` saves the sum alone, and gives both products one gradient, where a cell says so."""
    p = problem(case)

    @quick_jit
    def probe(p):
        z = p.cell.project(p.xs[0])
        r, moved = random_like(z, 1), random_like(z, 2)

        def value(z, r):
            return inner(p.weights[1], p.cell.update(p.state, z, r)[0])

        return jax.grad(value, argnums=(0, 1))(z, r), (value(z, r), value(z + moved, r - moved))

    (d_z, d_r), values = probe(p)
    assert np.array_equal(d_z, d_r) == p.cell.additive
    assert np.isclose(*values, rtol=1e-3) == p.cell.additive


@each_form
def test_what_a_cell_names_is_there(case):
    cell = shape_of(case)
    state = jax.eval_shape(lambda: case.build().initial_state(BATCH))
    assert isinstance(state, cell.state_type)
    assert "h" in state._fields
    assert set(cell.memory_fields) <= set(state._fields)
    assert set(cell.zoneout_fields) <= set(state._fields)
    numbers = {name: field.size // BATCH for name, field in state._asdict().items()}
    assert cell.state_size == sum(numbers[name] for name in cell.memory_fields or numbers)
    assert set(cell.state_maps()) <= set(cell.recurrent_maps)
    assert set(cell.recurrent_gates) <= set(cell.gates)


@pytest.mark.parametrize("cls", [CarelessCell, CarelessLinearCell])
def test_a_cell_that_forgets_candidate_dropout_fails_while_it_is_traced(cls):
    cell = cls(3, 4, key=jax.random.key(0))
    xs, key = jnp.ones((TIME, BATCH, 3)), jax.random.key(1)
    masks = candidate_masks(cell, 0.5, key, TIME, BATCH)
    keep = zoneout_masks(cell, 0.5, key, TIME, BATCH)
    dropped = CandidateDropout(cell)
    for wrapped, inputs in ((dropped, (xs, masks)), (Zoneout(dropped), ((xs, masks), keep))):
        for backend in backends(wrapped):
            with pytest.raises(ValueError, match="candidate_activation") as error:
                jax.eval_shape(lambda w=wrapped, i=inputs, b=backend: unroll(w, i, backend=b).outputs)
            assert cls.__name__ in str(error.value)
            assert "\n" not in str(error.value)


def test_shapes_that_do_not_fit_fail_at_the_call():
    """In tests only, see ``conftest.py``: every annotation of the recurrence is checked."""
    cell, xs = Case("lstm").build(), jnp.ones((TIME, BATCH, 3))
    with pytest.raises(ValueError, match="lengths has shape"):  # of users, too
        unroll(cell, xs, lengths=jnp.ones(BATCH + 1, int))
    with pytest.raises(jaxtyping.TypeCheckError, match="lengths"):
        make_step_mask(TIME, jnp.ones((BATCH, 1), int), None, None, reverse=False)
