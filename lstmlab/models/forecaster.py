"""Encoder and forecaster: one stack of layers reads the past, a second one unrolls the future from its states."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from lstmlab.cells.maps import make_map
from lstmlab.models.dropout import NO_DROPOUT, Rates, add_noise, fold
from lstmlab.models.layer import Run
from lstmlab.models.sequence import ModelOutput, SequenceModel
from lstmlab.tasks import Features, Tokens

FORECASTER_KEY = 3
"""Folded into the key of the parameters; the encoder's parts take 0 to 2."""


class EncoderForecaster(SequenceModel):
    r"""The encoding-forecasting network of Shi et al. 2015, arXiv:1506.04214, figure 3, around any cell.

    Layer ℓ of the forecaster has the cell of layer ℓ of the encoder with weights of its own, and starts from that
    layer's last state:

    .. math::
        s^\ell_t &= E^\ell(s^\ell_{t-1}, h^{\ell-1}_t), \quad h^0_t = x_t & t = 1 \dots T \\
        \hat s^\ell_0 &= s^\ell_T, \quad
        \hat s^\ell_k = F^\ell(\hat s^\ell_{k-1}, \hat h^{\ell-1}_k), \quad \hat h^0_k = u_k & k = 1 \dots K \\
        y_k &= W\,[\hat h^1_k; \dots; \hat h^L_k] + b

    The head reads the outputs of *all* layers of the forecaster, for convolutional cells by a 1×1 convolution. Inputs
    are a pair ``(x, u)``: the sequence seen ``[batch, T, *spatial, features]``, and what the forecaster reads
    ``[batch, K, *spatial, features]``: zeros where nothing of the future is known, as in the paper. Outputs are
    ``[batch, K, *spatial, size]``; the state in and out is the encoder's.

    The constructor is that of :class:`SequenceModel`.

    Raises:
        ValueError: for token inputs, two directions, or a readout other than ``steps``.
    """

    def __init__(
        self, cell: str, inputs: Tokens | Features, outputs: Features, *, key: PRNGKeyArray, **settings: Any
    ) -> None:
        if isinstance(inputs, Tokens):
            raise ValueError("an encoder-forecaster reads features, but the task's inputs are tokens")
        if settings.get("bidirectional"):
            raise ValueError("model.bidirectional=true cannot forecast: a forecaster runs forward in time only")
        readout = settings.get("readout", "steps")
        if readout != "steps":
            raise ValueError(f"model.readout is '{readout}', but an encoder-forecaster needs steps (or auto)")
        super().__init__(cell, inputs, outputs, key=key, **settings)
        # The same constructor once more: its layers are the forecaster's. Its head and input map are dropped.
        twin = SequenceModel(cell, inputs, outputs, key=jax.random.fold_in(key, FORECASTER_KEY), **settings)
        self.forecaster = twin.layers
        width = sum(layer.block.width for layer in self.forecaster)
        if self.final_norm is not None:
            self.final_norm = nnx.LayerNorm(width, rngs=nnx.Rngs(0))
        size = outputs.size if self.spatial else outputs.size * math.prod(outputs.spatial)
        self.head = make_map(
            "dense", width, (size,), key=jax.random.fold_in(key, 2), init="glorot_uniform", bias=True,
            dtype=settings.get("dtype"),
        )  # fmt: skip

    def __call__(
        self,
        inputs: tuple[Array, Array],
        state: Any = None,
        *,
        lengths: Int[Array, " batch"] | None = None,
        resets: Bool[Array, "batch time"] | None = None,
        rates: Rates = NO_DROPOUT,
        key: PRNGKeyArray | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Run a batch of pairs ``(seen, read by the forecaster)``; lengths and resets are those of what is seen."""
        seen, asked = (self._encode(jnp.swapaxes(part, 0, 1)) for part in inputs)
        backend = self.backend if not collect_gates else "scan"
        run = Run(backend, self.chunk, lengths, None if resets is None else resets.T, rates, collect_gates)
        seen = add_noise(self._drop(seen, rates.input, fold(key, 0)), rates.input_noise, fold(key, 1))
        _, states, gates = self._stack(self.layers, seen, state, run, fold(key, 2))
        future = run._replace(lengths=None, resets=None)
        shown, _, more = self._stack(self.forecaster, asked, states, future, fold(key, 3))
        ys = jnp.concatenate(shown, axis=-1)
        outputs = jnp.swapaxes(self.head(ys if self.final_norm is None else self.final_norm(ys)), 0, 1)
        if not self.spatial:
            outputs = outputs.reshape(*outputs.shape[:-1], *self.outputs.spatial, self.outputs.size)
        return ModelOutput(outputs, states, [*gates, *more] if collect_gates else None)

    @property
    def needs_whole(self) -> str:
        """It reads all of the past before it forecasts."""
        return "an encoder-forecaster needs the whole sequence: call the model on it"

    def _stack(
        self, layers: Any, xs: Array, state: Any, run: Run, key: PRNGKeyArray | None
    ) -> tuple[list[Array], list[Any], list[Any]]:
        """Outputs of every layer, their states after the last step, and their gates."""
        shown, states, gates = [], [], []
        for index, layer in enumerate(layers):
            before = None if state is None else state[index]
            xs, after, named = layer(xs, before, run, fold(key, 2 * index))
            xs = self._drop(xs, run.rates.layer, fold(key, 2 * index + 1))
            shown.append(xs)
            states.append(after)
            gates.append(named)
        return shown, states, gates
