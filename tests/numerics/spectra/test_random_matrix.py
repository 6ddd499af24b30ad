"""Bulk edge, spikes and shuffles of matrices whose truth is known."""

import numpy as np
import pytest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.random_matrix import (
    marchenko_pastur_edge,
    marchenko_pastur_median,
    shuffled_eigenvalues,
)
from tests.reference.spectral import bulk_median_by_density


@pytest.mark.parametrize("ratio", [0.02, 0.25, 0.7, 0.999])
def test_bulk_median_equals_a_sum_over_the_density(ratio):
    assert marchenko_pastur_median(ratio) == pytest.approx(bulk_median_by_density(ratio), abs=1e-5)


def test_bulk_median_of_a_square_matrix_is_gavish_and_donohos():
    # Their omega(1) = 2.858 is the optimal threshold 4 / sqrt(3) over the square root of the median.
    assert 4 / np.sqrt(3) / np.sqrt(marchenko_pastur_median(1.0)) == pytest.approx(2.858, abs=5e-4)


@pytest.mark.parametrize("shape", [(50, 50), (40, 120), (200, 30)])
def test_random_matrices_rarely_show_a_spike_and_the_edge_is_right(shape):
    rng = np.random.default_rng(8)
    found = [marchenko_pastur_edge(eigenvalues(0.3 * rng.standard_normal(shape)), shape) for _ in range(200)]
    edge = 0.09 * (np.sqrt(shape[0]) + np.sqrt(shape[1])) ** 2
    assert np.mean([e for e, _ in found]) == pytest.approx(edge, rel=0.02)
    assert np.mean([spikes > 0 for _, spikes in found]) <= 0.11  # 5 % planned, 200 draws
    assert max(spikes for _, spikes in found) <= 2


def test_planted_spikes_are_counted_and_do_not_move_the_edge():
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((300, 120))
    left, _ = np.linalg.qr(rng.standard_normal((300, 4)))
    right, _ = np.linalg.qr(rng.standard_normal((120, 4)))
    edge, spikes = marchenko_pastur_edge(eigenvalues(noise + 100 * left @ right.T), (300, 120))
    assert spikes == 4
    assert edge == pytest.approx((np.sqrt(300) + np.sqrt(120)) ** 2, rel=0.06)


def test_many_spikes_leave_the_edge_where_it_is():
    rng = np.random.default_rng(6)
    edges = []
    for _ in range(30):
        left, _ = np.linalg.qr(rng.standard_normal((120, 20)))
        right, _ = np.linalg.qr(rng.standard_normal((60, 20)))
        edge, spikes = marchenko_pastur_edge(
            eigenvalues(rng.standard_normal((120, 60)) + 200 * left @ right.T), (120, 60)
        )
        assert spikes == 20
        edges.append(edge)
    assert np.mean(edges) == pytest.approx((np.sqrt(120) + np.sqrt(60)) ** 2, rel=0.03)


def test_edge_needs_all_eigenvalues_and_a_bulk():
    with pytest.raises(ValueError, match="3 eigenvalues of a 5 x 4 matrix, but the edge needs all 4"):
        marchenko_pastur_edge([1.0, 2.0, 3.0], (5, 4))
    assert marchenko_pastur_edge([0.0, 0.0, 3.0], (5, 3)) is None


def test_shuffles_keep_the_norm_repeat_with_the_seed_and_leave_the_matrix_alone():
    matrix = np.random.default_rng(0).standard_normal((30, 20))
    before = matrix.copy()
    one = list(shuffled_eigenvalues(matrix, np.random.default_rng(5), shuffles=3))
    two = list(shuffled_eigenvalues(matrix, np.random.default_rng(5), shuffles=3))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(matrix, before)
    np.testing.assert_allclose(np.sum(one, axis=1), np.sum(matrix**2))
    assert not np.allclose(one[0], one[1])
