import numpy as np
import pytest

from rare_neurons.numerics.grid.effective_number import effective_number
from rare_neurons.numerics.grid.fourth_moment import mean_fourth_leave_outs
from rare_neurons.numerics.grid.moments import mean_square_leave_outs


def estimate(theta, noise, seed=0):
    """Effective number of planted effects under document, type and cell noise of the size given."""
    rng = np.random.default_rng(seed)
    counts, n = np.full((12, 12), 55.0), len(theta)
    shared = rng.standard_normal((n, 12, 1)) + rng.standard_normal((n, 1, 12)) + rng.standard_normal((n, 12, 12))
    sums = counts * (theta[:, None, None] + noise * shared)
    square, fourth = mean_square_leave_outs(sums, counts), mean_fourth_leave_outs(sums, counts)
    return effective_number(mean_square=square, mean_fourth=fourth, n_neurons=n)


@pytest.mark.parametrize("k", [1, 3, 20, 384])
def test_equal_specialists_are_counted(k):
    theta = np.zeros(384)
    theta[:k] = np.where(np.arange(k) % 2, -1.0, 1.0)
    found = estimate(theta, noise=1e-9)
    assert (found.status, round(found.value, 3)) == ("ok", k)


def test_noise_neither_raises_nor_lowers_the_number():
    theta = np.zeros(384)
    theta[:10] = 1.0
    found = [estimate(theta, noise=0.5, seed=seed) for seed in range(8)]
    assert np.median([each.value for each in found]) == pytest.approx(10, rel=0.25)
    assert sum(each.low <= 10 <= each.high for each in found) >= 6


def test_without_an_effect_there_is_no_number_and_a_reason():
    found = [estimate(np.zeros(100), noise=1.0, seed=seed) for seed in range(20)]
    silent = [each for each in found if each.status != "ok"]
    assert len(silent) >= 17
    assert all(each.value is None and each.reason for each in silent)
    assert any("resolved means more than" in each.reason for each in silent)
