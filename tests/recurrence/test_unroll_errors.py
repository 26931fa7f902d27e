"""What cannot be run is refused in one line that says what can."""

import jax
import pytest
from battery import FORMS, Case, each_form, problem, shape_of
from refusals import refused

from lstmlab.recurrence import Backend, backends, resolve_backend, unroll


def run(case, **how):
    return lambda: unroll(*problem(case)[:3], **how)


def test_an_unknown_backend_names_the_known_ones():
    refused(run(Case("lstm"), backend="cuda"), "'cuda'", *Backend)


@pytest.mark.parametrize("how", [{"chunk": 2}, {"collect_gates": True}], ids=["chunk", "gates"])
def test_an_unknown_backend_is_never_ignored(how):
    refused(run(Case("lstm"), backend="cuda", **how), "'cuda'", *Backend)


@pytest.mark.parametrize("how", [{"chunk": 2}, {"collect_gates": True}], ids=["chunk", "gates"])
def test_what_only_the_reference_can_do_is_refused_by_others(how):
    refused(run(Case("lstm"), backend="fused", **how), "'fused'", "'scan'")


@pytest.mark.parametrize("chunk", [0, -1])
def test_a_chunk_holds_at_least_one_step(chunk):
    refused(run(Case("lstm"), chunk=chunk), str(chunk), "at least 1")


REFUSED = [(c, b) for c in FORMS for b in Backend if b not in (Backend.AUTO, Backend.PALLAS, *backends(shape_of(c)))]


@pytest.mark.parametrize(("case", "backend"), REFUSED, ids=str)
def test_a_backend_that_cannot_serve_names_those_that_can(case, backend):
    cell = shape_of(case)
    refused(lambda: resolve_backend(cell, backend), f"'{backend}'", *backends(cell))


def test_some_cell_has_a_backend_that_cannot_serve():
    assert REFUSED


@each_form
def test_auto_picks_the_preferred_backend_and_the_reference_serves_every_cell(case):
    cell = shape_of(case)
    one_core = cell.form == "linear" and jax.default_backend() == "cpu"
    assert resolve_backend(cell) is (Backend.FUSED if one_core else backends(cell)[0])
    assert Backend.SCAN in backends(cell)
