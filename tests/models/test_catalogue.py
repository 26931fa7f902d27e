"""What the catalogue says of a cell is what the cell does."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FEATURES, HIDDEN, SPATIAL, forms, quick_jit, shape_of

from lstmlab.cells import Init, cell_entry, cell_names, make_cell
from lstmlab.models.catalogue import SIZE, cell_facts, other_forms
from lstmlab.recurrence import Backend, unroll
from lstmlab.settings import settings_of

NAMED = {str(backend) for backend in Backend} - {"auto", "pallas", "cudnn"}  # without the kernels for GPUs
ZEROS = Init(input="zeros", recurrent="zeros")
facts_of, others_of = functools.cache(cell_facts), functools.cache(other_forms)


def small(name, options):
    spatial = SPATIAL[1] if settings_of(cell_entry(name).cls)["map"].default == "conv" else ()
    cell = make_cell(name, FEATURES, HIDDEN, key=jax.random.key(0), spatial=spatial, init=ZEROS, **options)
    draw = np.random.default_rng(0)
    return jax.tree.map(lambda a: np.asarray(a + 0.3 * draw.normal(size=a.shape), a.dtype), jax.device_get(cell))


@functools.partial(quick_jit, static_argnames="backends")
def outputs_of(cell, xs, backends):
    return [unroll(cell, xs, backend=backend).outputs for backend in backends]


@pytest.mark.parametrize("name", cell_names())
def test_the_listed_backends_run_and_the_others_raise(name):
    """With default options, and with each option that gives the cell another form."""
    check_backends(small(name, {}), facts_of(name))
    for other in others_of(name):
        check_backends(small(name, {other.option: other.value}), other)


def check_backends(cell, facts):
    assert cell.form == facts.form
    xs = jnp.ones((3, 2, *cell.spatial, FEATURES))
    outputs = outputs_of(cell, xs, facts.backends)
    assert np.any(outputs[0])
    for one in outputs:
        np.testing.assert_allclose(one, outputs[0], rtol=1e-5, atol=1e-6)
    assert set(facts.backends) <= NAMED
    for backend in NAMED - set(facts.backends):
        with pytest.raises(ValueError, match=f"backend '{backend}' cannot run this cell"):
            unroll(cell, xs, backend=backend)


@pytest.mark.parametrize("name", cell_names())
def test_no_form_is_left_untold(name):
    """Over all forms of the battery: a cell built with one other option has the form listed for it."""
    listed = {(other.option, other.value): other.form for other in others_of(name)}
    default = facts_of(name).form
    for case in forms(name):
        form = shape_of(case).form
        assert form == (listed.get(case.options[0], default) if case.options else default), case


@pytest.mark.parametrize("name", cell_names())
def test_sizes_are_those_of_the_cell(name):
    facts = facts_of(name)
    spatial = (1, 1) if facts.convolutional else ()
    cell = make_cell(name, SIZE, SIZE, key=jax.random.key(0), spatial=spatial, init=ZEROS)
    state = cell.initial_state(1)
    assert facts.parameters == sum(leaf.size for leaf in jax.tree.leaves(cell))
    memory_fields = [getattr(state, field) for field in cell.memory_fields or state._fields]
    assert facts.state_size == sum(leaf.size for leaf in memory_fields)
    assert facts.state == {field: getattr(state, field).shape[1:] for field in state._fields}
    assert set(facts.gates) == set(cell.gates)
    for kind in facts.maps:
        grid = (1, 1) if kind == "conv" else ()
        jax.eval_shape(lambda kind=kind, grid=grid: make_cell(
            name, SIZE, SIZE, key=jax.random.key(0), spatial=grid, map=kind
        ))  # fmt: skip


def test_what_is_known_of_some_cells():
    lstm, gru, linear = (cell_facts(name) for name in ("lstm", "gru", "min_gru"))
    assert (lstm.parameters, lstm.state_size) == (4 * 128 * (128 + 128 + 1), 256)
    assert (lstm.form, lstm.backends) == ("pointwise", ("fused", "scan"))
    assert lstm.gates == {"input": 128, "forget": 128, "candidate": 128, "output": 128}
    assert other_forms("lstm") == []
    assert other_forms("gru") == [("reset", "before", "step", ("scan",))]
    assert gru.parameters == 3 * 128 * (128 + 128 + 1) + 128
    assert linear.backends[0] == "associative"
    assert linear.maps == ("dense", "conv")


def test_an_unknown_cell_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match="unknown cell 'gruu'; did you mean 'gru'"):
        cell_facts("gruu")
