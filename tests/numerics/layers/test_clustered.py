"""Clustered means, on values whose variance is known by another way."""

import numpy as np

from rare_neurons.numerics.layers.clustered import clustered_mean


def test_values_shared_by_documents_and_types_vary_with_both():
    rng = np.random.default_rng(0)
    n_documents, n_types = 300, 200
    document, target_type = (grid.ravel() for grid in np.mgrid[:n_documents, :n_types])
    values = rng.normal(0, 2, n_documents)[document] + rng.normal(0, 3, n_types)[target_type]
    mean, error = clustered_mean(values, document=document, target_type=target_type)
    # The variance of a mean of additive effects is the sum of both; sampling of 200 and 300 draws: 5 % of an error.
    assert np.isclose(error, np.sqrt(4 / n_documents + 9 / n_types), rtol=0.15)
    assert np.isclose(mean, values.mean())


def test_columns_are_independent_and_one_document_has_no_error():
    values = np.random.default_rng(1).normal(size=(30, 2, 4))
    document, target_type = np.arange(30) // 3, np.arange(30) % 5
    mean, error = clustered_mean(values, document=document, target_type=target_type)
    alone = clustered_mean(values[:, 1, 2], document=document, target_type=target_type)
    np.testing.assert_allclose((mean[1, 2], error[1, 2]), alone)
    assert np.isnan(clustered_mean(values, document=np.zeros(30, int), target_type=target_type)[1]).all()
