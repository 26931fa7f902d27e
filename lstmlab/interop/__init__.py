"""Weights of RNN, LSTM, GRU and ConvLSTM from and to PyTorch, Keras and Flax.

None of the three is imported: state dicts, lists of arrays and parameter dictionaries go in and come out. Models and
cells are never changed; every ``from_…`` returns a copy.
"""

from lstmlab.interop.flax_params import cell_from_flax, cell_to_flax, from_flax, to_flax
from lstmlab.interop.keras_layers import cell_from_keras, cell_to_keras, from_keras, to_keras
from lstmlab.interop.parts import Parts
from lstmlab.interop.torch_state import cell_from_torch, cell_to_torch, from_torch, to_torch

__all__ = [
    "Parts",
    "cell_from_flax",
    "cell_from_keras",
    "cell_from_torch",
    "cell_to_flax",
    "cell_to_keras",
    "cell_to_torch",
    "from_flax",
    "from_keras",
    "from_torch",
    "to_flax",
    "to_keras",
    "to_torch",
]
