"""Bulk edge, spikes and shuffles of matrices whose truth is known."""

import numpy as np
import pytest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.random_matrix import (
    _shuffle,
    marchenko_pastur_edge,
    marchenko_pastur_quantile,
    shuffled_eigenvalues,
)
from tests.reference.spectral import bulk_quantile_by_density


def with_spikes(rng, shape, n):
    """A Gaussian matrix with `n` singular values of ten to thirty times its own added."""
    left, _ = np.linalg.qr(rng.standard_normal((shape[0], n)))
    right, _ = np.linalg.qr(rng.standard_normal((shape[1], n)))
    return rng.standard_normal(shape) + left * (10 * np.sqrt(max(shape)) * rng.uniform(1, 3, n)) @ right.T


@pytest.mark.parametrize("ratio", [0.02, 0.25, 0.7, 0.999])
@pytest.mark.parametrize("probability", [0.1, 0.5])
def test_bulk_quantiles_equal_a_sum_over_the_density(ratio, probability):
    expected = bulk_quantile_by_density(ratio, probability)
    assert marchenko_pastur_quantile(ratio, probability) == pytest.approx(expected, abs=1e-5)


def test_bulk_median_of_a_square_matrix_is_gavish_and_donohos():
    # Their omega(1) = 2.858 is the optimal threshold 4 / sqrt(3) over the square root of the median.
    assert 4 / np.sqrt(3) / np.sqrt(marchenko_pastur_quantile(1.0, 0.5)) == pytest.approx(2.858, abs=5e-4)


@pytest.mark.parametrize("shape", [(50, 50), (40, 120), (200, 30)])
def test_random_matrices_rarely_show_a_spike_and_the_edge_is_right(shape):
    rng = np.random.default_rng(8)
    found = [marchenko_pastur_edge(eigenvalues(0.3 * rng.standard_normal(shape)), shape) for _ in range(200)]
    edge = 0.09 * (np.sqrt(shape[0]) + np.sqrt(shape[1])) ** 2
    assert {one.status for one in found} == {"ok"}
    assert np.mean([one.edge for one in found]) == pytest.approx(edge, rel=0.02)
    assert np.mean([one.n_spikes > 0 for one in found]) <= 0.11  # 5 % planned, 200 draws
    assert max(one.n_spikes for one in found) <= 2


def test_planted_spikes_are_counted_and_do_not_move_the_edge():
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((300, 120))
    left, _ = np.linalg.qr(rng.standard_normal((300, 4)))
    right, _ = np.linalg.qr(rng.standard_normal((120, 4)))
    found = marchenko_pastur_edge(eigenvalues(noise + 100 * left @ right.T), (300, 120))
    assert found.n_spikes == 4
    assert found.edge == pytest.approx((np.sqrt(300) + np.sqrt(120)) ** 2, rel=0.06)


def test_many_spikes_leave_the_edge_where_it_is():
    rng = np.random.default_rng(6)
    edges = []
    for _ in range(30):
        found = marchenko_pastur_edge(eigenvalues(with_spikes(rng, (120, 60), 20)), (120, 60))
        assert found.n_spikes == 20
        edges.append(found.edge)
    assert np.mean(edges) == pytest.approx((np.sqrt(120) + np.sqrt(60)) ** 2, rel=0.03)


@pytest.mark.parametrize("shape", [(96, 96), (384, 96), (60, 120)])
@pytest.mark.parametrize("share", [0.55, 0.6, 0.7])
def test_where_most_are_spikes_the_median_is_none_of_the_bulk_and_there_is_no_edge(shape, share):
    rng = np.random.default_rng(5)
    for _ in range(10):
        values = eigenvalues(with_spikes(rng, shape, round(share * min(shape))))
        found = marchenko_pastur_edge(values, shape)
        assert (found.edge, found.n_spikes, found.status) == (None, None, "mostly_spikes")


def test_a_lack_of_rank_is_no_bulk_of_its_own():
    rng = np.random.default_rng(9)
    values = eigenvalues(rng.standard_normal((100, 80)) @ np.diag([0.0] * 16 + [1.0] * 64))
    assert np.count_nonzero(values) == 64
    assert marchenko_pastur_edge(values, (100, 80)).status == "ok"


def test_edge_needs_all_eigenvalues_and_a_bulk():
    with pytest.raises(ValueError, match="3 eigenvalues of a 5 x 4 matrix, but the edge needs all 4"):
        marchenko_pastur_edge([1.0, 2.0, 3.0], (5, 4))
    assert marchenko_pastur_edge([0.0, 0.0, 3.0], (5, 3)).status == "no_bulk"


def test_shuffles_keep_the_norm_repeat_with_the_seed_and_leave_the_matrix_alone():
    matrix = np.random.default_rng(0).standard_normal((30, 20))
    before = matrix.copy()
    one = list(shuffled_eigenvalues(matrix, np.random.default_rng(5), shuffles=3))
    two = list(shuffled_eigenvalues(matrix, np.random.default_rng(5), shuffles=3))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(matrix, before)
    np.testing.assert_allclose(np.sum(one, axis=1), np.sum(matrix**2), rtol=1e-6)  # float32
    assert not np.allclose(one[0], one[1])


def test_a_shuffle_keeps_every_entry_and_every_place_is_as_likely():
    entries = np.arange(1, 7, dtype=np.float32).reshape(2, 3)
    rng = np.random.default_rng(3)
    drawn = np.array([_shuffle(entries, rng).ravel() for _ in range(6000)])
    assert (np.sort(drawn) == entries.ravel()).all()
    counts = np.array([np.bincount(column.astype(int), minlength=7)[1:] for column in drawn.T])
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000 * 5 / 6)  # 36 counts, binomial


@pytest.mark.parametrize("unit", [1e-30, 1e-3, 1.0, 1e20])
@pytest.mark.parametrize("shape", [(60, 60), (30, 90), (90, 30)])
def test_shuffled_spectra_err_by_what_float32_errs_in_any_unit(unit, shape):
    rng = np.random.default_rng(4)
    matrix = unit * rng.standard_t(3, shape)
    (found,) = shuffled_eigenvalues(matrix, np.random.default_rng(5), shuffles=1)
    copy = _shuffle((matrix / unit).astype(np.float32), np.random.default_rng(5)).astype(np.float64)
    expected = eigenvalues(copy) * unit**2
    # A sum of n rounded products: some sqrt(n) roundings; what is below 2e-6 of the largest counts as zero.
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * expected[-1])


def test_a_matrix_of_one_value_has_one_eigenvalue_shuffled_or_not():
    (found,) = shuffled_eigenvalues(np.full((40, 30), 0.1), np.random.default_rng(0), shuffles=1)
    assert np.count_nonzero(found) == 1
    assert found[-1] == pytest.approx(12.0, rel=1e-6)


def test_shuffles_of_damaged_weights_are_refused():
    with pytest.raises(ValueError, match="1 of 4 weights are not finite"):
        list(shuffled_eigenvalues([[np.nan, 1.0], [2.0, 3.0]], np.random.default_rng(0), shuffles=1))
