"""Which activation meets which output direction in a placebo."""

import numpy as np
import pytest

from rare_neurons.numerics.influence.placebo import placebo_permutations


def norms(n=50):
    return np.random.default_rng(0).lognormal(size=n)


def test_rows_stay_within_their_tenth_and_none_with_its_neuron():
    n = norms()
    found = placebo_permutations(n, n_draws=3, seed=1)
    tenth = np.argsort(np.argsort(n)) // 5
    for one in found:
        assert sorted(one) == list(range(50))
        assert not (one == np.arange(50)).any()
        np.testing.assert_array_equal(tenth[one], tenth)


def test_draws_follow_from_seed_and_ranks_alone():
    n = norms()
    found = placebo_permutations(n, n_draws=2, seed=1)
    np.testing.assert_array_equal(placebo_permutations(np.log(n), n_draws=4, seed=1)[:2], found)
    assert (placebo_permutations(n, n_draws=2, seed=2) != found).any()
    assert (found[0] != found[1]).any()


def test_a_neuron_that_changes_its_tenth_changes_few_partners():
    n = np.arange(200.0)
    moved = n.copy()
    moved[19], moved[20] = moved[20], moved[19]  # across the border of two tenths
    one, two = (placebo_permutations(x, n_draws=5, seed=3) for x in (n, moved))
    # A neuron that leaves a cycle changes its own partner and that of the one after; so does one that joins.
    assert (one != two).sum(axis=1).max() <= 6


def test_every_partner_in_a_tenth_is_as_likely():
    """40 neurons in tenths of four: three partners each, 600 draws; 5 sd of a binomial share."""
    n = np.arange(40.0)
    found = placebo_permutations(n, n_draws=600, seed=0)
    for partner in (1, 2, 3):
        assert abs((found[:, 0] == partner).mean() - 1 / 3) < 5 * (2 / 9 / 600) ** 0.5


@pytest.mark.parametrize("n", [2, 3, 7, 19])
def test_few_neurons_still_change_partners(n):
    found = placebo_permutations(np.ones(n), n_draws=20, seed=0)
    assert not (found == np.arange(n)).any()
    assert (n == 2) == (len(np.unique(found, axis=0)) == 1)


def test_one_neuron_keeps_its_own_and_none_is_fine():
    assert placebo_permutations([1.0], n_draws=1, seed=0).tolist() == [[0]]
    assert placebo_permutations([1.0, 2.0], n_draws=0, seed=0).shape == (0, 2)


def test_norms_must_be_known():
    with pytest.raises(ValueError, match="1 of 2 norms are not finite"):
        placebo_permutations([1.0, np.nan], n_draws=1, seed=0)
