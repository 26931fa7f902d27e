"""The benchmark of linear recurrences: the same work for every backend, and times of all of them."""

import json
from pathlib import Path

import jax.numpy as jnp
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def bench_linear(monkeypatch):
    """The script, found the way `python scripts/bench_linear.py` finds its parts."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import bench_linear

    return bench_linear


def test_a_tiny_run_writes_times_and_ratios(bench_linear, tmp_path, capsys):
    output = tmp_path / "linear.json"
    sizes = ["--lengths", "8", "--hidden", "4", "--batch", "2", "--rounds", "2", "--burst", "0.001"]
    bench_linear.main(["--cells", "min_gru", "lru", *sizes, "--output", str(output)])
    found = json.loads(output.read_text())
    assert found["command"].startswith("python scripts/bench_linear.py --cells min_gru lru")
    assert {"name", "device", "cores"} <= found["machine"].keys()
    pairs = [(result["cell"], result["time"]) for result in found["results"]]
    assert pairs == [("min_gru", 8), ("lru", 8)]
    for result in found["results"]:
        assert list(result["contenders"]) == ["scan", "fused", "associative"]
        for entry in result["contenders"].values():
            assert len(entry["seconds"]) == 2 and min(entry["seconds"]) > 0
        assert result["contenders"]["scan"]["ratio"]["median"] == 1
    assert "lru 2×8×4×4: scan" in capsys.readouterr().out


def test_every_linear_cell_is_timed_by_default_and_no_other(bench_linear):
    cells = bench_linear.linear_cells()
    assert {"min_gru", "min_lstm", "qrnn", "sru", "lru", "rg_lru"} <= set(cells)
    assert not {"lstm", "gru", "conv_lstm"} & set(cells)
    args = bench_linear._parse([])
    assert args.cells == cells and args.lengths == [64, 256, 1024, 4096, 16384]
    assert args.output.parent == SCRIPTS.parent / "docs" / "bench"


def test_only_a_full_run_writes_to_the_docs(bench_linear):
    for arguments in (["--quick"], ["--cells", "lru"], ["--lengths", "64"], ["--hidden", "8"]):
        assert bench_linear._parse(arguments).output == SCRIPTS.parent / "outputs" / "bench-linear.json"


@pytest.mark.parametrize("wrong", [1.1, float("nan")])
def test_another_gradient_is_refused(bench_linear, wrong):
    same = (jnp.float32(0.5), {"kernel": jnp.ones(3)})
    bench_linear.agree("lru", {"scan": same, "fused": same})
    other = (jnp.float32(0.5), {"kernel": jnp.array([1.0, 1.0, wrong])})
    with pytest.raises(SystemExit, match="lru: fused computes another gradient than scan"):
        bench_linear.agree("lru", {"scan": same, "fused": other})
