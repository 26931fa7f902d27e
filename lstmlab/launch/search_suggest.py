"""The next values of a search, by Optuna's ask-and-tell."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmlab.launch.search_space import Dimension

Drawn = dict[str, Any]
"""What the sampler drew by key; :meth:`Dimension.text` makes values of it."""


class Suggestions:
    """One search: draws values for trials and learns from their objectives; smaller is better.

    What a trial draws depends on the seed, its number and the results told before, and on nothing else: a search that
    was stopped goes on as if it had not been, and all random searches with one seed try the same points.
    """

    def __init__(self, space: Mapping[str, Dimension], sampler: str, seed: int) -> None:
        """``sampler`` is ``random`` or ``tpe``."""
        import optuna

        # Optuna reports every study and trial on its own otherwise.
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {key: dimension.distribution() for key, dimension in space.items()}
        self._sampler = sampler
        self._seed = seed
        self._study = optuna.create_study(direction="minimize", sampler=self._make_sampler(0))

    def ask(self, number: int) -> Drawn:
        """Draw trial ``number``; trials are asked for in order, and may be told later."""
        self._study.sampler = self._make_sampler(number)
        trial = self._study.ask(self._distributions)
        assert trial.number == number
        return dict(trial.params)

    def replay(self, drawn: Drawn) -> None:
        """Add the next trial as it was drawn before."""
        from optuna.trial import TrialState, create_trial

        self._study.add_trial(create_trial(state=TrialState.RUNNING, params=drawn, distributions=self._distributions))

    def tell(self, number: int, objective: float) -> None:
        """The result of a trial; an objective that is not finite says that it failed."""
        from optuna.trial import TrialState

        if math.isfinite(objective):
            self._study.tell(number, objective)
        else:
            # TPE ignores failed trials, but counts pruned ones as the worst: it keeps away from where runs diverge.
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
            # Trials of one batch must not all go to the same place: those that run count as bad until they are told.
            return TPESampler(seed=seed, constant_liar=True)
