"""Cells stacked into models. Every architecture has the constructor and the call of ``SequenceModel``."""

from lstmlab.models.dropout import Rates
from lstmlab.models.encoder_decoder import EncoderDecoder
from lstmlab.models.sequence import ModelOutput, SequenceModel

ARCHITECTURES = {"sequence": SequenceModel, "encoder_decoder": EncoderDecoder}

__all__ = ["ARCHITECTURES", "EncoderDecoder", "ModelOutput", "Rates", "SequenceModel"]
