"""An encoder reads one sequence; a decoder starts from its final states and writes another."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from lstmlab.arrays import Given, Key, LengthsLike, MaskLike
from lstmlab.models.attention import ATTENTIONS, Attention
from lstmlab.models.base import ModelOutput, RecurrentModel
from lstmlab.models.blocks import normalise, stream_norm
from lstmlab.models.bridge import bridge_states, make_bridge
from lstmlab.models.check import check_states, check_tokens, check_vocabulary
from lstmlab.models.dropout import NO_DROPOUT, Rates, fold
from lstmlab.models.head import apply_head, check_tied, make_head
from lstmlab.models.inputs import embed_inputs, make_embedding
from lstmlab.models.model_settings import ModelSettings, check_choice
from lstmlab.models.stack import Stack, StackState, drop_inputs, drop_outputs
from lstmlab.promotion import standard_promotion
from lstmlab.tasks import Features, Pairs, SourceTarget, Tokens


class Encoded(NamedTuple):
    """What the decoder sees of the sources, one column each."""

    memory: Float[Array, "source batch width"]
    """the top layer's outputs, 0 in the padding"""
    valid: Bool[Array, "source batch"]
    """false in the padding"""


class EncoderDecoder(RecurrentModel):
    """Two stacks of one registered cell (Sutskever, Vinyals & Le 2014, arXiv:1409.3215), optionally with attention.

    Every layer of the decoder starts from the final state of the encoder's layer at the same height. With
    ``bidirectional`` the encoder reads both ways, and the decoder starts from ``σ(w) ⊙ s_forward + (1 - σ(w)) ⊙
    s_backward`` with a learned w per feature of each field of the state: a mean of two states is a state of any cell,
    where a product with a matrix would make normalisers negative. Fields that count in integers, or whose size depends
    on the layer's input and differs, are not mixed: the former come from the forward direction, the latter start at 0.

    Args:
        cell: name of a registered cell.
        inputs: the two vocabularies.
        outputs: logits of the target vocabulary.
        key: random key of the initial parameters.
        attention: a name in :data:`~lstmlab.models.attention.ATTENTIONS`.
        settings: the other fields of :class:`~lstmlab.models.model_settings.ModelSettings`, the same for encoder and
            decoder, but for ``bidirectional``, which is the encoder's alone. ``embedding_size`` is the width of both
            token embeddings, ``tied_embeddings`` shares the target's, and the readout is ``steps``.

    Raises:
        ValueError: when the parts do not fit, naming the configuration key.
    """

    inputs: Pairs
    extra_settings: ClassVar[tuple[str, ...]] = ("attention",)

    def __init__(
        self, cell: str, inputs: Pairs, outputs: Features, *, key: Key, attention: str = "none", **settings: Any
    ) -> None:
        model = ModelSettings(cell, **settings)
        check_choice("model.readout", model.readout, ("steps",))
        check_choice("model.attention", attention, ATTENTIONS)
        if model.tied_embeddings:
            check_tied(Tokens(inputs.target), outputs)
        model.spatial_shape(inputs)  # raises for convolutional cells
        super().__init__(inputs, outputs, model)
        keys = [jax.random.fold_in(key, number) for number in range(6)]
        width, dtype = model.embedding_width, model.dtype
        self.source_embedding = make_embedding(inputs.source, width, key=keys[0])
        self.target_embedding = make_embedding(inputs.target, width, key=keys[1])
        self.encoder = Stack(model, width, key=keys[2])
        self.decoder = Stack(dataclasses.replace(model, bidirectional=False), width, key=keys[3])
        self.bridges = nnx.List([make_bridge(layer) for layer in self.encoder]) if model.bidirectional else None
        self.backend = model.resolve_backend(self.decoder[0].forward)
        memory, query = self.encoder.widths[-1], self.decoder.widths[-1]
        self.encoder_norm = stream_norm(model.block, memory)
        self.decoder_norm = stream_norm(model.block, query)
        self.attention = None if attention == "none" else Attention(attention, query, memory, key=keys[4], dtype=dtype)
        self.head = make_head(query, outputs.size, width if model.tied_embeddings else None, key=keys[5], dtype=dtype)

    @standard_promotion
    def __call__(
        self,
        inputs: SourceTarget,
        state: StackState | None = None,
        *,
        lengths: LengthsLike | None = None,
        resets: MaskLike | None = None,
        mask: MaskLike | None = None,
        rates: Rates = NO_DROPOUT,
        key: Key | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Teacher forcing: the logits ``[batch, target, size]`` of each token from the source and the true tokens
        before it. Lengths are those up to the padding.

        Raises ``ValueError`` for a state, lengths, resets, a mask, or when gates are asked for.
        """
        if any(given is not None for given in (state, lengths, resets, mask)) or collect_gates:
            raise ValueError(
                "an encoder-decoder reads whole sequences up to their padding: it takes no state, lengths, resets or "
                "mask, and collects no gates"
            )
        encoded, first_state = self.encode(inputs.source, rates=rates, key=fold(key, 0))
        outputs, state, _ = self.decode(encoded, inputs.target, first_state, rates=rates, key=fold(key, 1))
        return ModelOutput(outputs, state)

    @standard_promotion
    def encode(self, source: Given, *, rates: Rates = NO_DROPOUT, key: Key | None = None) -> tuple[Encoded, StackState]:
        """The memory of the sources ``[batch, source]``, and the decoder's first state."""
        source = check_tokens("source", source)
        check_vocabulary("source", source, self.inputs.source)
        valid = source != self.inputs.pad
        options = self._unroll_options(jnp.sum(valid, axis=1), None, rates)
        xs = drop_inputs(embed_inputs(source, self.source_embedding, None, spatial=()), options, key)
        out = self.encoder(xs, None, options, key, first_number=2)
        memory = normalise(self.encoder_norm, out.outputs[-1])
        # Norms and residual streams fill the padding.
        memory = jnp.where(valid.T[..., None], memory, 0)
        layers = zip(
            out.state, self.initial_state(source.shape[0]), self.bridges or [None] * len(out.state), strict=True
        )
        return Encoded(memory, valid.T), [bridge_states(*layer) for layer in layers]

    @standard_promotion
    def decode(
        self,
        encoded: Encoded,
        target: Given,
        state: StackState,
        *,
        rates: Rates = NO_DROPOUT,
        key: Key | None = None,
    ) -> tuple[Float[Array, "batch target size"], StackState, Float[Array, "batch target source"] | None]:
        """Logits for the tokens ``[batch, target]``, the state after the last of them, and the attention's weights if
        there is one."""
        target = check_tokens("target", target)
        check_vocabulary("target", target, self.inputs.target)
        if target.shape[0] != encoded.memory.shape[1]:
            raise ValueError(
                f"target has {target.shape[0]} rows, but there are {encoded.memory.shape[1]} sources: one for each"
            )
        check_states(state, self.decoder)
        options = self._unroll_options(jnp.sum(target != self.inputs.pad, axis=1), None, rates)
        xs = drop_inputs(embed_inputs(target, self.target_embedding, None, spatial=()), options, key)
        out = self.decoder(xs, state, options, key, first_number=2)
        ys, weights = normalise(self.decoder_norm, out.outputs[-1]), None
        if self.attention is not None:
            ys, weights = self.attention(ys, encoded.memory, encoded.valid)
            ys = drop_outputs(ys, options, fold(key, 2 * len(self.decoder) + 2))
            weights = jnp.swapaxes(weights, 0, 1)
        logits = apply_head(self.head, ys, self.target_embedding)
        return jnp.swapaxes(logits, 0, 1), out.state, weights

    @property
    def whole_sequence_reason(self) -> str:
        """It reads all of a source before it writes."""
        return "an encoder-decoder needs whole sources: use decode"

    @property
    def carried_stack(self) -> Stack:
        """The decoder; the memory is not counted as state."""
        return self.decoder
