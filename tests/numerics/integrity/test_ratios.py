"""What is undefined is NaN, never a number."""

import numpy as np

from rare_neurons.numerics.integrity.ratios import cosines, middle, moves, ratio


def test_distances_and_angles_of_known_tensors():
    run = np.array([[[3.0, 0.0]], [[0.0, 4.0]], [[0.0, 0.0]]])
    np.testing.assert_allclose(moves(run, 1), [[5], [4]])
    np.testing.assert_allclose(moves(run, 2), [[3]])
    np.testing.assert_allclose(cosines(run[[0, 1, 0]], 2), [[1]])
    assert cosines(run, 1)[0, 0] == 0
    assert np.isnan(cosines(run, 1)[1, 0])


def test_a_quotient_by_zero_and_a_median_of_nothing():
    assert np.isnan(ratio(np.array([1.0]), np.array([0.0])))[0]
    assert middle(np.array([np.nan, 1.0, 5.0, 3.0])) == 3.0
    assert middle(np.array([np.nan])) == 0.0
