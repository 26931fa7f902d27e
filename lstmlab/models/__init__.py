"""Cells stacked into models. Every architecture has the constructor and the call of ``SequenceModel``."""

from lstmlab.models.dropout import Rates
from lstmlab.models.forecaster import EncoderForecaster
from lstmlab.models.sequence import ModelOutput, SequenceModel

ARCHITECTURES = {"sequence": SequenceModel, "encoder_forecaster": EncoderForecaster}

__all__ = ["ARCHITECTURES", "EncoderForecaster", "ModelOutput", "Rates", "SequenceModel"]
