import numpy as np
import pytest

from rare_neurons.numerics.kinds.triggers import trigger_percentile


def test_percentile_is_the_share_of_neighbours_in_frequency_below():
    rng = np.random.default_rng(0)
    directions, by_count = rng.normal(size=(400, 6)), rng.permutation(400)
    w = rng.normal(size=6)
    for place in (0, 30, 200, 399):
        near = [k for k in range(400) if k != place]
        near = sorted(sorted(near, key=lambda k: abs(k - min(max(place, 50), 349)))[:100])
        found = trigger_percentile(directions, w, trigger=by_count[place], by_count=by_count)
        own = directions[by_count[place]] @ w
        assert found == pytest.approx(np.mean(directions[by_count[near]] @ w < own), abs=0.011)  # one neighbour


def test_promoters_and_suppressors_are_at_the_ends():
    rng = np.random.default_rng(1)
    directions, by_count = rng.normal(size=(300, 40)), np.arange(300)
    assert trigger_percentile(directions, directions[7], trigger=7, by_count=by_count) == 1
    assert trigger_percentile(directions, -directions[7], trigger=7, by_count=by_count) == 0
    with pytest.raises(ValueError, match="trigger 500 is not among the 300"):
        trigger_percentile(directions, directions[7], trigger=500, by_count=by_count)
