"""Cells stacked into sequence models."""

from lstmlab.models.dropout import Rates
from lstmlab.models.sequence import ModelOutput, SequenceModel

__all__ = ["ModelOutput", "Rates", "SequenceModel"]
