"""Standard error of a mean whose observations share a document and a target type."""

from __future__ import annotations

import numpy as np


def cluster_variance(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Cluster-robust variance of a mean from its clusters' sums.

    `G/(G−1) · Σ_g (S_g − n_g x̄)² / n²`, the linearised variance of a ratio of cluster totals (Cochran 1977, eq. 6.4).

    Parameters
    ----------
    sums : ndarray, shape (cluster, ...)
        Sum of the observations in each cluster.
    counts : ndarray, shape (cluster,)
        Number of observations in each cluster; clusters without any are ignored.

    Returns
    -------
    ndarray, shape (...)
        Variance of the mean over all observations; NaN with fewer than two clusters.
    """
    sums, counts = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    present = counts > 0
    sums, counts = sums[present], counts[present]
    n_clusters, n = len(counts), counts.sum()
    if n_clusters < 2:
        return np.full(sums.shape[1:], np.nan)
    mean = sums.sum(0) / n
    squares = np.zeros(sums.shape[1:])
    for cluster_sum, count in zip(sums, counts, strict=True):  # row by row: no second copy of a large array
        squares += (cluster_sum - count * mean) ** 2
    return n_clusters / (n_clusters - 1) * squares / n**2


def streamed_cluster_variance(
    *, total: np.ndarray, squares: np.ndarray, products: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Like `cluster_variance`, from running sums over the clusters, whose own sums need not be kept.

    `Σ_g (S_g − n_g x̄)² = Σ S_g² − 2 x̄ Σ n_g S_g + x̄² Σ n_g²`, cut at zero, below which only rounding leads.

    Parameters
    ----------
    total, squares, products : ndarray, shape (...)
        `Σ S_g`, `Σ S_g²` and `Σ n_g S_g`.
    counts : ndarray, shape (cluster,)
        Number of observations in each cluster.

    Returns
    -------
    ndarray, shape (...)
        NaN with fewer than two clusters.

    Examples
    --------
    Sums 1, 2 and 6 of one observation each, about their mean of 3: (4 + 1 + 9)/3² · 3/2

    >>> counts = np.ones(3)
    >>> streamed = {"total": np.array(9.0), "squares": np.array(41.0), "products": np.array(9.0)}
    >>> round(float(streamed_cluster_variance(**streamed, counts=counts)), 12)
    2.333333333333
    """
    counts = np.asarray(counts, dtype=np.float64)
    counts = counts[counts > 0]
    n_clusters, n = len(counts), counts.sum()
    if n_clusters < 2:
        return np.full(np.shape(total), np.nan)
    mean = np.asarray(total) / n
    about_mean = np.asarray(squares) - 2 * mean * np.asarray(products) + mean**2 * np.square(counts).sum()
    return n_clusters / (n_clusters - 1) * np.maximum(about_mean, 0.0) / n**2


def two_way_standard_error(
    *, document_variance: np.ndarray, type_variance: np.ndarray, pair_variance: np.ndarray
) -> np.ndarray:
    """Estimate the standard error of a mean clustered by document and type (docs/methods/panel.md#standard-error).

    `se² = V_document + V_type − V_(document x type)`, not below the last (Cameron, Gelbach & Miller 2011, eq. 2.11).

    Parameters
    ----------
    document_variance, type_variance, pair_variance : ndarray, shape (...)
        Variance of the mean with clusters of one document, of one type, and of one document and type, as
        `cluster_variance` gives them.

    Returns
    -------
    ndarray, shape (...)
        NaN where one of them is.

    Examples
    --------
    Independent observations, each its own document and type, give the textbook value:

    >>> x = np.array([1.0, 2.0, 3.0, 6.0])
    >>> one = cluster_variance(x, np.ones(4))
    >>> found = two_way_standard_error(document_variance=one, type_variance=one, pair_variance=one)
    >>> bool(np.isclose(found, x.std(ddof=1) / 2))
    True
    """
    return np.sqrt(np.maximum(document_variance + type_variance - pair_variance, pair_variance))
