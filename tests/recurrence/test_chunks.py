"""Rematerialisation in chunks changes the memory that a gradient takes, and nothing else."""

import jax
import pytest
from battery import (
    RAGGED,
    SOMETIMES,
    TIME,
    Case,
    assert_close,
    each_kind_of_cell,
    masked,
    problem,
)  # fmt: skip

from lstmlab.cells import make_cell
from lstmlab.recurrence import unroll


@each_kind_of_cell
def test_every_cell_gives_the_same_results(case):
    p = problem(case)
    plain = masked(p, RAGGED, SOMETIMES, backend="scan", reverse=True)
    assert_close(masked(p, RAGGED, SOMETIMES, chunk=TIME - 2, reverse=True), plain)


@pytest.mark.parametrize(
    ("chunk", "reverse"),
    [(1, False), (TIME // 2, False), (TIME - 2, False), (TIME // 2, True), (TIME, False)],
)
def test_every_way_to_cut_gives_the_same_results(chunk, reverse):
    """Chunks that divide the sequence, that leave a rest, of one step, and of all."""
    p = problem(Case("rnn"))
    plain = masked(p, RAGGED, SOMETIMES, backend="scan", reverse=reverse)
    assert_close(masked(p, RAGGED, SOMETIMES, chunk=chunk, reverse=reverse), plain)


def test_chunks_of_the_root_of_the_length_take_less_memory():
    cell = make_cell("lstm", 2, 32, key=jax.random.key(0))
    xs = jax.ShapeDtypeStruct((400, 8, 2), "float32")

    def memory(chunk):
        def loss(cell, xs):
            return unroll(cell, xs, backend="scan", chunk=chunk).outputs.sum()

        compiled = jax.jit(jax.grad(loss)).lower(cell, xs).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert memory(20) < 0.6 * memory(None)
