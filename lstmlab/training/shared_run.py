"""A run that several processes compute together: the lead keeps its directory, the others hear what happens to it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.training.hosts import from_lead, leads
from lstmlab.training.member import MemberRun, Piece
from lstmlab.training.trained import Trained, load, model_template


class SharedRun(MemberRun):
    """A run whose files belong to the lead. An error of the lead is an error of all."""

    def open(self, template: Any) -> None:
        """Prepare the directory, and give a restored state to every process."""

        def prepare() -> tuple[int, list[np.ndarray] | None]:
            super(SharedRun, self).open(template)
            return self.step, None if self.restored is None else _leaves(self.restored)

        self.step, leaves = from_lead(prepare)
        self.restored = None if leaves is None else jax.tree.unflatten(jax.tree.structure(template), leaves)

    def record(self, piece: Piece) -> Trained | None:
        """Log a piece of work, in the lead; the trained model when it was the last."""
        written: list[Trained | None] = []

        def write() -> dict[str, Any] | None:
            written.append(super(SharedRun, self).record(piece))
            return None if written[0] is None else written[0].summary

        summary = from_lead(write)
        if leads():
            return written[0]
        self.step, self.members = piece.step, piece.members
        if summary is None:
            return None
        assert piece.state is not None
        return Trained(jax.tree.map(jnp.asarray, piece.state.best_model), self.config, self.directory, summary)

    def load(self) -> Trained:
        """The finished run of the directory."""
        read: list[Trained] = []

        def read_files() -> tuple[list[np.ndarray], dict[str, Any]]:
            read.append(load(self.directory))
            return _leaves(read[0].model), read[0].summary

        leaves, summary = from_lead(read_files)
        if leads():
            return read[0]
        structure = jax.tree.structure(model_template(self.config))
        model = jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in leaves])
        return Trained(model, self.config, self.directory, summary)


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
