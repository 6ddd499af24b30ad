"""Running sums are those of everything at once."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.sums import RunningSums, degrees_of_freedom
from rare_neurons.numerics.panel.standard_error import cluster_variance

S, P, H, C, L, N, K = 2, 2, 2, 11, 3, 4, 3


def test_batches_of_contexts_add_up():
    rng = np.random.default_rng(0)
    first, signs = rng.standard_normal((S, P, H, C, L, N)), rng.standard_normal((K, S, P, H, C, L, N))
    last = rng.standard_normal((5, S, P, H, C, 1, N))
    gauss_newton = rng.standard_normal((S, C, L, N))
    document, fold = np.array([4, 4, 4, 7, 7, 1, 2, 2, 2, 9, 9]), np.array([0, 0, 0, 0, 0, 3, 3, 3, 3, 11, 11])
    counts = rng.integers(0, 9, (S, C))
    running = RunningSums(n_strata=S, n_halves=H, n_folds=12, n_layers=L, n_neurons=N)
    for at in (slice(0, 2), slice(2, 7), slice(7, 11)):
        running.add(
            first=first[:, :, :, at],
            signs=[signs[:, :, :, :, at, :2], last[:, :, :, :, at]],
            gauss_newton=gauss_newton[:, at],
            fold=fold[at],
            document=document[at],
            counts=counts[:, at],
        )
    found = running.finish()
    np.testing.assert_allclose(found.first.sum(3), first.sum(3))
    np.testing.assert_allclose(found.first[:, :, :, 3], first[:, :, :, 5:9].sum(3))
    for layers, drawn in ((slice(2), signs[..., :2, :]), (slice(2, 3), last)):
        n = len(drawn)
        np.testing.assert_allclose(found.second[:, :, :, 11, layers], drawn.mean(0)[:, :, :, 9:].sum(3))
        v = drawn.sum(3).var(0, ddof=1) / n
        np.testing.assert_allclose(found.sign_variance[:, :, layers], v.sum(2))
        np.testing.assert_allclose(found.sign_df[:, :, layers], (n + 1) * v.sum(2) ** 2 / (v**2).sum(2) - 2)
    np.testing.assert_allclose(found.fisher, np.square(first.sum(2)).sum(2))
    np.testing.assert_allclose(found.gauss_newton, gauss_newton.sum(1))
    labels = np.unique(document, return_inverse=True)[1]
    for s in range(S):
        sums = np.stack([first[s].sum(1)[:, labels == d].sum(1) for d in range(5)])
        expected = cluster_variance(sums, np.bincount(labels, weights=counts[s]))
        np.testing.assert_allclose(found.document_variance[s], expected)


def test_one_document_has_no_variance():
    running = RunningSums(n_strata=1, n_halves=1, n_folds=12, n_layers=1, n_neurons=2)
    ones = np.ones((1, P, 1, 2, 1, 2))
    place = {"fold": np.zeros(2, int), "document": np.full(2, 5), "counts": np.ones((1, 2))}
    running.add(first=ones, signs=[np.stack([ones, ones])], gauss_newton=ones[:, 0, 0], **place)
    assert np.isnan(running.finish().document_variance).all()


def test_degrees_of_freedom_are_those_of_what_was_summed():
    rng = np.random.default_rng(1)
    scale = np.array([1.0, 1.0, 4.0])[:, None, None]
    v = (scale * rng.standard_normal((3, 4000, 200))).reshape(-1, 200) ** 2  # many pieces, each of one degree
    found = degrees_of_freedom(v.sum(0), (v**2).sum(0), n_draws=2)
    assert found.mean() == pytest.approx(4000 * 18**2 / (1 + 1 + 16**2), rel=0.02)
    assert np.isinf(degrees_of_freedom(np.zeros(1), np.zeros(1), n_draws=2)).all()
