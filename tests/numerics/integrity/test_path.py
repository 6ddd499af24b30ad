"""Detours and order of known paths."""

import numpy as np
import pytest

from rare_neurons.numerics.integrity.path import find_detours, order_z, run_detours


def test_detours_of_known_paths():
    line = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    np.testing.assert_allclose(run_detours(line, 1)[1:-1], 1)
    np.testing.assert_allclose(run_detours(line, 2)[1:-2], 2 / 3)
    corner = np.hypot(*(np.subtract.outer(x, x) for x in (np.array([0, 0, 1.0]), np.array([0, 1.0, 1]))))
    assert run_detours(corner, 1)[1] == pytest.approx(np.sqrt(2))
    assert np.isnan(run_detours(corner, 1)[[0, 2]]).all()


def test_a_good_step_between_two_bad_ones_comes_back():
    x = np.array([0, 1, 2, 100, 4, 100.5, 6, 7, 8.0])
    found = find_detours(np.abs(np.subtract.outer(x, x)), limit=2.0, max_run=2)
    assert sorted(found) == [3, 5]


@pytest.mark.parametrize(("aside", "expected"), [(1.2, []), (4.0, [3, 4])])
def test_a_run_needs_a_clearer_detour_than_a_single_step(aside, expected):
    x, y = np.array([0, 1, 2, 2.3, 2.6, 3, 4, 5, 6]), np.array([0, 0, 0, aside, aside, 0, 0, 0, 0])
    distances = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    assert np.nanmax(run_detours(distances, 2)) > 2.4
    assert sorted(find_detours(distances, limit=2.0, max_run=2)) == expected


def test_order_z_sees_one_and_three_outliers_and_no_kink_gap_or_plateau():
    rng = np.random.default_rng(0)
    kink = np.concatenate([2.0 * np.arange(12), 24 + 0.1 * np.arange(18)]) + 0.01 * rng.standard_normal(30)
    plateau = np.minimum(np.arange(30.0), 10) + 0.01 * rng.standard_normal(30)
    for clean in (kink, plateau, np.delete(kink, [2, 3, 4, 9, 14]), np.array([0, 5, 5.1, 9])):
        assert np.abs(order_z(clean, floor=0.01)).max() < 8
    for where in ([20], [19, 20, 21], [29]):
        for shift in (-3, 3):
            y = 0.1 * np.arange(30) + 0.01 * np.random.default_rng(1).standard_normal(30)
            y[where] += shift
            z = order_z(y, floor=0.01)
            expected = set() if where == [29] and shift > 0 else set(where)  # nothing follows the last
            assert set(np.flatnonzero(np.abs(z) > 8)) == expected
            assert (np.sign(z[where]) == np.sign(shift)).all() or not expected
    assert np.isnan(order_z(kink[:3], floor=0.01)).all()
