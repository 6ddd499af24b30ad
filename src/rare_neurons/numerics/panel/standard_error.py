"""Standard error of a mean whose observations share a context and a target type."""

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


def two_way_standard_error(
    *,
    context_sums: np.ndarray,
    context_counts: np.ndarray,
    type_sums: np.ndarray,
    type_counts: np.ndarray,
    observation_variance: np.ndarray,
) -> np.ndarray:
    """Estimate the standard error of a mean clustered by context and type (docs/methods/panel.md#standard-error).

    `se² = V_context + V_type − V_observation`, not below `V_observation` (Cameron, Gelbach & Miller 2011, eq. 2.11,
    with the intersection of the two clusterings taken as the single observation).

    Parameters
    ----------
    context_sums, type_sums : ndarray, shape (cluster, ...)
    context_counts, type_counts : ndarray, shape (cluster,)
    observation_variance : ndarray, shape (...)
        Unbiased variance of a single observation.

    Returns
    -------
    ndarray, shape (...)
        NaN with fewer than two contexts or fewer than two types.

    Examples
    --------
    Independent observations, each its own context and type, give the textbook value:

    >>> x = np.array([1.0, 2.0, 3.0, 6.0])
    >>> ones = np.ones(4)
    >>> one_by_one = {"context_sums": x, "context_counts": ones, "type_sums": x, "type_counts": ones}
    >>> found = two_way_standard_error(**one_by_one, observation_variance=x.var(ddof=1))
    >>> bool(np.isclose(found, x.std(ddof=1) / 2))
    True
    """
    n = float(np.sum(context_counts))
    observed = np.asarray(observation_variance) / n
    both = cluster_variance(context_sums, context_counts) + cluster_variance(type_sums, type_counts) - observed
    return np.sqrt(np.maximum(both, observed))
