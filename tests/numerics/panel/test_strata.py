import numpy as np
import pytest

from rare_neurons.numerics.panel.strata import NO_STRATUM, assign_strata, zipf_elbow

MASS = {"common": {"mass": [0.0, 0.5]}, "mid": {"mass": [0.5, 0.9]}, "rare": {"mass": [0.9, 1.0]}}


def test_strata_by_mass_hold_their_share_of_the_tokens():
    counts = np.array([0, 50, 25, 15, 5, 3, 2])
    # Mass before each type, by falling count: 0, .50, .75, .90, .95, .98
    assert assign_strata(counts, MASS).tolist() == [NO_STRATUM, 0, 1, 1, 2, 2, 2]


def test_equal_counts_share_a_stratum_whatever_their_ids():
    counts = np.array([10, 10, 10, 10, 10, 10, 10, 10, 10, 10])
    assert set(assign_strata(counts, {"all": {"mass": [0.0, 1.0]}})) == {0}
    rng = np.random.default_rng(0)
    counts = np.sort(rng.zipf(1.7, 500).clip(max=300))
    shuffled = rng.permutation(500)
    assert np.array_equal(assign_strata(counts, MASS)[shuffled], assign_strata(counts[shuffled], MASS))


def test_bottom_half_of_types():
    counts = np.array([8, 7, 6, 5, 4, 3, 2, 1, 0])
    strata = assign_strata(counts, {"rare": {"types": [0.5, 1.0]}})
    assert np.flatnonzero(strata == 0).tolist() == [4, 5, 6, 7]


def test_overlapping_strata_are_refused_by_name():
    with pytest.raises(ValueError, match="strata 'a' and 'b' share 2 types"):
        assign_strata(np.arange(1, 9), {"a": {"types": [0.0, 0.5]}, "b": {"types": [0.25, 1.0]}})


def test_an_empty_stratum_is_refused_by_name():
    with pytest.raises(ValueError, match=r"stratum 'rare' .* holds none of 1 seen types"):
        assign_strata(np.array([7, 0]), {"rare": {"mass": [0.9, 1.0]}})


def test_elbow_finds_a_planted_break_of_the_zipf_curve():
    rank = np.arange(1, 12_001, dtype=float)
    planted = 9_000
    log_p = -np.log(rank)
    log_p[planted:] -= 25 * (np.log(rank[planted:]) - np.log(rank[planted]))
    found = zipf_elbow(np.exp(log_p - log_p[-1]) * 10, window=1000)
    # The rolling window blurs the break over its own length; the first window whole beyond it starts at the break.
    assert abs(found.rank_index - planted) <= 1000
    assert found.n_beyond == rank.size - found.rank_index


def test_elbow_needs_two_windows():
    with pytest.raises(ValueError, match="100 seen types, but an elbow needs 2 x window = 4000"):
        zipf_elbow(np.arange(1, 101))
