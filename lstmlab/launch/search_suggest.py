"""The next values of a search, by Optuna's ask-and-tell."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmlab.launch.search_space import Dimension

Drawn = dict[str, Any]
"""What the sampler drew, by key; :meth:`Dimension.text` turns it into overrides."""


class Suggestions:
    """One search: draws values for trials and learns from their objectives; smaller is better.

    The values of a trial depend only on the seed, its number and the earlier results: a resumed search is the same as
    one without a stop, and all random searches with one seed try the same points.
    """

    def __init__(self, space: Mapping[str, Dimension], sampler: str, seed: int) -> None:
        """``sampler`` is ``random`` or ``tpe``."""
        import optuna

        # Otherwise Optuna prints a line for every study and trial.
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {key: dimension.distribution() for key, dimension in space.items()}
        self._sampler = sampler
        self._seed = seed
        self._study = optuna.create_study(direction="minimize", sampler=self._make_sampler(0))

    def ask(self, number: int) -> Drawn:
        """Draw trial ``number``; trials must be asked for in order."""
        self._study.sampler = self._make_sampler(number)
        trial = self._study.ask(self._distributions)
        assert trial.number == number
        return dict(trial.params)

    def replay(self, drawn: Drawn) -> None:
        """Add the next trial with the values it had before the search was stopped."""
        from optuna.trial import TrialState, create_trial

        self._study.add_trial(create_trial(state=TrialState.RUNNING, params=drawn, distributions=self._distributions))

    def tell(self, number: int, objective: float) -> None:
        """Report a trial's objective; a failed trial has one that is not finite."""
        from optuna.trial import TrialState

        if math.isfinite(objective):
            self._study.tell(number, objective)
        else:
            # TPE ignores failed trials but counts pruned ones as the worst, and so avoids values that diverge.
            self._study.tell(number, state=TrialState.PRUNED)

    def _make_sampler(self, number: int) -> Any:
        from optuna.exceptions import ExperimentalWarning
        from optuna.samplers import RandomSampler, TPESampler

        seed = int(np.random.SeedSequence((self._seed, number)).generate_state(1)[0])
        if self._sampler == "random":
            return RandomSampler(seed=seed)
        with warnings.catch_warnings():
            # Optuna 4 calls constant_liar experimental at every use.
            warnings.simplefilter("ignore", ExperimentalWarning)
            # constant_liar counts running trials as bad, so that the trials of a batch differ from each other.
            return TPESampler(seed=seed, constant_liar=True)
