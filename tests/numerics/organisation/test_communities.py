import numpy as np
import pytest

from benchmarks.calibration.organisation import community_world, modularity_rates
from rare_neurons.numerics.organisation.coactivation import Split
from rare_neurons.numerics.organisation.communities import (
    community_concentration,
    cross_modularities,
    cross_modularity,
    in_sample_modularity,
    layer_communities,
    partition,
)


def blocks(sizes, inside=0.5, outside=0.0):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    matrix = np.where(labels[:, None] == labels, inside, outside)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def test_blocks_are_the_communities():
    assert partition(blocks([3, 4, 2])).tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert partition(np.zeros((4, 4))).tolist() == [0, 1, 2, 3]


def test_cross_modularity_is_its_definition():
    r = blocks([5, 5], inside=0.6, outside=0.2)
    rng = np.random.default_rng(0)
    found = cross_modularity(Split(r, r), np.arange(10), n_rows=(500, 500), rng=rng, n_labels=199)
    weights = r**2 - 1 / 500
    off = ~np.eye(10, dtype=bool)
    theta_square = weights[off].mean()  # all neurons have equal degrees
    same = np.kron(np.eye(2, dtype=bool), np.ones((5, 5), dtype=bool)) & off
    assert found.value == pytest.approx((weights - theta_square)[same].sum() / (r**2)[off].sum(), abs=1e-6)
    assert found.n_communities == 2
    assert found.p_labels < 0.05


def test_the_rate_of_false_communities_is_that_of_the_level_and_planted_ones_are_found():
    # at 8 % more than 9 of 40 have probability 1e-3; with one factor the rate is 13 %: 13 of 40
    assert modularity_rates("iid", 40, g=19)[0] <= 9 / 40
    assert modularity_rates("unequal loadings", 40, g=19)[0] <= 13 / 40
    assert modularity_rates("planted", 12, g=50, strength=0.05)[0] >= 0.9


def test_independent_neurons_have_the_published_modularity():
    values = [
        in_sample_modularity(community_world("iid", np.random.default_rng(k), g=50, strength=0).first)
        for k in range(12)
    ]
    assert np.mean(values) == pytest.approx(0.075, abs=0.01)


def test_a_statistic_of_sets_is_the_mean_over_splits():
    rng = np.random.default_rng(1)
    splits = [community_world("planted", rng, g=12, strength=0.3) for _ in range(2)]
    sets = np.array([np.arange(8), np.arange(4, 12)])
    found = cross_modularities(splits, [(1000, 1000)] * 2)(sets)
    one = [cross_modularity(s, sets[1], n_rows=(1000, 1000), rng=rng, n_labels=0) for s in splits]
    assert found.shape == (2, 1)
    assert found[1, 0] == pytest.approx(np.mean([c.value for c in one]))
    assert one[0].p_labels is None


def test_sets_inside_a_community_of_the_layer_are_concentrated():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2], 20)
    a = rng.normal(size=(400, 3))[:, labels] + rng.normal(size=(400, 60))
    found = layer_communities(np.corrcoef(a.T))
    sets = np.array([[0, 5, 9, 12], [0, 25, 45, 50]])
    np.testing.assert_allclose(community_concentration(found, sets), [1.0, 1 / 6])
