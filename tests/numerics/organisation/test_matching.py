"""Random sets drawn by propensity: against enumeration, in balance, calibrated where the choice is known."""

import itertools

import numpy as np
import pytest
from scipy.special import expit

from rare_neurons.numerics.organisation.matching import (
    MAX_SHARED,
    draw_matched_sets,
    draw_sets,
    exchanged_pairs,
    features_of,
    neuron_covariates,
    placebo_set,
    propensity,
)


def lognormal(n, seed=0):
    return np.random.default_rng(seed).lognormal(size=(n, 3))


def chosen_by(score, size, noise, rng):
    return np.argsort(-score - noise * rng.standard_normal(len(score)))[:size]


def test_sets_have_the_probability_of_the_product_of_their_odds():
    log_odds = np.array([0.0, 1.0, -0.5, 2.0, 0.3])
    every = list(itertools.combinations(range(5), 2))
    weight = np.exp([log_odds[list(one)].sum() for one in every])
    drawn = draw_sets(log_odds, 2, np.random.default_rng(0), n_sets=20_000)
    counts = np.array([(drawn == one).all(axis=1).sum() for one in every])
    expected = 20_000 * weight / weight.sum()
    assert counts.sum() == 20_000
    # chi-square of 9 degrees of freedom, 99.9 % quantile 27.9
    assert ((counts - expected) ** 2 / expected).sum() < 27.9


def test_drawn_sets_hold_distinct_neurons_also_where_odds_are_extreme():
    log_odds = np.r_[np.full(10, 800.0), np.full(30, -800.0)]
    drawn = draw_sets(log_odds, 12, np.random.default_rng(0), n_sets=200)
    assert (np.diff(drawn, axis=1) > 0).all()
    assert (drawn[:, :10] == np.arange(10)).all()
    assert np.unique(drawn[:, 10:]).size > 25


def test_propensity_is_the_mode_of_the_penalised_likelihood():
    covariates, rng = lognormal(300), np.random.default_rng(1)
    chosen = chosen_by(np.log(covariates[:, 0]), 40, 0.5, rng)
    log_odds, features = propensity(covariates, chosen), features_of(covariates)
    design = np.c_[np.ones(300), features]
    coefficients = np.linalg.lstsq(design, log_odds, rcond=None)[0]
    np.testing.assert_allclose(design @ coefficients, log_odds, atol=1e-8)
    missing = np.isin(np.arange(300), chosen) - expit(log_odds)
    gradient = design.T @ missing - np.r_[0, coefficients[1:]]  # prior sd 1; flat for the intercept
    assert np.abs(gradient).max() < 1e-3  # of terms of order 40
    assert log_odds[chosen].mean() > log_odds.mean() + 1


def test_features_depend_on_ranks_alone_and_leave_constants_out():
    covariates = lognormal(50)
    covariates[:, 2] = 7.0
    features = features_of(covariates)
    assert features.shape == (50, 4)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(features.std(axis=0), 1)
    np.testing.assert_array_equal(features, features_of(np.exp(covariates)))


def test_nothing_to_match_makes_all_neurons_equally_likely():
    matched = draw_matched_sets([3, 4], np.ones((10, 1)), np.random.default_rng(0), n_sets=5000)
    counts = np.bincount(matched.sets.ravel(), minlength=10)
    assert np.abs(counts - 1000).max() < 4.5 * np.sqrt(5000 * 0.2 * 0.8)
    assert matched.shared == pytest.approx(0.2, abs=0.02)
    np.testing.assert_array_equal(matched.adjusted(np.arange(5001.0)), np.arange(1.0, 5001))


def test_random_sets_have_the_covariates_of_a_set_that_prefers_some():
    covariates, rng = lognormal(400, 3), np.random.default_rng(2)
    chosen = chosen_by(np.log(covariates[:, 0]), 30, 1.0, rng)
    matched = draw_matched_sets(chosen, covariates, rng, n_sets=400)
    off = matched.balance[0] - matched.balance[1:].mean(axis=0)
    # The set itself is half a standard deviation off the layer; the prior leaves a tenth of one.
    assert np.abs(features_of(covariates)[chosen].mean(axis=0)).max() > 0.5
    assert np.abs(off).max() < 0.1
    assert matched.reason is None


