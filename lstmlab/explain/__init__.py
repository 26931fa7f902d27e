"""Why a cell remembers, forgets, learns or fails: diagnostics of cells and of the models of a run."""

from lstmlab.explain.gates import fractions, gate_statistics, memory_time_constants
from lstmlab.explain.gradients import direct_path, field_jacobian, jacobian_products, loss_gradients
from lstmlab.explain.trajectory import Trajectory, trajectory

__all__ = [
    "Trajectory", "direct_path", "field_jacobian", "fractions", "gate_statistics", "jacobian_products",
    "loss_gradients", "memory_time_constants", "trajectory",
]  # fmt: skip
