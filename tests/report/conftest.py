"""Directories of runs that never ran, in any number, as an earlier version wrote them: without checksums."""

import functools
import json

import numpy as np
import pytest

from lstmlab.config import compose, save_config, to_tree
from lstmlab.study.runs import read_run


@pytest.fixture(scope="session")
def runs_below():
    """Writes runs of the adding task below a directory: some cells, seeds of each, rows of each."""

    def make(root, cells=("lstm", "gru"), seeds=3, rows=20, task="adding", **keys):
        for cell in cells:
            text = _config(root, cell, task)
            for seed in range(seeds):
                directory = root / "runs" / cell / str(seed)
                directory.mkdir(parents=True)
                _write(directory, text.replace("\nseed: 0", f"\nseed: {seed}"), cell, task, seed, rows, keys)
        assert read_run(root / "runs" / cells[0] / "0").finished
        return root / "runs"

    return make


@pytest.fixture
def many_runs(tmp_path, runs_below):
    return functools.partial(runs_below, tmp_path)


_composed = functools.cache(lambda cell, task: to_tree(compose([f"task={task}", f"cell={cell}"])))


def _config(root, cell, task):
    """The text of a configuration, without its checksum."""
    save_config(_composed(cell, task), root / "template.yaml")
    return (root / "template.yaml").read_text().partition("\n")[2]


def _write(directory, config, cell, task, seed, rows, keys):
    (directory / "config.yaml").write_text(config)
    rng = np.random.default_rng(seed)
    steps = np.arange(1, rows + 1) * 10
    losses = 0.17 * np.exp(-steps / steps[-1] * (2 + len(cell) % 3)) * rng.uniform(0.1, 1.9, rows)
    metrics = (
        f'{{"step": {step}, "train/loss": {loss:.8f}, "validation/mse": {0.9 * loss:.8f}}}\n'
        for step, loss in zip(steps, losses, strict=True)
    )
    (directory / "metrics.jsonl").write_text("".join(metrics))
    value = float(losses[-1])
    summary = {
        "status": "finished", "cell": cell, "task": task, "seed": seed, "metric": "mse", "goal": "min", "value": value,
        "test": {"mse": value}, "validation": {"mse": 0.9 * value}, "baselines": {"constant 1": 1 / 6},
        "parameters": 300 + len(cell), "hidden_size": 8, "state_size": 16, "steps_per_second": 100.0,
        "seconds": {"train": 10.0 + seed % 7}, "device": "cpu: cpu",
        "peak_memory": {"host": (200 + seed) << 20, "device": None},
    } | keys  # fmt: skip
    (directory / "summary.json").write_text(json.dumps(summary))
