"""Two-way standard errors: the textbook case, known cluster designs, and coverage on Zipfian target types."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.standard_error import cluster_variance, two_way_standard_error

Z90 = 1.6449


def clustered(values, context, types):
    """Standard error from single observations."""
    sums = [np.bincount(labels, weights=values) for labels in (context, types)]
    counts = [np.bincount(labels) for labels in (context, types)]
    return two_way_standard_error(
        context_sums=sums[0],
        context_counts=counts[0],
        type_sums=sums[1],
        type_counts=counts[1],
        observation_variance=values.var(ddof=1),
    )


def test_singleton_clusters_give_the_textbook_value():
    x = np.random.default_rng(0).normal(size=50)
    assert clustered(x, np.arange(50), np.arange(50)) == pytest.approx(x.std(ddof=1) / 50**0.5, rel=1e-12)


def test_duplicated_observations_do_not_shrink_it():
    x = np.random.default_rng(1).normal(size=200)
    twice = clustered(np.repeat(x, 2), np.repeat(np.arange(200), 2), np.arange(400))
    assert twice == pytest.approx(x.std(ddof=1) / 200**0.5, rel=0.01)


def test_never_below_independent_observations():
    x = np.tile([1.0, -1.0], 100)  # each context's sum is zero: context variance vanishes
    assert clustered(x, np.repeat(np.arange(100), 2), np.arange(200)) >= x.std(ddof=1) / 200**0.5 * (1 - 1e-12)


def test_one_cluster_is_not_identifiable():
    assert np.isnan(cluster_variance(np.ones((1, 3)), np.array([5]))).all()


def test_covers_on_zipfian_types():
    """2,000 Zipfian types, 8,000 targets, shared context and type effects: 86–94 % at 90 % (docs/methods/panel.md)."""
    rng = np.random.default_rng(5)
    p = 1.0 / (np.arange(2000) + 20.0)
    p /= p.sum()
    n, repeats, two_way, context_only = 8000, 400, 0, 0
    for _ in range(repeats):
        types = rng.choice(2000, size=n, p=p)
        context = rng.integers(0, 500, n)
        x = rng.normal(size=2000)[types] + 0.5 * rng.normal(size=500)[context] + rng.normal(size=n)
        two_way += abs(x.mean()) <= Z90 * clustered(x, context, types)
        sums, counts = np.bincount(context, weights=x), np.bincount(context)
        context_only += abs(x.mean()) <= Z90 * cluster_variance(sums, counts) ** 0.5
    assert 0.86 <= two_way / repeats <= 0.94
    assert context_only / repeats < 0.75
