"""Errors over documents and types, where the truth is known."""

import numpy as np

from rare_neurons.numerics.allocation.standard_error import document_standard_error, two_way_factor
from rare_neurons.numerics.layers.clustered import clustered_mean

N_FOLDS = 12


def test_document_error_is_that_of_a_mean_of_folds():
    values = np.random.default_rng(0).normal(size=(N_FOLDS, 3))
    found = document_standard_error(values, np.ones(N_FOLDS))
    np.testing.assert_allclose(found, values.std(0, ddof=1) / N_FOLDS**0.5)


def factor_by_draws(values, fold, target_type, n_draws, seed=0):
    """Mean square of the factor over draws of signs, all units pooled."""
    rng = np.random.default_rng(seed)
    counts = np.bincount(fold, minlength=N_FOLDS).astype(float)
    sums = np.zeros((N_FOLDS, values.shape[1]))
    np.add.at(sums, fold, values)
    squares = []
    for _ in range(n_draws):
        sign = rng.choice([-1.0, 1.0], size=target_type.max() + 1)[target_type]
        signed = np.zeros_like(sums)
        np.add.at(signed, fold, values * sign[:, None])
        signed_counts = np.bincount(fold, weights=sign, minlength=N_FOLDS)
        squares.append(two_way_factor(sums[None], signed[None], counts=counts, signed_counts=signed_counts[None]) ** 2)
    return np.mean(squares)


def test_random_signs_give_the_two_way_variance_on_average():
    rng = np.random.default_rng(3)
    n, n_types = 1500, 40
    fold, target_type = rng.integers(N_FOLDS, size=n), rng.integers(n_types, size=n)
    values = rng.normal(size=(n, 30)) + rng.normal(0, 0.6, size=(n_types, 30))[target_type]
    exact = clustered_mean(values, document=fold, target_type=target_type)[1]
    by_fold = clustered_mean(values, document=fold, target_type=np.arange(n))[1]
    documents_alone = np.square(document_error(values, fold)).sum()
    expected = np.square(exact).sum() / documents_alone
    found = factor_by_draws(values, fold, target_type, n_draws=400)
    # 400 draws of a sum over 30 units: 2 % of sampling noise; 40 clusters are corrected by 40/39 in the exact one only.
    assert np.isclose(found, expected, rtol=0.08)
    assert expected > 2 > np.square(by_fold).sum() / documents_alone


def document_error(values, fold):
    sums = np.zeros((N_FOLDS, values.shape[1]))
    np.add.at(sums, fold, values)
    return document_standard_error(sums, np.bincount(fold, minlength=N_FOLDS).astype(float))


def test_without_effects_of_types_the_factor_is_about_one_and_without_variation_one():
    rng = np.random.default_rng(4)
    fold, target_type = rng.integers(N_FOLDS, size=3000), rng.integers(300, size=3000)
    found = factor_by_draws(rng.normal(size=(3000, 200)), fold, target_type, n_draws=30)
    # 11 degrees of freedom of 200 units, and types that only sample the same noise.
    assert 0.8 < found < 1.25
    zeros, counts = np.zeros((1, N_FOLDS, 5)), np.ones(N_FOLDS)
    assert two_way_factor(zeros, zeros, counts=counts, signed_counts=np.zeros((1, N_FOLDS))) == 1.0


def test_draws_are_pooled_by_their_variances():
    rng = np.random.default_rng(5)
    sums, signed = rng.normal(size=(2, 3, N_FOLDS, 40))
    sums[1] *= 1e-6  # a draw of next to nothing says nothing
    signed[1] *= 1e-6
    counts, signed_counts = np.ones(N_FOLDS), rng.choice([-1.0, 1.0], size=(3, N_FOLDS))
    some = [0, 2]
    found = two_way_factor(sums, signed, counts=counts, signed_counts=signed_counts)
    without = two_way_factor(sums[some], signed[some], counts=counts, signed_counts=signed_counts[some])
    assert np.isclose(found, without, rtol=1e-9)
    alone = [two_way_factor(sums[[k]], signed[[k]], counts=counts, signed_counts=signed_counts[[k]]) for k in range(3)]
    assert min(alone) < found < max(alone)
