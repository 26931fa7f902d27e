"""Runs that take a second: every task in a tiny size, and programs that are compiled quickly."""

from __future__ import annotations

import contextlib
import functools
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import shared_programs
from hydra.core.hydra_config import HydraConfig
from processes import Outcome
from quick_xla import programs_folder

from lstmlab.cells import cell_entry, cell_names
from lstmlab.cli import main
from lstmlab.config import Config, compose
from lstmlab.tasks import task_entry, task_names
from lstmlab.tasks.text import corpus as text
from lstmlab.tasks.text.char_lm import task as char_lm
from lstmlab.tasks.text.word_lm import task as word_lm
from lstmlab.training import Trained, train

TASKS = {
    "adding": ["task.length=6", "task.eval_examples=8"],
    "multiplication": ["task.length=6", "task.eval_examples=8"],
    "parity": ["task.length=6", "task.test_length=8", "task.eval_examples=8"],
    "modular_arithmetic": ["task.length=6", "task.test_length=8", "task.eval_examples=8"],
    "reversal": ["task.length=3", "task.test_length=4", "task.eval_examples=8"],
    "bucket_sort": ["task.length=3", "task.test_length=4", "task.eval_examples=8"],
    "selective_copy": ["task.length=6", "task.test_length=8", "task.recalled=2", "task.eval_examples=8"],
    "associative_recall": ["task.length=2", "task.test_length=3", "task.keys=4", "task.eval_examples=8"],
    "temporal_order": ["task.length=6", "task.test_length=8", "task.eval_examples=8"],
    "copy_memory": ["task.delay=3", "task.eval_examples=8"],
    "char_lm": ["task.unroll=8", "model.embedding_size=4", "training.eval_batch_size=8"],
    "word_lm": ["task.unroll=8", "model.embedding_size=4", "training.eval_batch_size=8", "dropout.layer=0"],
    "chorales": ["training.eval_batch_size=50", "dropout.layer=0", "training.patience=0"],
    "japanese_vowels": ["dropout.layer=0"],
    "spoken_words": ["training.eval_batch_size=100", "dropout.layer=0"],
    "tagging": ["task.length=12", "model.embedding_size=4", "training.eval_batch_size=512", "dropout.layer=0"],
    "sentiment": ["task.length=24", "model.embedding_size=4", "training.eval_batch_size=250"],
    "stocks": ["task.window=5", "training.eval_batch_size=128", "dropout.layer=0", "training.patience=0"],
    "forecast": ["task.window=5", "task.horizon=3", "training.eval_batch_size=128", "training.patience=0"],
    "anomaly": [
        "task.context=5", "task.steps=5", "task.horizon=2", "training.eval_batch_size=256", "training.patience=0",
    ],
    "sea_surface": ["task.window=2", "task.horizon=2", "task.patch=18"],
    "pronunciation": [
        "task.max_letters=4", "task.test_words=16", "model.embedding_size=4", "training.eval_batch_size=16",
        "dropout.layer=0",
    ],
    "translation": [
        "task.digits=3", "model.embedding_size=4", "training.eval_batch_size=16", "dropout.layer=0",
    ],
    "moving_mnist": [
        "task.frame_size=16", "task.digit_size=10", "task.patch=4", "task.input_frames=2",
        "task.target_frames=2", "task.eval_examples=4",
    ],
}  # fmt: skip
TINY = [
    "model.hidden_size=8", "training.batch_size=4", "training.steps=4", "training.log_every=2",
    "training.eval_every=2", "wandb.mode=disabled",
]  # fmt: skip
CHARACTERS = 20_000


