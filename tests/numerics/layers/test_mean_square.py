"""The mean square has no noise of documents, types or single targets in its expectation."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.mean_square import mean_square


def _panel(rng, n_neurons, theta, noise):
    """Sums by half and fold of effects with noise of documents, halves and targets; unbalanced counts."""
    counts = rng.integers(20, 60, (2, 12)).astype(float)
    document = noise * rng.standard_normal((1, 12, n_neurons))
    token = noise * rng.standard_normal((2, 1, n_neurons))
    single = noise * rng.standard_normal((2, 12, n_neurons))
    return counts[..., None] * (theta + document + token + single), counts


def test_it_is_unbiased_where_the_plain_mean_square_is_not():
    rng = np.random.default_rng(0)
    theta = 0.3 * rng.standard_normal(50)
    found, plain, errors = [], [], []
    for _ in range(600):
        sums, counts = _panel(rng, 50, theta, noise=0.5)
        one = mean_square(sums, counts)
        found.append(one.value)
        errors.append(one.standard_error)
        plain.append(np.mean((sums.sum((0, 1)) / counts.sum()) ** 2))
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - np.mean(theta**2)) < 4 * error
    assert np.mean(plain) - np.mean(theta**2) > 20 * error


def test_its_error_is_that_over_documents():
    rng = np.random.default_rng(1)
    theta, found, errors = 0.3 * rng.standard_normal(50), [], []
    for _ in range(400):
        counts = np.full((2, 12), 40.0)
        sums = counts[..., None] * (theta + 0.5 * rng.standard_normal((2, 12, 50)))
        one = mean_square(sums, counts)
        found.append(one.value)
        errors.append(one.standard_error)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(found), rel=0.15)


def test_it_is_the_sum_over_pairs_by_hand():
    rng = np.random.default_rng(2)
    sums, counts = _panel(rng, 3, np.ones(3), noise=0.5)
    top = sum(sums[0, f] @ sums[1, g] / 3 for f in range(12) for g in range(12) if f != g)
    bottom = sum(counts[0, f] * counts[1, g] for f in range(12) for g in range(12) if f != g)
    assert mean_square(sums, counts).value == pytest.approx(top / bottom)


def test_without_disjoint_parts_there_is_none():
    counts = np.zeros((2, 12))
    counts[:, 3] = 5
    found = mean_square(counts[..., None], counts)
    assert found.value is None
    assert found.standard_error is None
