"""Learning rates against their formulas."""

import math

import numpy as np
import pytest

from lstmlab.config.schema import ScheduleConfig
from lstmlab.training.optimizer import learning_rate_factor

STEPS = 100


def factors(steps=STEPS, **settings):
    factor = learning_rate_factor(ScheduleConfig(**settings), steps)
    return np.asarray([float(factor(step)) for step in range(steps)])


def half_cosine(position, final):
    return final + (1 - final) * (1 + math.cos(math.pi * position)) / 2


def one_cycle(step, steps, peak, final):
    if step < peak:
        return 1 / 25 + (1 - 1 / 25) * step / peak
    return half_cosine((step - peak) / (steps - peak), final)


EXPECTED = {
    "constant": ({}, lambda t, n: 1.0),
    "cosine": ({"final_fraction": 0.1}, lambda t, n: half_cosine(t / n, 0.1)),
    "cosine to nothing": ({"name": "cosine"}, lambda t, n: half_cosine(t / n, 0.0)),
    "one_cycle": (
        {"peak_fraction": 0.25, "final_fraction": 0.01},
        lambda t, n: one_cycle(t, n, round(0.25 * n), 0.01),
    ),
    "step": ({"step_every": 15, "step_factor": 0.3}, lambda t, n: 0.3 ** (t // 15)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_factor_follows_the_formula(name):
    settings, formula = EXPECTED[name]
    expected = [formula(t, STEPS) for t in range(STEPS)]
    np.testing.assert_allclose(factors(**{"name": name} | settings), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_warm_up_rises_from_zero_and_the_shape_begins_after_it(name):
    settings, formula = EXPECTED[name]
    warm = factors(**{"name": name, "warmup_steps": 20} | settings)
    np.testing.assert_allclose(warm[:20], np.arange(20) / 20, rtol=1e-5)
    # What is left of the run is the whole of the shape.
    expected = [formula(t, STEPS - 20) for t in range(STEPS - 20)]
    np.testing.assert_allclose(warm[20:], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["constant", "cosine", "one_cycle", "step"])
@pytest.mark.parametrize(("steps", "warmup"), [(1, 0), (2, 1), (3, 10)])
def test_factors_of_short_runs_lie_between_zero_and_one(name, steps, warmup):
    values = factors(steps, name=name, warmup_steps=warmup)
    assert np.all((values >= 0) & (values <= 1))


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_the_peak_of_one_cycle_may_be_at_either_end(fraction):
    values = factors(name="one_cycle", peak_fraction=fraction)
    assert np.all(np.isfinite(values))
    assert abs(int(np.argmax(values)) - fraction * STEPS) <= 1
