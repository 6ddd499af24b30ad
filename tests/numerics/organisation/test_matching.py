"""Random sets: like the given one by decile, without repeats."""

import numpy as np
import pytest

from rare_neurons.numerics.organisation.matching import deciles, matched_sets


def lognormal(n):
    return np.random.default_rng(0).lognormal(size=(n, 3))


def test_random_groups_match_the_deciles_and_repeat_no_neuron():
    covariates = lognormal(1000)
    covariates[:, 1] = covariates[:, 0] ** 2
    chosen = np.argsort(-covariates[:, 0])[:40]
    drawn, gap = matched_sets(chosen, covariates, np.random.default_rng(0), n_sets=50)
    assert all(np.unique(one).size == 40 for one in drawn)
    bins = deciles(covariates)
    assert np.abs(bins[drawn] - bins[chosen]).max() <= gap <= 2
    assert np.unique(drawn).size > 80


def test_groups_that_use_up_their_candidates_are_drawn_from_wider_ones():
    covariates = lognormal(100)
    chosen = np.argsort(-covariates[:, 0])[:50]
    drawn, gap = matched_sets(chosen, covariates, np.random.default_rng(0), n_sets=20)
    assert all(np.unique(one).size == 50 for one in drawn)
    assert gap >= 3


def test_deciles_are_ranks_in_tenths():
    values = np.arange(20.0)[::-1]
    np.testing.assert_array_equal(deciles(values[:, None])[:, 0], np.repeat(np.arange(10), 2)[::-1])
    # Ties go by index.
    np.testing.assert_array_equal(deciles(np.ones((20, 1)))[:, 0], np.repeat(np.arange(10), 2))


def test_a_member_may_stand_for_itself_and_all_matches_are_equally_likely():
    # One decile of ten neurons: each member is drawn from those ten alone.
    covariates = np.arange(100.0)[:, None]
    drawn, gap = matched_sets([3], covariates, np.random.default_rng(0), n_sets=5000)
    counts = np.bincount(drawn[:, 0], minlength=100)
    assert gap == 0
    assert counts[10:].sum() == 0
    assert np.abs(counts[:10] - 500).max() < 4.5 * np.sqrt(450)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [([], "non-empty list of distinct"), ([-1], "set holds neuron -1 of 10"), (range(6), "set of 6 of 10 neurons")],
)
def test_groups_that_cannot_be_matched_are_refused(chosen, message):
    with pytest.raises(ValueError, match=message):
        matched_sets(chosen, np.ones((10, 1)), np.random.default_rng(0), n_sets=3)
