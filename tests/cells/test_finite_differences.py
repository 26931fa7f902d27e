"""Gradients against central differences in float64, on the backend that training would use.

For every array of a problem the derivative along a random direction must equal the difference of the values a small
step to either side: a check that shares nothing with automatic differentiation.
"""

import jax
import numpy as np
import pytest
from battery import VARIANTS, assert_close, each_variant, problem, random_like, run, shape_of

from lstmlab.recurrence import backends

# The shorter step is for functions with a kink that happens to lie within the longer one.
STEPS = (1e-5, 1e-6)


def difference(p, field, k, direction, step):
    """Slope of the value at ``p`` when array ``k`` of one of its fields moves along ``direction``."""
    leaves, structure = jax.tree.flatten(getattr(p, field))

    def value(distance):
        moved = [np.asarray(a) + distance * direction if i == k else a for i, a in enumerate(leaves)]
        return run(*p._replace(**{field: jax.tree.unflatten(structure, moved)}))["value"]

    return (value(step) - value(-step)) / (2 * step)


@each_variant
def test_gradients_are_derivatives(case, x64):
    p = problem(case, "float64")
    result = run(*p)
    for field in ("cell", "xs", "state"):
        gradients = jax.tree_util.tree_leaves_with_path(result[f"d_{field}"])
        for k, (path, gradient) in enumerate(gradients):
            direction = np.asarray(random_like(np.asarray(gradient), k))
            if field == "state" and path[0].name not in (p.cell.memory_fields or p.state._fields):
                assert not np.any(gradient), f"{path[0].name} is read, but not named in memory_fields"
                continue
            size = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
            name = f"d_{field}{jax.tree_util.keystr(path)}"
            assert size > 1e-3, f"{name} is zero: nothing to check"
            slope = np.vdot(gradient, direction)
            wrong = [abs(slope - difference(p, field, k, direction, STEPS[0])) / size]
            if wrong[0] >= 1e-7:
                wrong.append(abs(slope - difference(p, field, k, direction, STEPS[1])) / size)
            assert min(wrong) < 1e-7, f"{name}: relative errors {wrong}"


@pytest.mark.parametrize("case", [c for c in VARIANTS if len(backends(shape_of(c))) > 1], ids=str)
def test_backends_agree_to_rounding_without_masks(case, x64):
    p = problem(case, "float64")
    preferred, *others = backends(p.cell)
    for backend in others:
        assert_close(run(*p, backend=backend), run(*p, backend=preferred), 1e-12)
