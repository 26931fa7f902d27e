"""Coupled oscillators."""

from typing import NamedTuple

from jaxtyping import Array

from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form
from lstmlab.cells.initialise import Init, KeyStream
from lstmlab.cells.registry import register_cell
from lstmlab.cells.state import Gates
from lstmlab.settings import setting


class OscillatorState(NamedTuple):
    """Positions (the output) and velocities."""

    h: Array
    velocity: Array


@register_cell(
    "cornn", title="Coupled oscillatory RNN", paper="Rusch & Mishra 2021, arXiv:2010.00951", family="structured"
)
class CoRNN(Cell):
    r"""Driven, damped and coupled oscillators :math:`y'' = \tanh(U y + V y' + W x + b) - \gamma y - \epsilon y'`.

    .. math::
        n_t &= \tanh(W x_t + U y_{t-1} + V v_{t-1} + b) \\
        v_t &= v_{t-1} + \Delta t \, (n_t - \gamma y_{t-1} - \epsilon v_{t-1}) \\
        y_t &= y_{t-1} + \Delta t \, v_t

    with :math:`h = y`. Rusch & Mishra 2021, "Coupled oscillatory recurrent neural network (coRNN)": the IMEX scheme,
    its damping explicit as in the authors' code (the paper also allows :math:`v_t` there). The defaults are the
    authors' for sequential MNIST; they tune all three options per task. Two products with the state: reference backend.
    """

    gates = ("candidate",)
    state_type = OscillatorState
    recurrent_maps = ("recurrent", "velocity_recurrent")
    dt: float = setting(0.042, "time step of the discretisation", minimum=0.0)
    gamma: float = setting(2.7, "stiffness: pulls every oscillator back to zero", minimum=0.0)
    epsilon: float = setting(4.7, "damping of the velocities", minimum=0.0)

    def setup(self, keys: KeyStream, init: Init, dtype: str | None) -> None:
        """The map of the velocities."""
        self.velocity_recurrent = self.recurrent_map(self.gates, keys(), init, dtype)

    @property
    def form(self) -> Form:
        """Two products, of positions and of velocities."""
        return "step"

    def step(self, state: OscillatorState, z: Array) -> tuple[OscillatorState, Gates]:
        """One step of the discretisation: velocities first, then positions."""
        candidate = self.candidate_activation(z + self.recurrent(state.h) + self.velocity_recurrent(state.velocity))
        force = candidate - self.gamma * state.h - self.epsilon * state.velocity
        velocity = state.velocity + self.dt * force
        return OscillatorState(state.h + self.dt * velocity, velocity), {"candidate": candidate}
