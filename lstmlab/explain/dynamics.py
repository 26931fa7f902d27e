r"""A cell as a dynamical system: Lyapunov exponents, spectra of its recurrent maps, dimension of its states.

Lyapunov exponents are the growth rates per step of perturbations of the state, by QR decompositions of step Jacobians
:math:`A_t` along a trajectory (Benettin et al. 1980; Engelken, Wolf & Abbott 2023, arXiv:2006.02427):

.. math::
    A_t Q_{t-1} = Q_t R_t, \qquad \lambda_i = \frac{1}{T} \sum_{t=1}^T \ln |(R_t)_{ii}|

In units of 1/step: :math:`e^{\lambda_i k}` is the factor after :math:`k` steps. Negative ones forget, zero remembers,
positive ones are chaos.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from lstmlab.cells.maps import LinearMap
from lstmlab.explain.trajectory import Trajectory, flat_steps, state_fields, state_width, vector_step
from lstmlab.promotion import standard_promotion

MOST_EXPONENTS = 64
LARGEST_MAP = 1024
"""numbers that a recurrent map may read for its spectrum to be computed"""


def lyapunov_exponents(
    cell: Any, path: Trajectory, count: int = MOST_EXPONENTS, *, skip: int = 0, seed: int = 0
) -> Float[np.ndarray, "batch exponents"]:
    """The largest Lyapunov exponents along each sequence of a trajectory, in 1/step, the largest first.

    They are of finite time: over the steps of the trajectory that are not skipped.

    Args:
        cell: the cell that went along ``path``.
        path: ``[time, batch, ...]``.
        count: how many exponents; all of them if the state has fewer numbers.
        skip: first steps that only turn the directions towards those of the fastest growth.
        seed: of the first directions.

    Raises:
        ValueError: where no steps are left after those that are skipped.
    """
    steps = jax.tree.leaves(path.z)[0].shape[0]
    if not 0 <= skip < steps:
        raise ValueError(f"skip is {skip}, but must be from 0 to {steps - 1}: the trajectory has {steps} steps")
    width = state_width(cell)
    start = np.linalg.qr(np.random.default_rng(seed).normal(size=(width, min(count, width))))[0]
    logs = np.asarray(_log_growth(cell, path, jnp.asarray(start)))[skip:]
    return -np.sort(-logs.mean(axis=0), axis=-1)


@jax.jit
@standard_promotion
def _log_growth(cell: Any, path: Trajectory, start: Array) -> Float[Array, "time batch directions"]:
    fields, cell = state_fields(cell), cell.prepared()
    batch = jax.tree.leaves(path.z)[0].shape[1]

    def push(directions: Array, state: Any, z: PyTree) -> Array:
        step, before = vector_step(cell, state, z, fields)
        return jax.vmap(lambda v: jax.jvp(step, (before,), (v,))[1], 1, 1)(directions)

    def body(directions: Array, step: tuple[Any, PyTree]) -> tuple[Array, Array]:
        grown = jax.vmap(push)(directions, *step)
        # One after the other: factorisations side by side in one program can block each other on CPUs.
        q, r = jax.lax.map(jnp.linalg.qr, grown)
        return q, jnp.log(jnp.abs(jnp.diagonal(r, axis1=-2, axis2=-1)))

    dtype = flat_steps(path.before, fields).dtype
    first = jnp.broadcast_to(start.astype(dtype), (batch, *start.shape))
    return jax.lax.scan(body, first, (path.before, path.z))[1]


class Spectrum(NamedTuple):
    """Of a square block of a recurrent map; singular values where it is not square."""

    singular_values: np.ndarray
    """the largest first"""
    eigenvalues: np.ndarray | None
    """moduli, the largest first"""


def recurrent_spectra(cell: Any) -> dict[str, Spectrum]:
    """Singular values, and moduli of eigenvalues, of a cell's maps of the state, gate by gate.

    Raises:
        ValueError: for a cell without such maps, and for maps that read more than ``LARGEST_MAP`` numbers.
    """
    maps = cell.prepared().state_maps()
    if not maps:
        raise ValueError(f"cell {cell.name} has no maps of its state")
    found = {}
    for name, linear in maps.items():
        matrix = _matrix(cell, linear)
        gates = cell.recurrent_gates if name == "recurrent" else (name,)
        sizes = cell.sizes(gates) if name == "recurrent" else (matrix.shape[1],)
        for gate, block in zip(gates, np.split(matrix, np.cumsum(sizes)[:-1], axis=1), strict=True):
            square = block.shape[0] == block.shape[1]
            moduli = -np.sort(-np.abs(np.linalg.eigvals(block))) if square else None
            found[gate] = Spectrum(np.linalg.svd(block, compute_uv=False), moduli)
    return found


def _matrix(cell: Any, linear: LinearMap) -> Float[np.ndarray, "inputs outputs"]:
    """The matrix of a map of vectors."""
    if cell.spatial:
        raise ValueError(f"cell {cell.name} has convolutional maps: their spectra depend on the size of the frame")
    if cell.output_size > LARGEST_MAP:
        raise ValueError(f"cell {cell.name} has {cell.output_size} outputs, more than the {LARGEST_MAP} of a spectrum")
    return np.asarray(linear.product(jnp.eye(cell.output_size, dtype=cell.zeros().dtype)))


def participation_ratio(states: Float[np.ndarray, "samples size"]) -> float:
    r"""The number of dimensions over which states spread, from 1 to their size.

    .. math:: \frac{(\sum_i \mu_i)^2}{\sum_i \mu_i^2}

    with the eigenvalues :math:`\mu_i` of the states' covariance; 0 for states that are all the same. Gao et al. 2017,
    "A theory of multineuronal dimensionality, dynamics and measurement".
    """
    centred = states - states.mean(axis=0)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    total = np.sum(variances**2)
    return float(np.sum(variances) ** 2 / total) if total > 0 else 0.0
