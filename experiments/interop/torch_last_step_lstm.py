"""PyTorch's ``nn.LSTM(1, 100)`` with ``nn.Linear`` on the last step, to lstmlab and back.

Both read windows of closing prices of the S&P 500. Prints the largest difference between the two
frameworks' outputs in either direction.

    python experiments/interop/torch_last_step_lstm.py
"""

from __future__ import annotations

import sys

import jax
import numpy as np

from lstmlab.interop import from_torch, to_torch
from lstmlab.models import SequenceModel
from lstmlab.tasks import Features
from lstmlab.tasks.series.stocks.dataset import load_sp500

try:
    import torch
except ImportError:
    sys.exit("this example needs PyTorch: pip install 'lstmlab[interop]'")


class LastStepLSTM(torch.nn.Module):
    """The model of the PyTorch tutorials."""

    def __init__(self, hidden: int = 100) -> None:
        """Make the layers with PyTorch's own initial weights."""
        super().__init__()
        self.lstm = torch.nn.LSTM(1, hidden, batch_first=True)
        self.linear = torch.nn.Linear(hidden, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs ``[batch, 1]`` of sequences ``[batch, time, 1]``."""
        outputs, _ = self.lstm(inputs)
        return self.linear(outputs[:, -1])


def windows(count: int, length: int = 30) -> np.ndarray:
    """The last ``count`` windows ``[count, length, 1]`` of daily returns in per cent."""
    close = load_sp500().close
    returns = (100 * np.diff(close) / close[:-1]).astype(np.float32)
    return np.lib.stride_tricks.sliding_window_view(returns, length)[-count:, :, None].copy()


def largest_difference(theirs: LastStepLSTM, ours: SequenceModel, inputs: np.ndarray) -> float:
    """Between the two models' outputs."""
    with torch.no_grad():
        expected = theirs(torch.from_numpy(inputs)).numpy()
    return float(np.abs(np.asarray(ours(inputs).outputs) - expected).max())


def main(compare_on: int = 256, hidden: int = 100) -> float:
    """Move the weights both ways; the largest difference of outputs."""
    torch.manual_seed(0)
    inputs = windows(compare_on)
    parts = {"prefix": "lstm.", "head": "linear."}

    theirs = LastStepLSTM(hidden)
    fresh = SequenceModel("lstm", Features(1), Features(1), hidden_size=hidden, readout="last", key=jax.random.key(0))
    imported = from_torch(fresh, theirs.state_dict(), **parts)
    there = largest_difference(theirs, imported, inputs)
    print(f"PyTorch → lstmlab: {compare_on} windows, largest difference {there:.2e}")

    # The other way round with other weights: those that `fresh` was initialised with.
    state = {name: torch.as_tensor(array) for name, array in to_torch(fresh, **parts).items()}
    theirs.load_state_dict(state)
    back = largest_difference(theirs, fresh, inputs)
    print(f"lstmlab → PyTorch: {compare_on} windows, largest difference {back:.2e}")
    return max(there, back)


if __name__ == "__main__":
    main()
