"""A cell is a pytree: jax.vmap maps over cells as over any array."""

import jax
import jax.numpy as jnp
import numpy as np
from battery import (
    FORMS,
    RAGGED,
    SOMETIMES,
    Problem,
    assert_close,
    each_backend,
    each_form,
    each_kind_of_cell,
    jitter,
    masked,
    problem,
    quick_jit,
    random_like,
    shape_of,
)  # fmt: skip

from lstmlab.settings import settings_of

MEMBERS = 2


@each_kind_of_cell
def test_vmap_over_cells_equals_a_loop(case):
    """On the preferred backend: the one whose backward pass may be our own."""
    p = problem(case)
    members = [Problem(jitter(p.cell, i), *random_like(p[1:], i)) for i in range(MEMBERS)]
    stacked = jax.tree.map(lambda *a: jnp.stack(a), *members)
    together = jax.vmap(lambda p: masked(p, RAGGED, SOMETIMES))(stacked)
    for i, member in enumerate(members):
        one = jax.tree.map(lambda a, i=i: a[i], together)
        assert_close(one, masked(member, RAGGED, SOMETIMES))


@each_form
def test_every_cell_can_be_built_by_vmap(case):
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), MEMBERS))
    together, one = (jax.tree.leaves(cell) for cell in (jax.eval_shape(jax.vmap(case.build), keys), shape_of(case)))
    assert [(a.shape, a.dtype) for a in together] == [((MEMBERS, *a.shape), a.dtype) for a in one]


@each_kind_of_cell
def test_vmap_over_keys_builds_the_cells_of_those_keys(case):
    keys = jnp.stack([jax.random.key(seed) for seed in range(MEMBERS)])

    together = quick_jit(jax.vmap(case.build))(keys)
    for i in range(MEMBERS):
        one = jax.tree.map(lambda a, i=i: a[i], together)
        assert_close(one, case.build(i))


@each_backend
def test_a_step_down_the_gradient_lowers_the_value(case, backend):
    p = problem(case)
    before = masked(p, backend=backend)
    slope = sum(float(jnp.vdot(d, d)) for d in jax.tree.leaves(before["d_cell"]))
    rate = min(1e-3, 0.25 / slope, 1e-3 / slope**0.5)  # short enough for the steepest cell to look straight
    lower = jax.tree.map(lambda a, d: a - rate * d, p.cell, before["d_cell"])
    after = masked(p._replace(cell=lower), backend=backend)
    np.testing.assert_allclose(before["value"] - after["value"], rate * slope, rtol=0.2)


def test_a_cell_keeps_its_settings_through_a_tree_map():
    for case in FORMS:
        cell = shape_of(case)
        again = jax.tree.map(lambda a: a, cell)
        assert type(again) is type(cell)
        options = settings_of(type(cell))
        assert {k: getattr(again, k) for k in options} == {k: getattr(cell, k) for k in options}
