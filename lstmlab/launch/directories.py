"""The directory of a run or sweep is its own before Hydra writes into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from lstmlab.config import ConfigError
from lstmlab.launch.leave import leave
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.disk import check_room
from lstmlab.tracking.files import RunError
from lstmlab.tracking.locks import keep, let_go, new_directory
from lstmlab.training.distributed import on_main_process
from lstmlab.training.interrupts import terminate_as_usual, terminate_like_ctrl_c


class OwnDirectory(Callback):
    """Makes the directory of a run or sweep, and keeps others out of it.

    Where the name has the time in it, as the default names, a name that is taken gets a number. A directory that is
    named is refused while another run or sweep is in it, and where it holds a run that would be overwritten.
    """

    kept: ClassVar[list[Path]] = []
    """Directories of this process's commands: one that was stopped, or refused later, did not let its own go."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Own the run's directory; the run takes the lock over. Called by Hydra."""

        def own() -> str:
            directory = _made(config.hydra.run, bool(config.resume))
            check_run(directory, resume=bool(config.resume))
            self._keep(directory)
            return str(directory)

        # The others of a distributed run have no directory: they follow what becomes of the main process.
        directory = _or_leave(lambda: on_main_process(own))
        if OmegaConf.to_container(config.hydra.run, resolve=False) != {"dir": "."}:
            _set(config.hydra.run, directory)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Own the sweep's directory until the sweep ends. Called by Hydra."""

        def own() -> Path:
            directory = _made(config.hydra.sweep, bool(config.resume))
            self._keep(directory)
            return directory

        directory = _or_leave(own)
        _set(config.hydra.sweep, str(directory))
        # Hydra composes every job anew, from these.
        quoted = str(directory).replace("'", r"\'")
        with read_write(config.hydra), open_dict(config.hydra):
            config.hydra.overrides.hydra.append(f"hydra.sweep.dir='{quoted}'")

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Let others in. Called by Hydra."""
        self._let_go()

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Let others in. Called by Hydra."""
        self._let_go()

    def _keep(self, directory: Path) -> None:
        self._let_go()
        keep(directory)
        check_room(directory)
        self.kept.append(directory.resolve())
        terminate_like_ctrl_c()

    def _let_go(self) -> None:
        terminate_as_usual()
        while self.kept:
            let_go(self.kept.pop())


def check_run(directory: Path, *, resume: bool, sweep: bool = False) -> None:
    """Raises ``ConfigError`` where there is no run to resume, or a run that would be overwritten.

    A sweep that is resumed may have runs that had not begun.
    """
    there, key = (directory / CONFIG_FILE).exists(), "hydra.sweep.dir" if sweep else "hydra.run.dir"
    if resume and not there and not sweep:
        raise ConfigError(f"resume=true, but {directory} holds no run: name one with hydra.run.dir=DIR")
    if there and not resume:
        raise ConfigError(f"{directory} holds a run already: add resume=true to go on with it, or name another {key}")


def _made(section: DictConfig, resume: bool) -> Path:
    """The directory that a section of Hydra's configuration names; a new one where the name is made of the time."""
    raw = OmegaConf.to_container(section, resolve=False)
    assert isinstance(raw, dict)
    directory = Path(str(section.dir))
    if "${now:" in str(raw["dir"]) and not resume:
        return new_directory(directory)
    return directory


def _set(section: DictConfig, directory: str) -> None:
    with read_write(section), open_dict(section):
        section.dir = directory


def _or_leave(make: Callable[[], Any]) -> Any:
    # Hydra turns an Exception of a callback into a warning, and goes on.
    try:
        return make()
    except (ConfigError, RunError, OSError) as error:
        leave(error, f"cannot use {error.filename}: {error.strerror}" if isinstance(error, OSError) else None)
