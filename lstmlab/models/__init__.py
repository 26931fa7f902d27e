"""Cells stacked into models. Every architecture has the constructor and the call of ``SequenceModel``."""

from lstmlab.models.dropout import Rates
from lstmlab.models.forecaster import EncoderForecaster
from lstmlab.models.recursive import RecursiveModel
from lstmlab.models.sequence import ModelOutput, SequenceModel

ARCHITECTURES = {
    "sequence": SequenceModel,
    "recursive": RecursiveModel,
    "encoder_forecaster": EncoderForecaster,
}

__all__ = ["ARCHITECTURES", "EncoderForecaster", "ModelOutput", "Rates", "RecursiveModel", "SequenceModel"]
