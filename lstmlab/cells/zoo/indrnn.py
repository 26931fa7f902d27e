"""Independently recurrent units."""

from collections.abc import Sequence

import jax

from lstmlab.arrays import Key
from lstmlab.cells.initialise import Init
from lstmlab.cells.maps import Diagonal, LinearMap
from lstmlab.cells.registry import register_cell
from lstmlab.cells.zoo.irnn import RectifiedCell
from lstmlab.settings import setting


@register_cell(
    "indrnn", title="Independently recurrent network", paper="Li et al. 2018, arXiv:1803.04831", family="structured"
)
class IndRNN(RectifiedCell):
    r"""Rectified units that see no past but their own; layers connect them.

    .. math:: h_t = \max(0, W x_t + u \odot h_{t-1} + b), \qquad u \sim U[0, 2^{1/T}] \text{ at the start}

    Li et al. 2018, "Independently recurrent neural network (IndRNN): building a longer and deeper RNN". Over ``T``
    steps (``horizon``) such a unit multiplies a gradient by 2 at most. The paper also clips :math:`|u|` to that bound
    while training; here nothing does. ``init.recurrent`` is not used.
    """

    map: str = setting("diagonal", "kind of linear map of the recurrence", choices=("diagonal",))
    horizon: int = setting(100, "T, steps over which a first recurrent weight may double a gradient", minimum=1)

    def recurrent_map(self, gates: Sequence[str], key: Key, init: Init, dtype: str | None) -> LinearMap:
        """One weight per unit, within the paper's bounds."""
        draw = jax.random.uniform(key, (sum(self.sizes(gates)),), maxval=2.0 ** (1.0 / self.horizon))
        return Diagonal(init.scale * draw, None, dtype)
