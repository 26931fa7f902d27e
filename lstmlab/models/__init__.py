"""Cells stacked into models.

Every architecture is a :class:`~lstmlab.models.base.RecurrentModel`; its constructor takes the cell's name, the task's
inputs and outputs, a key, and settings of :class:`~lstmlab.models.model_settings.ModelSettings`.
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
