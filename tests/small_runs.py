"""Runs that take a second: every task in a tiny size, and programs that are compiled quickly."""

from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

from lstmlab.cli import main
from lstmlab.config import Config, compose
from lstmlab.data import text
from lstmlab.tasks import char_lm
from lstmlab.training import Trained, train

TASKS = {
    "adding": ["task.length=6", "task.eval_examples=8"],
    "copy_memory": ["task.delay=3", "task.eval_examples=8"],
    "char_lm": ["task.unroll=8", "model.embedding_size=4", "training.eval_batch_size=8"],
    "chorales": ["training.eval_batch_size=50", "dropout.layer=0", "training.patience=0"],
    "stocks": ["task.window=5", "training.eval_batch_size=128", "dropout.layer=0", "training.patience=0"],
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


def overrides(task: str, *more: str) -> list[str]:
    """What makes a tiny run of a task; a task that this file does not know runs in its own size."""
    return [f"task={task}", *TASKS.get(task, []), *TINY, *more]


def small(task: str = "adding", *more: str) -> Config:
    """The configuration of a tiny run."""
    return compose(overrides(task, *more))


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


def untimed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of metrics without what a clock says."""
    return [{k: v for k, v in row.items() if not k.startswith("time/")} for row in rows]


@contextlib.contextmanager
def quick_programs(folders: pytest.TempPathFactory) -> Iterator[None]:
    """Compile without optimising, share programs between the tests of a session, and read a short Shakespeare."""
    cache = folders.getbasetemp() / "programs"
    settings = {
        "jax_disable_most_optimizations": True,
        "jax_compilation_cache_dir": str(cache),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: jax.config.values[name] for name in settings}
    whole = text.load_text
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSTMLAB_CACHE_DIR", str(cache))
        patch.setattr("lstmlab.training.scheduler.use_compilation_cache", lambda: None)
        patch.setattr(char_lm, "load_text", lambda corpus, data_dir: whole(corpus, data_dir)[:CHARACTERS])
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


class Outcome(NamedTuple):
    """What a command left on the terminal, and its exit status."""

    code: int
    out: str
    err: str


def command(*arguments: str) -> Outcome:
    """``lstmlab ARGUMENTS`` in this process: an import of JAX less than in a fresh one."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(arguments))
        except SystemExit as left:
            code = left.code
    return Outcome(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def hears_ctrl_c() -> None:
    """For a process about to start: a shell that started the tests in the background made them deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
