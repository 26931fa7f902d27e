"""Cells stacked into models. Every architecture has the constructor (with its ``own_options`` besides), the call and
``needs_whole`` of ``SequenceModel``."""

from lstmlab.models.dropout import Rates
from lstmlab.models.encoder_decoder import EncoderDecoder
from lstmlab.models.forecaster import EncoderForecaster
from lstmlab.models.recursive import RecursiveModel
from lstmlab.models.sequence import ModelOutput, SequenceModel

ARCHITECTURES = {
    "sequence": SequenceModel,
    "recursive": RecursiveModel,
    "encoder_forecaster": EncoderForecaster,
    "encoder_decoder": EncoderDecoder,
}

__all__ = [
    "ARCHITECTURES", "EncoderDecoder", "EncoderForecaster", "ModelOutput", "Rates", "RecursiveModel", "SequenceModel",
]  # fmt: skip
