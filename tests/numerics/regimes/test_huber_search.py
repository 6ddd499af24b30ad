"""The search over pairs: the same pair whatever bounds it, and the best of all."""

import itertools

import numpy as np
import pytest

from rare_neurons.numerics.regimes.huber_search import MIN_POINTS, Curve, best_pair


def curve_of(n, seed):
    y = np.log(np.sort(np.abs(np.random.default_rng(seed).standard_t(2, n)))[::-1])
    x = np.log(np.arange(1, n))
    return Curve(x, np.log(np.log(n) - x), y[:-1])


def quadratic(curve, i, j):
    """Smallest sum of squares with the penalties, by one least-squares problem of stacked rows."""
    n = len(curve.x)
    rows = np.zeros((n + 3, 6))
    rows[:i, 0], rows[i:j, 2], rows[j:n, 4] = 1, 1, 1
    rows[:i, 1], rows[i:j, 3], rows[j:n, 5] = curve.x[:i], curve.x[i:j], curve.g[j:]
    left, right = curve.x[i - 1], curve.x[j - 1]
    rows[n, :4] = np.sqrt(2) * np.array([1, left, -1, -left])
    rows[n + 1, 2:] = np.sqrt(2) * np.array([1, right, -1, -curve.g[j - 1]])
    rows[n + 2, 5] = np.sqrt(0.2)
    target = np.append(curve.y, [0, 0, 0])
    theta = np.linalg.lstsq(rows, target, rcond=None)[0]
    return np.sum((target - rows @ theta) ** 2) / 2


@pytest.mark.parametrize("seed", range(4))
def test_the_pair_is_the_best_of_all_pairs(seed):
    curve, n = curve_of(40, seed), 39
    pairs = [(i, j) for i, j in itertools.combinations(range(MIN_POINTS, n - MIN_POINTS + 1), 2) if j - i >= MIN_POINTS]
    assert best_pair(curve, np.zeros(n)) == min(pairs, key=lambda pair: quadratic(curve, *pair))


@pytest.mark.parametrize("near", [(3, 6), (100, 300), (5, 390)])
def test_where_the_search_starts_changes_nothing(near):
    curve = curve_of(400, 5)
    outlying = np.where(curve.y < -4, -1.0, 0.0)
    assert np.count_nonzero(outlying)
    assert best_pair(curve, outlying, near) == best_pair(curve, outlying)
