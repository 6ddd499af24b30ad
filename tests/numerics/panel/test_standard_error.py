"""Two-way standard errors: the textbook case, known cluster designs, and coverage on Zipfian target types."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.standard_error import (
    cluster_variance,
    streamed_cluster_variance,
    two_way_standard_error,
)

Z90 = 1.6449


def variance(values, labels):
    return cluster_variance(np.bincount(labels, weights=values), np.bincount(labels))


def clustered(values, document, types):
    """Standard error from single observations."""
    return two_way_standard_error(
        document_variance=variance(values, document),
        type_variance=variance(values, types),
        pair_variance=variance(values, np.unique(document * (types.max() + 1) + types, return_inverse=True)[1]),
    )


def test_singleton_clusters_give_the_textbook_value():
    x = np.random.default_rng(0).normal(size=50)
    assert clustered(x, np.arange(50), np.arange(50)) == pytest.approx(x.std(ddof=1) / 50**0.5, rel=1e-12)


def test_duplicated_observations_do_not_shrink_it():
    x = np.random.default_rng(1).normal(size=200)
    once = x.std(ddof=1) / 200**0.5
    assert clustered(np.repeat(x, 2), np.repeat(np.arange(200), 2), np.arange(400)) == pytest.approx(once, rel=0.01)
    # Both of a pair share document and type: the intersection is the pair, not the observation.
    both = np.repeat(np.arange(200), 2)
    assert clustered(np.repeat(x, 2), both, both) == pytest.approx(once, rel=1e-12)


def test_never_below_independent_observations():
    x = np.tile([1.0, -1.0], 100)  # each document's sum is zero: its variance vanishes
    assert clustered(x, np.repeat(np.arange(100), 2), np.arange(200)) >= x.std(ddof=1) / 200**0.5 * (1 - 1e-12)


def test_one_cluster_is_not_identifiable():
    assert np.isnan(cluster_variance(np.ones((1, 3)), np.array([5]))).all()


def test_running_sums_give_the_same_variance_without_the_clusters():
    rng = np.random.default_rng(3)
    sums, counts = rng.normal(size=(30, 4)), rng.integers(1, 9, 30)
    running = {"total": sums.sum(0), "squares": np.square(sums).sum(0), "products": counts @ sums}
    found = streamed_cluster_variance(**running, counts=counts)
    np.testing.assert_allclose(found, cluster_variance(sums, counts), rtol=1e-12)
    assert np.isnan(streamed_cluster_variance(**running, counts=counts[:1])).all()


def test_no_rounding_makes_a_variance_negative():
    """Equal means of 1e8 in clusters of one: what is left of their squares is rounding alone."""
    x = np.full(7, 1e8) / 3
    running = {"total": x.sum(), "squares": np.square(x).sum() * (1 - 1e-15), "products": x.sum()}
    assert streamed_cluster_variance(**running, counts=np.ones(7)) >= 0


def test_covers_on_zipfian_types():
    """2,000 Zipfian types, 8,000 targets, shared document and type effects: 86–94 % at 90 % (docs/methods/panel.md)."""
    rng = np.random.default_rng(5)
    p = 1.0 / (np.arange(2000) + 20.0)
    p /= p.sum()
    n, repeats, two_way, document_only = 8000, 250, 0, 0
    for _ in range(repeats):
        types = rng.choice(2000, size=n, p=p)
        document = rng.integers(0, 500, n)
        x = rng.normal(size=2000)[types] + 0.5 * rng.normal(size=500)[document] + rng.normal(size=n)
        two_way += abs(x.mean()) <= Z90 * clustered(x, document, types)
        document_only += abs(x.mean()) <= Z90 * variance(x, document) ** 0.5
    assert 0.86 <= two_way / repeats <= 0.94
    assert document_only / repeats < 0.75
