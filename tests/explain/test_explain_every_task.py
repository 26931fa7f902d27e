"""Every task, each with another cell, is explained from end to end: also cells with large states and without gates."""

import jax
import numpy as np
import pytest
from small_runs import TASKS, quick_programs, run, small

from lstmlab.cells import cell_names
from lstmlab.explain.diagnostics import DIAGNOSTICS
from lstmlab.explain.run import Explainer

CELLS = [name for name in cell_names() if name != "conv_lstm"]
PAIRS = [(task, CELLS[7 * number % len(CELLS)]) for number, task in enumerate(TASKS)] + [("moving_mnist", "conv_lstm")]


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


@pytest.mark.slow
@pytest.mark.parametrize(("task", "cell"), PAIRS)
def test_a_run_of_every_task_is_explained(task, cell, tmp_path):
    run(small(task, f"cell={cell}"), tmp_path)
    found = Explainer(progress=print).explain(tmp_path)
    assert {one.diagnostic for one in found.findings} >= set(DIAGNOSTICS) - {"gates"}
    for placed in found.findings:
        if placed.finding.name in ("loss_gradient", "lyapunov_exponents", "reset_effect", "hardest"):
            values = np.array([*placed.finding.series.values()], float)
            assert np.isfinite(values).any() and not np.isinf(values[values > 0]).any(), placed.finding.name
    assert jax.config.read("jax_enable_x64") is False
