"""The benchmark script: every entry does the same work, and what is reported follows from the times."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TINY = "2x6x3x4"


@pytest.fixture
def bench(monkeypatch):
    """The script and its parts, found the way `python scripts/bench.py` finds them."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import bench
    import bench_machine
    import bench_references
    import bench_report

    # Threads that wait for each other by spinning crawl where other tests keep the cores busy.
    monkeypatch.setattr(bench_machine, "cores", lambda: 1)
    bench.report, bench.references = bench_report, bench_references
    return bench


def installed(*names):
    """Those of the entries whose library is installed."""
    libraries = {"Keras on JAX": "keras", "PyTorch": "torch"}
    return [n for n in names if n not in libraries or _found(libraries[n])]


def _found(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True


ALL = installed("lstmlab fused", "lstmlab scan", "Flax NNX", "Keras on JAX", "PyTorch")


@pytest.fixture
def entries(bench):
    problem = bench.references.make_problem(bench.references.Shape(2, 6, 3, 4))
    return {n: make(problem) for n, make in bench.references.libraries() if n in ALL}


def test_entries_find_the_same_loss_and_lower_it_alike(entries):
    losses = {name: [] for name in entries}
    for name, entry in entries.items():
        for _ in range(40):
            entry.step()
            losses[name].append(entry.wait())
    reference = losses["lstmlab fused"]
    for name, own in losses.items():
        assert own[0] == pytest.approx(reference[0], rel=1e-5), name
        assert own[-1] < 0.98 * own[0], name
        # PyTorch has two biases where the others have one, so Adam moves their sum twice as fast.
        assert own[-1] == pytest.approx(reference[-1], rel=0.2 if name == "PyTorch" else 1e-4), name


def test_quick_run_writes_times_ratios_and_a_table(bench, tmp_path, capsys):
    output, docs = tmp_path / "result.json", tmp_path / "docs" / "benchmarks.md"
    arguments = ["--quick", "--rounds", "2", "--burst", "0.002", "--shapes", TINY]
    bench.main([*arguments, "--output", str(output), "--docs", str(docs)])
    result = json.loads(output.read_text())
    assert result["benchmark"] == "libraries"
    assert result["command"].startswith("python scripts/bench.py --quick")
    assert {"name", "cpu", "cores", "device"} <= result["machine"].keys()
    assert {"python", "jax", "flax", "lstmlab"} <= result["versions"].keys()
    assert [s["shape"] for s in result["shapes"]] == ["2×6×3×4"]
    for shape in result["shapes"]:
        assert set(ALL) <= shape["contenders"].keys()
        for entry in shape["contenders"].values():
            assert len(entry["seconds"]) == 2
            assert min(entry["seconds"]) > 0
            assert entry["last_loss"] < entry["first_loss"]
        assert shape["contenders"]["lstmlab fused"]["ratio"]["median"] == 1
    shown = capsys.readouterr().out
    table = docs.read_text()
    for name in ALL:
        assert name in shown
        assert f"| {name} |" in table
    assert table.startswith("# Benchmarks")
    assert result["command"] in table


def test_missing_library_is_left_out_with_a_line(bench, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # what a failed import leaves behind
    monkeypatch.delitem(sys.modules, "bench_torch", raising=False)
    monkeypatch.setitem(sys.modules, "keras", None)
    makers = dict(bench.references.libraries())
    some = {n: makers[n] for n in ("lstmlab fused", "Keras on JAX", "PyTorch")}
    monkeypatch.setattr(bench, "libraries", lambda: iter(some.items()))
    output = tmp_path / "result.json"
    bench.main(["--quick", "--rounds", "1", "--burst", "0.001", "--shapes", TINY, "--output", str(output)])  # fmt: skip
    result = json.loads(output.read_text())
    assert set(result["left_out"]) == {"Keras on JAX", "PyTorch"}
    assert "left out: PyTorch (cannot be imported" in capsys.readouterr().out
    assert result["geometric_mean"] == {"lstmlab fused": 1.0}


def test_cells_are_compared_with_lstm(bench, tmp_path, monkeypatch):
    chosen = [(n, m) for n, m in bench.references.cells() if n in ("lstm", "rnn")]
    assert next(n for n, _ in chosen) == "lstm"
    assert "conv_lstm" not in dict(bench.references.cells())
    monkeypatch.setattr(bench, "cells", lambda: iter(chosen))
    output = tmp_path / "result.json"
    bench.main(["--cells", "--rounds", "1", "--burst", "0.001", "--shapes", TINY, "--output", str(output)])  # fmt: skip
    result = json.loads(output.read_text())
    assert result["benchmark"] == "cells"
    assert set(result["geometric_mean"]) == {"lstm", "rnn"}


def test_other_function_is_refused(bench, monkeypatch):
    class Fake:
        def __init__(self, loss):
            self.wait, self.step = (lambda: loss), (lambda: None)

    def run(**losses):
        makers = {name: (lambda problem, loss=loss: Fake(loss)) for name, loss in losses.items()}
        monkeypatch.setattr(bench, "libraries", lambda: iter(makers.items()))
        return bench._prepare(None, False, {})[1]

    assert run(ours=0.5, theirs=0.5001) == {"ours": 0.5, "theirs": 0.5001}
    with pytest.raises(SystemExit, match=r"theirs computes another function: loss 0.51, not 0.5"):
        run(ours=0.5, theirs=0.51)
    with pytest.raises(SystemExit, match="theirs computes another function"):
        run(ours=0.5, theirs=float("nan"))


def test_ratios_are_formed_within_rounds(bench):
    # Second round: the whole machine is twice as slow. That must not show in the ratios.
    summary = bench.report.summarise({"ours": [1.0, 2.0, 1.0], "theirs": [1.5, 3.0, 2.0]})
    ratio = summary["theirs"]["ratio"]
    assert ratio["median"] == 1.5
    assert (ratio["min"], ratio["max"]) == (1.5, 2.0)
    assert summary["theirs"]["median_ms"] == 2000


def test_geometric_mean_is_over_entries_that_ran_everywhere(bench):
    def shape(**ratios):
        return {"contenders": {n: {"ratio": {"median": r}} for n, r in ratios.items()}}

    means = bench.report.geometric_means([shape(a=1, b=2, c=3), shape(a=1, b=8)])
    assert means == {"a": 1.0, "b": pytest.approx(4.0)}


def test_table_replaces_its_own_section_alone(bench, tmp_path):
    path = tmp_path / "benchmarks.md"

    def result(machine, benchmark, ms):
        seconds = {"ours": [ms / 1e3], "theirs": [ms / 500]}
        shapes = [{"shape": "1×2×3×4", "contenders": bench.report.summarise(seconds)}]
        return {
            "benchmark": benchmark, "machine": {"name": machine}, "command": "make bench",
            "date": "2026-01-02T03:04:05", "load": {"before": 0.1, "after": 1.9},
            "versions": {"jax": "1"}, "settings": {"rounds": 1}, "left_out": {}, "shapes": shapes,
            "geometric_mean": bench.report.geometric_means(shapes),
        }  # fmt: skip

    for machine, benchmark, ms in (("A", "libraries", 1), ("B", "libraries", 2), ("A", "cells", 3)):
        bench.report.write_section(path, result(machine, benchmark, ms))
    path.write_text(path.read_text() + "\nWritten by hand.\n")
    bench.report.write_section(path, result("A", "libraries", 7))
    text = path.read_text()
    assert text.count("## ") == 3
    for ms in (7, 2, 3):
        assert f"| ours | {ms} ms |" in text
    assert "| theirs | 2.00 (2.00–2.00), 14 ms | **2.00** |" in text
    assert "| ours | 1 ms |" not in text
    assert text.endswith("Written by hand.\n")


def test_shapes_are_written_with_x_or_commas(bench):
    assert bench._shape("2,5,3,4") == bench._shape("2x5x3x4") == (2, 5, 3, 4)


@pytest.mark.parametrize("text", ["1x2x3", "1x2x3xa", "1x2x3x4x5"])
def test_malformed_shape_is_named(bench, text, capsys):
    with pytest.raises(SystemExit):
        bench.main(["--shapes", text])
    assert f"'{text}' is not like 32x100x64x128" in capsys.readouterr().err


def test_targets_depend_on_inputs(bench):
    problem = bench.references.make_problem(bench.references.Shape(3, 4, 2, 5))
    assert problem.xs.shape == (4, 3, 2)
    assert problem.ys.shape == (4, 3, 5)
    assert problem.xs.dtype == problem.ys.dtype == np.float32
