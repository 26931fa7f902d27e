"""Comparison with an independent implementation: outputs, final state and all gradients.

The oracle computes in float64. Our float64 must agree to rounding, our float32 to 1e-5 of each array's largest number.
An oracle takes its weights from our cell by a differentiable function, so that its gradients come back in the shape of
our cell and no array escapes the comparison.
"""

import jax
import numpy as np
from battery import Case, Problem, assert_close, inner, problem, quick_jit, run

NAMES = ("outputs", "final", "d_cell", "d_xs", "d_state")


def check(case: Case, oracle, tolerance: float = 1e-10) -> None:
    """Compare the cell with ``oracle(problem) -> (outputs, final, d_cell, d_xs, d_state)`` in both precisions."""
    with jax.enable_x64(True):
        double = problem(case, "float64")
        expected = oracle(double)
        ours = run(*double)
        assert_close([ours[name] for name in NAMES], list(expected), tolerance)
        single = jax.tree.map(lambda a: np.asarray(a, "float32"), double)
    ours = run(*single)
    assert {str(a.dtype) for a in jax.tree.leaves(ours)} == {"float32"}
    assert_close([ours[name] for name in NAMES], list(expected), 1e-5)


def jax_oracle(forward):
    """Oracle from a JAX function ``forward(cell, xs, state) -> outputs, final``."""

    @quick_jit
    def oracle(p: Problem):
        def weighted(*args):
            shown = forward(*args)
            return inner(p.weights, shown), shown

        gradient = jax.grad(weighted, argnums=(0, 1, 2), has_aux=True)
        gradients, (outputs, final) = gradient(p.cell, p.xs, p.state)
        return outputs, final, *gradients

    return oracle


def numpy_oracle(forward, weights_of, step: float = 1e-5):
    """Oracle from a NumPy function ``forward(weights, xs, state)``, its gradients by central differences.

    Every number of every array is moved up and down: nothing is derived, nothing shared with our code.
    """

    def oracle(p: Problem):
        weights, pull_back = jax.vjp(weights_of, p.cell)
        *arguments, counts = jax.tree.map(np.array, (weights, p.xs, p.state, p.weights))
        counts = jax.tree.leaves(counts)

        def value():
            shown = jax.tree.leaves(forward(*arguments))
            return sum(np.vdot(a, b) for a, b in zip(counts, shown, strict=True))

        def differences(array):
            gradient = np.zeros_like(array)
            for place in np.ndindex(array.shape):
                kept = array[place]
                array[place] = kept + step
                above = value()
                array[place] = kept - step
                below = value()
                array[place] = kept
                gradient[place] = (above - below) / (2 * step)
            return gradient

        outputs, final = forward(*arguments)
        d_weights, d_xs, d_state = jax.tree.map(differences, tuple(arguments))
        return outputs, final, *pull_back(d_weights), d_xs, d_state

    return oracle


def blocks(cell, *names):
    """Input kernel, recurrent kernel and bias with their gates in another order."""
    order = [cell.gates.index(name) for name in names]

    def sorted_gates(array):
        parts = np.split(np.arange(array.shape[-1]), len(cell.gates))
        return array[..., np.concatenate([parts[i] for i in order])]

    arrays = (cell.input.kernel, cell.recurrent.kernel, cell.input.bias)
    return tuple(sorted_gates(jax.numpy.asarray(a)) for a in arrays)
