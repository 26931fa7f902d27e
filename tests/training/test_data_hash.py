"""The fingerprint of a task's data."""

import numpy as np

from lstmlab.training.data_hash import hash_of


def test_values_types_shapes_and_names_count():
    numbers = np.arange(6, dtype=np.int32)
    data = [
        {"train": numbers, "test": ()}, {"train": numbers + 1, "test": ()}, {"test": numbers, "train": ()},
        {"train": numbers.astype(np.int64)}, {"train": numbers.reshape(2, 3)}, {"train": numbers.view(np.float32)},
    ]  # fmt: skip
    hashes = [hash_of(each) for each in data]
    assert len(set(hashes)) == len(data)
    assert hash_of({"train": numbers.copy(), "test": ()}) == hashes[0]
    assert hash_of({"train": np.repeat(numbers, 2)[::2], "test": ()}) == hashes[0]  # not contiguous
    assert hash_of({"train": (), "test": ()}) is None
