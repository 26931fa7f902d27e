"""Values that are computed once: found again for equal inputs alone, made anew when their file is damaged."""

import numpy as np
import pytest

from lstmlab.data.remembered import remembered


@pytest.fixture
def calls(monkeypatch, tmp_path):
    monkeypatch.setenv("LSTMLAB_CACHE_DIR", str(tmp_path / "cache"))
    return []


def value_of(calls, *inputs, name="model-1"):
    return remembered(name, inputs, lambda: calls.append(inputs) or {"best": float(len(calls))})["best"]


def test_equal_inputs_are_computed_once(calls, tmp_path):
    array = np.arange(6)
    assert [value_of(calls, array, 2, "S"), value_of(calls, array.copy(), 2, "S")] == [1, 1]
    assert [path.parent.name for path in tmp_path.glob("cache/*/*")] == ["baselines"]
    others = [(array + 1, 2, "S"), (array.reshape(2, 3), 2, "S"), (array.astype(np.int32), 2, "S"), (array, 3, "S")]
    assert [value_of(calls, *other) for other in others] == [2, 3, 4, 5]
    assert value_of(calls, array, 2, "S", name="model-2") == 6


def test_a_damaged_file_is_made_anew(calls, tmp_path):
    value_of(calls, 1)
    (path,) = tmp_path.glob("cache/*/*")
    path.write_text('{"best": ')
    assert [value_of(calls, 1), value_of(calls, 1)] == [2, 2]


def test_a_cache_that_cannot_be_written_is_said_and_no_error(calls, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.warns(UserWarning, match="cannot write .*: the next run computes it again"):
        assert value_of(calls, 1) == 1
