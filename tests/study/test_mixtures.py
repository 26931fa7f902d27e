"""Tables of runs that do not have everything in common say so, a line per kind."""

import pytest

from lstmlab.study import compare

VERSIONS = {"jax": "0.10.2", "flax": "0.12.4"}


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"git_revision": "a1"}, {"git_revision": "b2"}, "different git revisions: b2 (1 runs, first: "),
        ({"device": "cpu: cpu"}, {"device": "gpu: H100"}, "different devices: gpu: H100 (1 runs"),
        ({"versions": VERSIONS}, {"versions": VERSIONS | {"jax": "0.11"}}, "different versions of jax: 0.11 (1 runs"),
        ({"data_hash": "aa"}, {"data_hash": "bb"}, "different data in adding: bb (1 runs"),
        ({"parameters": 100}, {"parameters": 111}, "unequal numbers of parameters in adding: 100 (lstm) to 111 (gru)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_differs_is_one_line(one, other, told, make_run, tmp_path):
    make_run("a", **one)
    make_run("b", "cell=gru", value=0.05, **other)
    (line,) = compare([tmp_path]).mixtures
    assert line.startswith(f"caution: {told}")


@pytest.mark.parametrize("key", ["training.steps", "training.batch_size", "training.patience"])
def test_unequal_budgets_are_told_unless_rows_are_kept_apart_by_them(key, make_run, tmp_path):
    make_run("a", f"{key}=10")
    make_run("b", "cell=gru", f"{key}=20")
    (line,) = compare([tmp_path]).mixtures
    assert line.startswith(f"caution: different {key} in adding: 10 (1 runs")
    assert compare([tmp_path], by=[key]).mixtures == []


def test_what_older_runs_do_not_record_is_no_difference(make_run, tmp_path):
    make_run("a", git_revision="a1", versions=VERSIONS, data_hash="aa", parameters=105)
    make_run("b", "cell=gru", git_revision=None, parameters=100)
    assert compare([tmp_path]).mixtures == []
