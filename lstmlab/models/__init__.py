"""Cells stacked into models.

Every architecture has the constructor (with its ``extra_settings`` besides), the call and the
``whole_sequence_reason`` of :class:`~lstmlab.models.base.RecurrentModel`.
"""

from lstmlab.models.base import ModelOutput, RecurrentModel
from lstmlab.models.dropout import Rates
from lstmlab.models.encoder_decoder import EncoderDecoder
from lstmlab.models.forecaster import EncoderForecaster
from lstmlab.models.model_settings import ModelSettings
from lstmlab.models.recursive import RecursiveModel
from lstmlab.models.sequence import SequenceModel

ARCHITECTURES = {
    "sequence": SequenceModel,
    "recursive": RecursiveModel,
    "encoder_forecaster": EncoderForecaster,
    "encoder_decoder": EncoderDecoder,
}

__all__ = [
    "ARCHITECTURES", "EncoderDecoder", "EncoderForecaster", "ModelOutput", "ModelSettings", "Rates", "RecurrentModel",
    "RecursiveModel", "SequenceModel",
]  # fmt: skip
