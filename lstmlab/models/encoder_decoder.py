"""An encoder reads one sequence, a decoder that starts where it ended writes another."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from lstmlab.cells import Cell, Init, make_cell
from lstmlab.models.attention import ATTENTIONS, Attention
from lstmlab.models.blocks import BLOCKS, stream_width
from lstmlab.models.dropout import NO_DROPOUT, Rates, add_noise, fold, sequence_dropout
from lstmlab.models.head import check_tied, make_head, read_out
from lstmlab.models.layer import RecurrentLayer, Run
from lstmlab.models.sequence import ModelOutput, working_shape
from lstmlab.recurrence import resolve_backend
from lstmlab.tasks import Features, Pairs, SourceTarget, Tokens


class Encoded(NamedTuple):
    """What the decoder gets of the sources, one column each."""

    memory: Array
    """``[source, batch, width]``: the top layer's outputs, 0 in the padding"""
    valid: Bool[Array, "source batch"]
    """false in the padding"""


class EncoderDecoder(nnx.Module):
    """Two stacks of one registered cell (Sutskever, Vinyals & Le 2014, arXiv:1409.3215), optionally with attention.

    Every layer of the decoder starts from the final state of the encoder's layer at the same height. With
    ``bidirectional`` the encoder reads both ways, and the decoder starts from ``σ(w) ⊙ s_forward + (1 - σ(w)) ⊙
    s_backward`` with a learned w per feature of each field of the state: a mean of two states is a state of any cell,
    where a product with a matrix would make normalisers negative. Fields that count in integers, or whose size depends
    on the layer's input and differs, are not mixed: the former come from the forward direction, the latter start at 0.

    Args:
        cell, hidden_size, key, layers, block, variational_dropout, backend, chunk, dtype, init, cell_options: as in
            :class:`~lstmlab.models.SequenceModel`; the same for encoder and decoder.
        inputs: the two vocabularies.
        outputs: logits of the target vocabulary.
        bidirectional: let the encoder read both ways.
        embedding_size: width of both token embeddings; 0 means ``hidden_size``.
        tied_embeddings: let the head use the embedding of the target tokens as its matrix, see
            :class:`~lstmlab.models.head.TiedHead`.
        readout: ``steps``.
        attention: a name in :data:`~lstmlab.models.attention.ATTENTIONS`.

    Raises:
        ValueError: when the parts do not fit, naming the configuration key.
    """

    def __init__(
        self,
        cell: str,
        inputs: Pairs,
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
        attention: str = "none",
    ) -> None:
        for name, value, allowed in (
            ("block", block, tuple(BLOCKS)), ("readout", readout, ("steps",)), ("attention", attention, ATTENTIONS),
        ):  # fmt: skip
            if value not in allowed:
                raise ValueError(f"model.{name} is '{value}', but must be one of: {', '.join(allowed)}")
        if chunk is not None and backend == "fused":
            raise ValueError("model.chunk needs model.backend=scan or auto, but model.backend is 'fused'")
        if tied_embeddings:
            check_tied(Tokens(inputs.target), outputs)
        self.inputs, self.outputs, self.readout = inputs, outputs, readout
        self.variational_dropout, self.chunk = variational_dropout, chunk
        self.bidirectional, self.hidden_size = bidirectional, hidden_size
        keys = [jax.random.fold_in(key, i) for i in range(6)]
        options = cell_options or {}
        working_shape(cell, options, Tokens(inputs.source))  # refuses convolutions
        stream = stream_width(block, hidden_size)
        width = stream or embedding_size or hidden_size

        def new_cell(size: int, key: PRNGKeyArray) -> Cell:
            return make_cell(cell, size, hidden_size, key=key, init=init, dtype=dtype, **options)

        def stacked(key: PRNGKeyArray, both: bool) -> list[RecurrentLayer]:
            made: list[RecurrentLayer] = []
            for index in range(layers):
                read, mine = made[-1].block.width if made else width, jax.random.fold_in(key, index)
                made.append(RecurrentLayer(new_cell, read, block, key=mine, bidirectional=both, dtype=dtype))
            return made

        self.source_embedding = nnx.Param(0.1 * jax.random.normal(keys[0], (inputs.source, width)))
        self.target_embedding = nnx.Param(0.1 * jax.random.normal(keys[1], (inputs.target, width)))
        encoder, decoder = stacked(keys[2], bidirectional), stacked(keys[3], False)
        self.encoder, self.decoder = nnx.List(encoder), nnx.List(decoder)
        self.bridges = nnx.List([_bridge(layer) for layer in encoder]) if bidirectional else None
        self.backend = str(resolve_backend(decoder[0].forward, "scan" if chunk and backend == "auto" else backend))
        read, shown = encoder[-1].block.width, decoder[-1].block.width
        self.encoder_norm = None if stream is None else nnx.LayerNorm(read, rngs=nnx.Rngs(0))
        self.decoder_norm = None if stream is None else nnx.LayerNorm(shown, rngs=nnx.Rngs(0))
        self.attention = None if attention == "none" else Attention(attention, shown, read, key=keys[4], dtype=dtype)
        self.head = make_head(shown, outputs.size, width if tied_embeddings else None, key=keys[5], dtype=dtype)

    def __call__(
        self,
        inputs: SourceTarget,
        state: Any = None,
        *,
        lengths: Int[Array, " batch"] | None = None,
        resets: Bool[Array, "batch time"] | None = None,
        rates: Rates = NO_DROPOUT,
        key: PRNGKeyArray | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Teacher forcing: the logits ``[batch, target, size]`` of each token from the source and the true tokens
        before it. Lengths are those up to the padding.

        Raises ``ValueError`` for a state, lengths, resets, or when gates are asked for.
        """
        if state is not None or lengths is not None or resets is not None or collect_gates:
            raise ValueError(
                "an encoder-decoder reads whole sequences up to their padding: it takes no state, lengths or resets, "
                "and collects no gates"
            )
        encoded, start = self.encode(inputs.source, rates=rates, key=fold(key, 0))
        outputs, state, _ = self.decode(encoded, inputs.target, start, rates=rates, key=fold(key, 1))
        return ModelOutput(outputs, state)

    def encode(
        self, source: Int[Array, "batch source"], *, rates: Rates = NO_DROPOUT, key: PRNGKeyArray | None = None
    ) -> tuple[Encoded, Any]:
        """The memory of the sources, and the decoder's first state."""
        valid = source != self.inputs.pad
        lengths = jnp.sum(valid, axis=1)
        xs = jnp.asarray(self.source_embedding)[source.T]
        xs, states = self._cross(self.encoder, xs, None, lengths, rates, key)
        memory = xs if self.encoder_norm is None else self.encoder_norm(xs)
        # Norms and residual streams fill the padding.
        memory = jnp.where(valid.T[..., None], memory, 0)
        return Encoded(memory, valid.T), self._bridged(states, source.shape[0])

    def decode(
        self,
        encoded: Encoded,
        target: Int[Array, "batch target"],
        state: Any,
        *,
        rates: Rates = NO_DROPOUT,
        key: PRNGKeyArray | None = None,
    ) -> tuple[Array, Any, Array | None]:
        """Logits ``[batch, target, size]``, the state after the last token, and the attention's weights
        ``[batch, target, source]`` if there is one."""
        lengths = jnp.sum(target != self.inputs.pad, axis=1)
        xs = jnp.asarray(self.target_embedding)[target.T]
        xs, states = self._cross(self.decoder, xs, state, lengths, rates, key)
        xs = xs if self.decoder_norm is None else self.decoder_norm(xs)
        weights = None
        if self.attention is not None:
            xs, weights = self.attention(xs, encoded.memory, encoded.valid)
            xs = self._drop(xs, rates.layer, fold(key, 2 * len(self.decoder) + 2))
            weights = jnp.swapaxes(weights, 0, 1)
        outputs = read_out(self.head, xs, self.target_embedding)
        return jnp.swapaxes(outputs, 0, 1), states, weights

    own_options: ClassVar[tuple[str, ...]] = ("attention",)
    """keys of the section ``model`` that other architectures do not take"""

    @property
    def needs_whole(self) -> str:
        """It reads all of a source before it writes."""
        return "an encoder-decoder needs whole sources: use decode"

    @property
    def state_size(self) -> int:
        """Numbers that one sequence carries from step to step in the decoder; the memory is not counted."""
        return sum(layer.state_size for layer in self.decoder)

    def initial_state(self, batch: int) -> Any:
        """Zero states of the decoder's layers."""
        return [layer.initial_state(batch) for layer in self.decoder]

    def _cross(
        self, layers: Any, xs: Array, state: Any, lengths: Array, rates: Rates, key: PRNGKeyArray | None
    ) -> tuple[Array, list[Any]]:
        """One stack over time."""
        run = Run(self.backend, self.chunk, lengths, None, rates, False)
        xs = add_noise(self._drop(xs, rates.input, fold(key, 0)), rates.input_noise, fold(key, 1))
        states = []
        for index, layer in enumerate(layers):
            xs, after, _ = layer(xs, None if state is None else state[index], run, fold(key, 2 * index + 2))
            states.append(after)
            xs = self._drop(xs, rates.layer, fold(key, 2 * index + 3))
        return xs, states

    def _bridged(self, states: list[Any], batch: int) -> Any:
        """The decoder's first state from the encoder's final ones."""
        started = []
        for index, (zero, final) in enumerate(zip(self.initial_state(batch), states, strict=True)):
            mixed = final[0]
            if self.bridges is not None:
                forward, form = jax.tree.flatten(final[0])
                weights = [jnp.asarray(w) for w in self.bridges[index]]
                pairs = zip(forward, jax.tree.leaves(final[1]), weights, strict=True)
                mixed = jax.tree.unflatten(form, [_mean(*pair) for pair in pairs])
            started.append((jax.tree.map(lambda s, z: s if s.shape == z.shape else z, mixed, zero[0]),))
        return started

    def _drop(self, xs: Array, rate: Any, key: PRNGKeyArray | None) -> Array:
        return sequence_dropout(xs, rate, key, variational=self.variational_dropout)


def _bridge(layer: RecurrentLayer) -> Any:
    """The weights w of one layer's states, 0 at first: the mean of both directions."""
    leaves = jax.tree.leaves(jax.eval_shape(lambda: layer.forward.initial_state(1)))
    return nnx.List([nnx.Param(jnp.zeros(leaf.shape[-1:])) for leaf in leaves])


def _mean(forward: Array, backward: Array, weight: Array) -> Array:
    if not jnp.issubdtype(forward.dtype, jnp.floating):
        return forward
    share = jax.nn.sigmoid(weight)
    return share * forward + (1 - share) * backward