def test_a_set_that_a_covariate_alone_chooses_is_not_identifiable():
    covariates = lognormal(400)
    matched = draw_matched_sets(np.argsort(-covariates[:, 0])[:20], covariates, np.random.default_rng(0), n_sets=200)
    assert matched.shared == pytest.approx(np.mean([np.isin(one, matched.chosen).mean() for one in matched.sets]))
    assert matched.shared > MAX_SHARED
    assert matched.reason.startswith(f"random sets of like neurons share {matched.shared:.2f} of the set (limit 0.75)")


def test_a_statistic_that_follows_the_covariates_is_adjusted_away():
    covariates, rng = lognormal(300, 5), np.random.default_rng(4)
    matched = draw_matched_sets(chosen_by(np.log(covariates[:, 1]), 20, 0.7, rng), covariates, rng, n_sets=300)
    linear = matched.balance @ np.arange(1.0, 7.0) + 2
    np.testing.assert_allclose(matched.adjusted(linear), linear[0], rtol=1e-9)
    noise = rng.standard_normal(301)
    plain, adjusted = (values.var() for values in (linear[1:] + noise[1:], matched.adjusted(linear + noise)))
    assert adjusted == pytest.approx(1, abs=4.5 * np.sqrt(2 / 300))
    assert plain > adjusted


def test_p_is_uniform_for_sets_of_covariates_and_noise():
    rng, covariates = np.random.default_rng(6), lognormal(200, 6)
    values = np.log(covariates[:, 0]) + 0.5 * rng.standard_normal(200)  # a trait that follows the covariate
    p = []
    for _ in range(250):
        matched = draw_matched_sets(chosen_by(np.log(covariates[:, 0]), 15, 1.0, rng), covariates, rng, n_sets=39)
        means = np.r_[values[matched.chosen].mean(), values[matched.sets].mean(axis=1)]
        p.append((1 + (matched.adjusted(means) >= means[0]).sum()) / 40)
    # 250 sets: four standard errors of a rate of 0.1 are 0.076, of the mean 0.073
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.076)
    assert np.mean(p) == pytest.approx(0.5, abs=0.073)


def test_exchanged_pairs_keep_what_both_hold_and_deal_the_rest():
    first, second = exchanged_pairs([1, 2, 3, 4], [3, 4, 8, 9], np.random.default_rng(0), n_pairs=600)
    for one, other in zip(first, second, strict=True):
        assert sorted([*one, *other]) == [1, 2, 3, 3, 4, 4, 8, 9]
        assert {3, 4} <= set(one)
    counts = np.unique(np.sort(first, axis=1), axis=0, return_counts=True)[1]
    assert len(counts) == 6  # two of the four that only one holds
    assert np.abs(counts - 100).max() < 4.5 * 10


def test_the_placebo_is_the_neurons_that_write_most():
    rng = np.random.default_rng(0)
    W_in, W_out, variance = rng.standard_normal((30, 4)), rng.standard_normal((30, 4)), rng.uniform(1, 2, 30)
    covariates = neuron_covariates(W_in, W_out, variance)
    active = np.arange(len(variance))
    np.testing.assert_array_equal(
        neuron_covariates(W_in, W_out, variance, active), np.column_stack([covariates, active])
    )
    np.testing.assert_allclose(covariates[:, 0] ** 2, (W_in**2).sum(axis=1))
    np.testing.assert_allclose(covariates[:, 3], np.sqrt((W_out**2).sum(axis=1) * variance))
    np.testing.assert_array_equal(placebo_set(W_out, variance, 5), np.argsort(-covariates[:, 3])[:5])


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([], "non-empty list of distinct"),
        ([1, 1], "non-empty list of distinct"),
        ([-1], "set holds neuron -1 of 10"),
        ([10], "set holds neuron 10 of 10"),
        (range(6), "set of 6 of 10 neurons, but matching needs at most half"),
    ],
)
def test_sets_that_cannot_be_matched_are_refused(chosen, message):
    with pytest.raises(ValueError, match=message):
        draw_matched_sets(list(chosen), np.ones((10, 1)), np.random.default_rng(0), n_sets=3)


def test_covariates_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"covariates of shape \(10, 3\) must be finite with axes"):
        draw_matched_sets([1], np.full((10, 3), np.nan), np.random.default_rng(0), n_sets=3)
