"""A sequence model that reads its own forecasts: several steps ahead, one at a time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.arrays import Given, Key, LengthsLike, MaskLike
from lstmlab.models.base import ModelOutput
from lstmlab.models.check import check_masks, check_sequences
from lstmlab.models.dropout import NO_DROPOUT, Rates, fold
from lstmlab.models.sequence import SequenceModel
from lstmlab.models.stack import StackState
from lstmlab.promotion import cast_numbers, parameter_type, standard_promotion
from lstmlab.tasks import Features, Tokens


class RecursiveModel(SequenceModel):
    r"""One step ahead, fed back for the next: the recursive (iterated) strategy.

    .. math:: \hat y_{t+1} = f(x_1, …, x_t), \quad \hat y_{t+k+1} = f(x_1, …, x_t, [\hat y_{t+1}; c_{t+1}], …)

    Inputs are ``[batch, window + horizon − 1, features]``: the window, then for each further step what is known of
    it in advance (c, such as the calendar). The first ``columns`` features of these steps are replaced by the
    forecast. Outputs are ``[batch, horizon, columns, numbers]``; number 0 of each column is fed back. Training goes
    through the model's own forecasts, so that it learns under the errors that it will make. Dropout masks that last a
    sequence are drawn once for the window, and again for each step that is fed back.

    Args:
        cell, inputs: as of :class:`SequenceModel`.
        outputs: with ``spatial = (horizon, columns)``.
        settings: the others of :class:`SequenceModel`; the readout is the last step's.

    Raises:
        ValueError: for a readout other than ``last``, and for a bidirectional model.
    """

    def __init__(self, cell: str, inputs: Tokens | Features, outputs: Features, **settings: Any) -> None:
        if settings.get("bidirectional"):
            raise ValueError(
                "model.bidirectional=true cannot read its own forecasts one by one: use task.strategy=direct"
            )
        if settings.get("readout", "last") != "last":
            raise ValueError(f"model.readout is '{settings['readout']}', but task.strategy=recursive needs last")
        self.horizon, self.columns = outputs.spatial
        one_step = Features(outputs.size, (self.columns,))
        super().__init__(cell, inputs, one_step, **{**settings, "readout": "last"})

    @standard_promotion
    def __call__(
        self,
        inputs: Given,
        state: StackState | None = None,
        *,
        lengths: LengthsLike | None = None,
        resets: MaskLike | None = None,
        mask: MaskLike | None = None,
        rates: Rates = NO_DROPOUT,
        key: Key | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Forecasts ``[batch, horizon, columns, numbers]``, and the state after the last step that was read.

        Lengths and gates are those of the window, and so is what is read of resets and the mask ``[batch, time]``.
        """
        inputs = cast_numbers(check_sequences(inputs, self.inputs), parameter_type(self))
        if inputs.shape[1] < self.horizon:
            raise ValueError(
                f"inputs has shape {inputs.shape}, but a horizon of {self.horizon} needs at least {self.horizon} steps"
            )
        call = super().__call__
        window = inputs.shape[1] - (self.horizon - 1)
        past, ahead = inputs[:, :window], jnp.swapaxes(inputs[:, window:], 0, 1)
        masks = check_masks(None, resets, mask, *inputs.shape[:2])[1:]
        resets, mask = (None if given is None else given[:, :window] for given in masks)
        first = call(
            past, state, lengths=lengths, resets=resets, mask=mask, rates=rates, key=fold(key, 0),
            collect_gates=collect_gates,
        )  # fmt: skip

        def step(carry: tuple[Array, StackState], xs: tuple[Array, Array]) -> tuple[tuple[Array, StackState], Array]:
            (forecast, state), (known, index) = carry, xs
            row = jnp.concatenate([forecast[..., 0], known[:, self.columns :]], axis=-1)
            out = call(row[:, None], state, rates=rates, key=fold(key, index + 1))
            return (out.outputs, out.state), out.outputs

        steps = jnp.arange(self.horizon - 1)
        (_, state), later = jax.lax.scan(step, (first.outputs, first.state), (ahead, steps))
        outputs = jnp.concatenate([first.outputs[None], later])
        return ModelOutput(jnp.swapaxes(outputs, 0, 1), state, first.gates)

    @property
    def whole_sequence_reason(self) -> str:
        """It reads a window before it reads its own forecasts."""
        return "a recursive model needs the whole window: call the model on it"
