"""Confusion matrices: shares of each true class."""

import numpy as np
import pytest
from PIL import Image

from lstmlab.plots.confusion import confusion


def test_dark_squares_are_large_shares_of_a_true_class(tmp_path):
    confusion(tmp_path / "table.png", np.array([[9, 1], [0, 1000]]), ("a", "b"), "letters")
    with Image.open(tmp_path / "table.png") as image:
        grey = np.asarray(image.convert("L"), int)
    assert grey.shape[0] > 300
    # Two of the four squares are dark: in grey more than the share of the text.
    assert 0.1 < np.mean(grey < 120) < 0.5


def test_a_class_without_examples_is_a_row_of_zeros(tmp_path):
    confusion(tmp_path / "table.png", np.array([[0, 0], [1, 1]]), ("a", "b"))
    assert (tmp_path / "table.png").is_file()


def test_a_table_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="2 classes"):
        confusion(tmp_path / "table.png", np.zeros((3, 3)), ("a", "b"))
