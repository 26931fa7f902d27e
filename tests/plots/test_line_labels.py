"""Names beside lines: in order, apart, and inside the axes."""

import numpy as np
import pytest

from lstmlab.plots.line_labels import spread


@pytest.mark.parametrize("count", [0, 1, 2, 17, 40])
def test_places_keep_the_order_the_distance_and_the_axes(count):
    heights = np.random.default_rng(count).uniform(0, 1, count).tolist()
    places = np.array(spread(heights))
    np.testing.assert_array_equal(np.argsort(places), np.argsort(heights))
    assert ((places > -1e-9) & (places < 1 + 1e-9)).all()
    gaps = np.diff(np.sort(places))
    assert (gaps >= min(0.06, 1 / max(count - 1, 1)) - 1e-9).all()


def test_places_that_are_far_enough_apart_stay():
    assert spread([0.9, 0.1, 0.5]) == pytest.approx([0.9, 0.1, 0.5])
