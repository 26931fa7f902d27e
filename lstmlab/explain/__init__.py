"""Why a cell remembers, forgets, learns or fails: diagnostics of cells and of the models of a run."""

from lstmlab.explain.dynamics import Spectrum, lyapunov_exponents, participation_ratio, recurrent_spectra
from lstmlab.explain.gates import GateStatistics, fractions, gate_statistics, memory_time_constants
from lstmlab.explain.generalisation import hardest, metrics_by_position, metrics_by_sequence
from lstmlab.explain.gradients import (
    JacobianProducts,
    direct_path,
    field_jacobian,
    jacobian_products,
    loss_gradients,
)
from lstmlab.explain.memory import Probe, linear_probe, reset_effect
from lstmlab.explain.trajectory import Trajectory, trajectory

__all__ = [
    "GateStatistics", "JacobianProducts", "Probe", "Spectrum", "Trajectory", "direct_path", "field_jacobian",
    "fractions", "gate_statistics", "hardest", "jacobian_products", "linear_probe", "loss_gradients",
    "lyapunov_exponents", "memory_time_constants", "metrics_by_position", "metrics_by_sequence",
    "participation_ratio", "recurrent_spectra", "reset_effect", "trajectory",
]  # fmt: skip