def in_turn(pairs: Iterable[tuple[str, str]]) -> list[Any]:
    """Pairs of cell and task for a test: the cells go through all tasks in turn, and those that are left take the
    cheapest; the rest slow."""
    tasks: dict[str, list[str]] = {}
    pairs = list(pairs)
    for cell, task in pairs:
        tasks.setdefault(cell, []).append(task)
    taken: dict[str, str] = {}
    for cell, fitting in tasks.items():
        task = fitting[cell_names().index(cell) % len(fitting)]
        taken[cell] = "adding" if "adding" in fitting and task in taken.values() else task
    return [pair if pair in taken.items() else pytest.param(*pair, marks=pytest.mark.slow) for pair in pairs]


def overrides(task: str, *more: str) -> list[str]:
    """What makes a tiny run of a task; a task that this file does not know runs in its own size."""
    return [f"task={task}", *TASKS.get(task, []), *TINY, *more]


def small(task: str = "adding", *more: str) -> Config:
    """The configuration of a tiny run, composed once: it is frozen."""
    registered = *(cell_entry(name).cls for name in cell_names()), *(task_entry(name).cls for name in task_names())
    return _composed(tuple(overrides(task, *more)), registered)


@functools.cache
def _composed(chosen: tuple[str, ...], registered: tuple[type, ...]) -> Config:
    return compose(chosen)


def run(config: Config, directory: Path, **settings: Any) -> Trained:
    """Train in silence."""
    return train(config, directory, progress=False, **settings)


def parameters(directory: Path) -> dict[str, np.ndarray]:
    """The arrays of a run's ``model.npz``."""
    with np.load(directory / "model.npz") as arrays:
        return dict(arrays)


def assert_same_bits(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    """Equal names, types and bits."""
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype
        assert a[name].tobytes() == b[name].tobytes(), f"{name} differs"


def as_older_version(directory: Path) -> Path:
    """Make the directory of a finished run what earlier versions left: files without checksums."""
    config, summary = directory / "config.yaml", directory / "summary.json"
    config.write_bytes(config.read_bytes().split(b"\n", 1)[1])
    content = json.loads(summary.read_text())
    del content["files"], content["checksum"]
    summary.write_text(json.dumps(content))
    (directory / ".written").unlink(missing_ok=True)
    return directory


def untimed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of metrics without what a clock says."""
    return [{k: v for k, v in row.items() if not k.startswith("time/")} for row in rows]


@contextlib.contextmanager
def quick_programs(folders: pytest.TempPathFactory) -> Iterator[None]:
    """Compile without optimising, share programs between the tests of a session, and read a short Shakespeare.

    A test that counts what is compiled patches ``CompiledRun`` to see it, and so gets programs of its own.
    """
    cache = programs_folder(folders)
    settings = {
        "jax_disable_most_optimizations": True,
        "jax_compilation_cache_dir": str(cache),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: jax.config.values[name] for name in settings}
    whole = text.load_text
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSTMLAB_CACHE_DIR", str(cache))
        for module in ("run", "population.scheduler"):
            patch.setattr(f"lstmlab.training.{module}.use_compilation_cache", lambda: None)
            patch.setattr(f"lstmlab.training.{module}.CompiledRun", shared_programs.shared)
        for task in (char_lm, word_lm):
            patch.setattr(task, "load_text", lambda corpus, data_dir: whole(corpus, data_dir)[:CHARACTERS])
        try:
            for name, value in settings.items():
                jax.config.update(name, value)
            yield
        finally:
            for name, value in before.items():
                jax.config.update(name, value)


class OneBatch:
    """A task with a single training batch, the same at every step and for every seed."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def train_batch(self, data: Any, key: Any, step: Any, batch_size: int) -> Any:
        return self._task.train_batch(data, jax.random.key(0), 0, batch_size)


def command(*arguments: str) -> Outcome:
    """``lstmlab ARGUMENTS`` in this process: an import of JAX less than in a fresh one."""
    out, err = io.StringIO(), io.StringIO()
    hydra = HydraConfig.instance()
    before = hydra.cfg
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(arguments))
        except SystemExit as left:
            code = left.code
        finally:
            hydra.cfg = before  # what Hydra keeps in a process would reach the next test
    return Outcome(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
