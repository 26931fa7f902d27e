"""The stock-price tutorial model, trained for one epoch in Keras, then run by lstmlab.

LSTM(50, return_sequences=True), LSTM(50), Dense(1) on windows of 60 scaled closing prices of the
S&P 500. Prints the largest difference between the two frameworks' predictions, both ways.

    python experiments/interop/keras_stock_lstm.py
"""

from __future__ import annotations

import os
import sys

import jax
import numpy as np

from lstmlab.interop import from_keras, to_keras
from lstmlab.models import SequenceModel
from lstmlab.tasks import Features
from lstmlab.tasks.series.stocks.dataset import load_sp500

# Before Keras is imported; the JAX backend needs no further package.
os.environ.setdefault("KERAS_BACKEND", "jax")
try:
    import keras
except ImportError:
    sys.exit("this example needs Keras: pip install 'lstmlab[interop]'")


def windows(length: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Windows ``[days, length, 1]`` of scaled closing prices, and the next day ``[days, 1]``.

    The scale is that of the first 80 % of the days, which lie between 0 and 1.
    """
    close = load_sp500().close
    seen = close[: len(close) * 4 // 5]
    scaled = ((close - seen.min()) / (seen.max() - seen.min())).astype(np.float32)
    rows = np.lib.stride_tricks.sliding_window_view(scaled, length + 1)
    return rows[:, :-1, None].copy(), rows[:, -1:].copy()


def keras_model(length: int = 60, hidden: int = 50) -> keras.Sequential:
    """The model of the tutorials."""
    return keras.Sequential(
        [
            keras.Input((length, 1)),
            keras.layers.LSTM(hidden, return_sequences=True),
            keras.layers.LSTM(hidden),
            keras.layers.Dense(1),
        ]
    )


def main(train_on: int = 512, compare_on: int = 256, hidden: int = 50) -> float:
    """Train in Keras, move the weights to lstmlab and back; the largest difference found."""
    keras.utils.set_random_seed(0)
    inputs, targets = windows()
    theirs = keras_model(hidden=hidden)
    theirs.compile(optimizer="adam", loss="mean_squared_error")
    theirs.fit(inputs[:train_on], targets[:train_on], epochs=1, batch_size=32, verbose=0)
    *recurrent, dense = theirs.layers

    blank = SequenceModel(
        "lstm", Features(1), Features(1),
        hidden_size=hidden, layers=2, readout="last", key=jax.random.key(0),
    )  # fmt: skip
    ours = from_keras(blank, recurrent, head=dense)
    test = inputs[-compare_on:]
    expected = theirs.predict(test, verbose=0)
    there = np.abs(np.asarray(ours(test).outputs) - expected).max()
    print(f"Keras → lstmlab: {compare_on} test windows, largest difference {there:.2e}")

    back = keras_model(hidden=hidden)
    parts = to_keras(ours)
    for layer, arrays in zip(back.layers, [*parts.layers, parts.head], strict=True):
        layer.set_weights(arrays)
    again = np.abs(back.predict(test, verbose=0) - expected).max()
    print(f"lstmlab → Keras: largest difference {again:.2e}")
    return float(max(there, again))


if __name__ == "__main__":
    main()
