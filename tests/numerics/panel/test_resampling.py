"""Resampled folds: within halves, the same draw for all that share it, and ratios of sums."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.folds import N_FOLDS, FoldSums, half_of_fold
from rare_neurons.numerics.panel.resampling import (
    influence_of_half,
    resample_folds,
    resample_panel,
    resampled_counts,
    resampled_influence,
    resampled_mean,
)

HALF = half_of_fold(np.arange(N_FOLDS))


def test_each_half_is_drawn_from_itself():
    weights = resample_folds(HALF, n_resamples=500, seed=0)
    assert (weights[:, HALF == 0].sum(axis=1) == 32).all()
    assert (weights[:, HALF == 1].sum(axis=1) == 32).all()
    # Multinomial counts: mean 1, variance 31/32; four standard errors over 500 draws.
    assert np.abs(weights.mean(axis=0) - 1).max() < 4.5 * np.sqrt(31 / 32 / 500)
    np.testing.assert_array_equal(weights, resample_folds(HALF, n_resamples=500, seed=0))
    assert not np.array_equal(weights, resample_folds(HALF, n_resamples=500, seed=1))


def test_rows_that_lack_folds_share_the_draw_of_those_that_have_all():
    every = resample_panel(np.arange(N_FOLDS), n_resamples=20, seed=3)
    np.testing.assert_array_equal(every, resample_folds(HALF, n_resamples=20, seed=3))
    np.testing.assert_array_equal(resample_panel([63, 5, 5], n_resamples=20, seed=3), every[:, [63, 5, 5]])


def test_influence_is_the_ratio_of_sums():
    rng = np.random.default_rng(1)
    sums, counts = rng.standard_normal((N_FOLDS, 3)), rng.integers(1, 9, N_FOLDS)
    folds = FoldSums.of(sums, counts=counts, half=HALF)
    np.testing.assert_allclose(influence_of_half(folds, 1), sums[32:].sum(axis=0) / counts[32:].sum(), rtol=1e-14)
    weights = resample_folds(HALF, n_resamples=4, seed=0)
    drawn = [np.repeat(np.arange(N_FOLDS), row.astype(int)) for row in weights]
    expected = [sums[rows].sum(axis=0) / counts[rows].sum() for rows in drawn]
    np.testing.assert_allclose(resampled_influence(weights, sums, counts), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(resampled_counts(weights, counts), [counts[rows].sum() for rows in drawn])


def test_means_of_folds_count_by_their_targets():
    weights = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 3.0]])
    found = resampled_mean(weights, [1.0, 4.0, 9.0], [2, 1, 0])
    np.testing.assert_array_equal(found, [2.0, 4.0, np.nan])


def test_a_resample_without_targets_has_no_influence():
    with pytest.raises(ValueError, match="1 of 2 resamples hold no target: 1 folds have any; use a larger panel"):
        resampled_influence(np.array([[2.0, 0.0], [0.0, 2.0]]), np.ones((2, 5)), [3, 0])
