import numpy as np
import pytest
from scipy.stats import halfnorm, spearmanr

from rare_neurons.replication.statistics import (
    HALF_NORMAL_GINI,
    alternating,
    disattenuated,
    measure_agreement,
    n_beyond_error,
    quantile_band,
    rank_correlation,
    ranked_over_median,
    rms_difference,
    rms_step,
    shares,
    shares_by_class,
)


def test_the_correlation_without_noise_is_that_of_the_true_effects():
    rng = np.random.default_rng(0)
    n, truth = 20_000, 0.6
    one = rng.standard_normal(n)
    other = truth * one + np.sqrt(1 - truth**2) * rng.standard_normal(n)

    def measured(effect, noise):
        halves = effect + noise * rng.standard_normal((2, n))
        return np.vstack([halves.mean(axis=0), halves])

    found = measure_agreement(measured(one, 0.8), measured(other, 1.2))
    assert found.crossed < 0.4
    # Standard error of a correlation over 20 000 pairs: 0.006, over reliabilities of 0.6 and 0.4 about twice that;
    # ranks of normal values correlate as 6/π arcsin(r/2), here 0.58.
    assert found.without_noise == pytest.approx(6 / np.pi * np.arcsin(truth / 2), abs=0.04)


def test_noise_that_both_measurements_share_on_the_same_half_stays_out():
    rng = np.random.default_rng(1)
    shared = rng.standard_normal((2, 20_000))
    measured = np.vstack([shared.mean(axis=0), shared])
    found = measure_agreement(measured, measured)
    assert rank_correlation(measured[1], measured[1]) == pytest.approx(1)
    assert abs(found.crossed) < 0.03  # four standard errors of a correlation of none


def test_the_top_is_counted_by_absolute_value():
    one = np.tile(np.arange(1.0, 101), (3, 1))
    other = one.copy()
    other[:, 95:97] *= -1
    other[:, 99] = 0
    found = measure_agreement(one, other)
    assert (found.n_top, found.n_shared, found.n_by_chance) == (5, 4, 0.25)


def test_a_correlation_without_reliability_is_not_corrected():
    assert disattenuated(0.3, reliability=(0.36, 0.25)) == pytest.approx(1.0)
    assert np.isnan(disattenuated(0.3, reliability=(-0.1, 0.5)))
    assert np.isnan(disattenuated(0.3, reliability=(0.5, float("nan"))))


def test_rank_correlation_is_spearmans_and_missing_for_a_constant():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 50))
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(rank_correlation(a, np.ones(50)))


def test_a_band_leaves_missing_values_out():
    assert quantile_band([*range(101), float("nan")]) == pytest.approx((5, 50, 95))


def test_shares_add_up_and_are_cut_off_at_the_last_rank():
    assert shares(plateau_end=10, decay_start=51, n=100) == (0.1, 0.4, 0.5)
    assert shares(plateau_end=33, decay_start=245, n=40) == (33 / 40, 7 / 40, 0)
    assert shares(plateau_end=33, decay_start=245, n=20) == (1, 0, 0)


def test_ranked_values_are_over_their_median():
    assert ranked_over_median([-4, 1, 2]).tolist() == [2, 1, 0.5]


def test_steps_are_taken_within_runs():
    values, run = [0, 3, 7, 100, 100], ["a", "a", "a", "b", "b"]
    assert rms_step(values, run) == pytest.approx(np.sqrt((9 + 16 + 0) / 3))
    assert rms_difference([1, 2, float("nan")], [4, 6, 0]) == pytest.approx(np.sqrt((9 + 16) / 2))


def test_alternating_begins_each_run_with_the_first():
    run = ["a", "a", "a", "b", "b"]
    assert alternating([1] * 5, [2] * 5, run).tolist() == [1, 2, 1, 1, 2]
    assert alternating([], [], []).size == 0


def test_counts_and_classes():
    assert n_beyond_error([-4, 2, 3.1], [1, 1, 1], 3) == 2
    assert shares_by_class([0, 0, 1, -1], n_classes=3).tolist() == [0.5, 0.25, 0, 0.25]


def test_the_gini_index_of_half_normal_values():
    x = halfnorm.ppf((np.arange(100_000) + 0.5) / 100_000)
    rank = np.arange(1, len(x) + 1)
    gini = 2 * (rank @ x) / (len(x) * x.sum()) - (len(x) + 1) / len(x)
    assert pytest.approx(gini, abs=1e-4) == HALF_NORMAL_GINI  # the sample's quantiles leave out the far tail
