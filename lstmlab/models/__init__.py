"""Cells stacked into models. Every architecture has the constructor and the call of ``SequenceModel``."""

from lstmlab.models.dropout import Rates
from lstmlab.models.sequence import ModelOutput, SequenceModel

ARCHITECTURES = {"sequence": SequenceModel}

__all__ = ["ARCHITECTURES", "ModelOutput", "Rates", "SequenceModel"]
