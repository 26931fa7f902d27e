"""Gate activations come back by name, in their ranges, from the run that they explain."""

import numpy as np
import pytest
from battery import BATCH, TIME, UNBOUNDED, Case, assert_close, each_form, masked, problem, quick_jit

from lstmlab.recurrence import unroll


@quick_jit
def collect(p):
    return unroll(*p[:3], collect_gates=True)


@each_form
def test_named_shaped_and_in_range(case):
    p = problem(case)
    ran = collect(p)
    assert set(ran.gates) == set(p.cell.gates)
    for name in ran.gates:
        gate = np.asarray(ran.gates[name])
        assert gate.shape == (TIME, BATCH, *p.cell.spatial, p.cell.gate_size(name))
        assert gate.std() > 0.01, name
        if name not in UNBOUNDED.get(case.name, ()):
            low = -1 if name == "candidate" else 0
            assert low < gate.min() < gate.max() < 1, name


@each_form
def test_collecting_changes_no_result(case):
    p = problem(case)
    ran, plain = collect(p), masked(p, backend="scan")
    assert_close((ran.outputs, ran.state), (plain["outputs"], plain["final"]))


@pytest.mark.parametrize("case", [Case("lstm"), Case("peephole_lstm")], ids=str)
def test_the_gates_of_an_lstm_give_its_memory(case):
    p = problem(case)
    ran, c = collect(p), p.state.c
    for t in range(TIME):
        i, f, candidate, o = (ran.gates[g][t] for g in ("input", "forget", "candidate", "output"))
        c = f * c + i * candidate
        assert_close(o * np.tanh(c), ran.outputs[t])
    assert_close(c, ran.state.c)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_the_gates_of_a_gru_give_its_state(reset):
    p = problem(Case("gru", (("reset", reset),) if reset == "before" else ()))
    ran, h = collect(p), p.state.h
    for t in range(TIME):
        keep, candidate = ran.gates["update"][t], ran.gates["candidate"][t]
        h = keep * h + (1 - keep) * candidate
        assert_close(h, ran.outputs[t])
