"""Cells stacked into a model: encoder, recurrent layers, head."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from lstmlab.cells import Cell, Init, cell_entry, make_cell
from lstmlab.cells.maps import make_map
from lstmlab.models.blocks import BLOCKS, stream_width
from lstmlab.models.dropout import NO_DROPOUT, Rates, add_noise, fold, sequence_dropout
from lstmlab.models.head import check_tied, make_head, read_out
from lstmlab.models.layer import RecurrentLayer, Run
from lstmlab.recurrence import resolve_backend
from lstmlab.tasks import Features, Tokens

READOUTS = ("steps", "last", "pooled")


class ModelOutput(NamedTuple):
    """What a model gives for a batch."""

    outputs: Array
    """``[batch, time, *spatial, size]`` for the readout ``steps``, else ``[batch, *spatial, size]``"""
    state: Any
    """per layer and direction, after the last step"""
    gates: Any = None
    """per layer and direction, named gate activations ``[time, batch, ...]`` when asked for"""


class SequenceModel(nnx.Module):
    """A sequence model around any registered cell.

    Args:
        cell: name of a registered cell.
        inputs: tokens (embedded) or features (fed as they are, or through a linear map).
        outputs: features of the head.
        hidden_size: features of every layer's state; even for ``block=up_projection``.
        key: random key of the initial parameters.
        layers: number of stacked recurrent layers.
        bidirectional: also run every layer backwards and concatenate.
        block: what surrounds a cell, see :mod:`lstmlab.models.blocks`: ``plain``, ``residual`` (pre-norm; the input
            is first mapped to ``hidden_size``) or ``up_projection`` (the input is first mapped to half of it).
        embedding_size: width of the token embedding or of the linear input map; 0 means ``hidden_size`` for
            tokens and no input map for features.
        tied_embeddings: let the head use the token embedding as its matrix, see
            :class:`~lstmlab.models.head.TiedHead`.
        readout: ``steps``, ``last`` (final state) or ``pooled`` (mean over valid steps).
        variational_dropout: one dropout mask for all steps of a sequence (Gal & Ghahramani 2016).
        backend, chunk: see :func:`lstmlab.recurrence.unroll`.
        dtype: compute dtype of the products; parameters, states and outputs stay float32.
        init: how cells start.
        cell_options: options of the cell.

    Raises:
        ValueError: when the parts do not fit, naming the configuration key.
    """

    def __init__(
        self,
        cell: str,
        inputs: Tokens | Features,
        outputs: Features,
        *,
        hidden_size: int,
        key: PRNGKeyArray,
        layers: int = 1,
        bidirectional: bool = False,
        block: str = "plain",
        embedding_size: int = 0,
        tied_embeddings: bool = False,
        readout: str = "steps",
        variational_dropout: bool = False,
        backend: str = "auto",
        chunk: int | None = None,
        dtype: str | None = None,
        init: Init | None = None,
        cell_options: dict[str, Any] | None = None,
    ) -> None:
        _check("model.block", block, tuple(BLOCKS))
        _check("model.readout", readout, READOUTS)
        if bidirectional and BLOCKS[block].carries and readout == "last":
            raise ValueError(
                "model.readout=last has no meaning for merged directions (model.bidirectional with "
                f"model.block={block}): use model.readout=pooled"
            )
        if tied_embeddings:
            check_tied(inputs, outputs)
        self.inputs, self.outputs, self.readout = inputs, outputs, readout
        self.variational_dropout, self.chunk = variational_dropout, chunk
        self.bidirectional, self.hidden_size = bidirectional, hidden_size
        keys = [jax.random.fold_in(key, i) for i in range(3)]
        options = cell_options or {}
        self.spatial = working_shape(cell, options, inputs)
        stream = stream_width(block, hidden_size)
        embedded = width = self._set_encoder(stream, embedding_size, keys[0], dtype)

        def new_cell(size: int, key: PRNGKeyArray) -> Cell:
            return make_cell(cell, size, hidden_size, key=key, spatial=self.spatial, init=init, dtype=dtype, **options)

        stack = []
        for index in range(layers):
            layer_key = jax.random.fold_in(keys[1], index)
            layer = RecurrentLayer(new_cell, width, block, key=layer_key, bidirectional=bidirectional, dtype=dtype)
            width = layer.block.width
            stack.append(layer)
        self.layers = nnx.List(stack)
        if chunk is not None and backend == "fused":
            raise ValueError("model.chunk needs model.backend=scan or auto, but model.backend is 'fused'")
        self.backend = str(resolve_backend(stack[0].forward, "scan" if chunk and backend == "auto" else backend))
        self.final_norm = None if stream is None else nnx.LayerNorm(width, rngs=nnx.Rngs(0))
        size = outputs.size if self.spatial else outputs.size * math.prod(outputs.spatial)
        self.head = make_head(width, size, embedded if tied_embeddings else None, key=keys[2], dtype=dtype)

    def __call__(
        self,
        inputs: Array,
        state: Any = None,
        *,
        lengths: Int[Array, " batch"] | None = None,
        resets: Bool[Array, "batch time"] | None = None,
        rates: Rates = NO_DROPOUT,
        key: PRNGKeyArray | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Run a batch of sequences ``[batch, time, ...]``; a key switches the dropout kinds in ``rates`` on."""
        run = Run(
            self.backend if not collect_gates else "scan", self.chunk, lengths,
            None if resets is None else resets.T, rates, collect_gates,
        )  # fmt: skip
        xs = self._encode(jnp.swapaxes(inputs, 0, 1))
        xs = self._drop(xs, rates.input, fold(key, 0))
        xs = add_noise(xs, rates.input_noise, fold(key, 1))
        states, gates = [], []
        for index, layer in enumerate(self.layers):
            before = None if state is None else state[index]
            xs, after, named = layer(xs, before, run, fold(key, 2 * index + 2))
            states.append(after)
            gates.append(named)
            xs = self._drop(xs, rates.layer, fold(key, 2 * index + 3))
        ys = self._read(xs, lengths)
        outputs = read_out(self.head, ys if self.final_norm is None else self.final_norm(ys), self.embedding)
        if self.readout == "steps":
            outputs = jnp.swapaxes(outputs, 0, 1)
        if not self.spatial:
            outputs = outputs.reshape(*outputs.shape[:-1], *self.outputs.spatial, self.outputs.size)
        return ModelOutput(outputs, states, gates if collect_gates else None)

    @property
    def state_size(self) -> int:
        """Numbers that one sequence carries from step to step, in all layers and directions."""
        return sum(layer.state_size for layer in self.layers)

    own_options: ClassVar[tuple[str, ...]] = ()
    """keys of the section ``model`` that this architecture takes and others do not"""

    @property
    def needs_whole(self) -> str:
        """Why it cannot be fed step by step, its state carried on: one line for users; empty where it can."""
        return "a bidirectional model needs the whole sequence: call the model on it" if self.bidirectional else ""

    def initial_state(self, batch: int) -> Any:
        """Zero states of all layers."""
        return [layer.initial_state(batch) for layer in self.layers]

    def _set_encoder(self, stream: int | None, size: int, key: PRNGKeyArray, dtype: str | None) -> int:
        """Make the embedding or input map; the width that the first layer sees."""
        features = self.inputs.size
        if isinstance(self.inputs, Features) and not self.spatial:
            features *= math.prod(self.inputs.spatial)
        size = stream or size
        tokens = isinstance(self.inputs, Tokens)
        width = size or (self.hidden_size if tokens else features)
        table = 0.1 * jax.random.normal(key, (features, width)) if tokens else None
        self.embedding = None if table is None else nnx.Param(table)
        self.input_map = (
            make_map("dense", features, (width,), key=key, init="lecun_normal", bias=True, dtype=dtype)
            if size and not tokens
            else None
        )
        return width

    def _encode(self, xs: Array) -> Array:
        if self.embedding is not None:
            return jnp.asarray(self.embedding)[xs]
        if not self.spatial:
            xs = xs.reshape(*xs.shape[:2], -1)
        return xs if self.input_map is None else self.input_map(xs)

    def _drop(self, xs: Array, rate: Any, key: PRNGKeyArray | None) -> Array:
        return sequence_dropout(xs, rate, key, variational=self.variational_dropout)

    def _read(self, xs: Array, lengths: Array | None) -> Array:
        """What the head reads of the top layer's outputs ``[time, batch, ...]``."""
        if self.readout == "steps":
            return xs
        if self.readout == "pooled":
            return _mean_over_time(xs, lengths)
        last = xs[-1] if lengths is None else xs[jnp.maximum(lengths, 1) - 1, jnp.arange(xs.shape[1])]
        if not self.bidirectional:
            return last
        # The backward direction has read the whole sequence when it arrives at the first step.
        size = self.layers[-1].forward.output_size
        return jnp.concatenate([last[..., :size], xs[0][..., size:]], axis=-1)


def _mean_over_time(xs: Array, lengths: Array | None) -> Array:
    if lengths is None:
        return jnp.mean(xs, axis=0)
    valid = jnp.arange(xs.shape[0])[:, None] < lengths
    spread = valid.reshape(valid.shape + (1,) * (xs.ndim - 2))
    return jnp.sum(xs, axis=0, where=spread) / jnp.maximum(jnp.sum(spread, axis=0), 1)


def working_shape(cell: str, options: dict[str, Any], inputs: Tokens | Features) -> tuple[int, ...]:
    """The spatial axes on which this cell works: those of the inputs if its maps are convolutions, else none.

    Raises ``ValueError`` when convolutional maps meet inputs without spatial axes.
    """
    kind = options.get("map", cell_entry(cell).cls.options["map"].default)
    if kind != "conv":
        return ()
    if isinstance(inputs, Tokens) or not inputs.spatial:
        raise ValueError(f"cell {cell} with cell.map=conv needs a task with spatial inputs, such as moving_mnist")
    return inputs.spatial


def _check(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{key} is '{value}', but must be one of: {', '.join(allowed)}")
