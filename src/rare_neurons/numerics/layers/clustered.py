"""Means of values at hand for every target, with their two-way standard errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.panel.standard_error import cluster_variance, two_way_standard_error

Array = NDArray[np.float64]


def clustered_mean(values: Array, *, document: NDArray, target_type: NDArray) -> tuple[Array, Array]:
    """Return means over targets and their standard errors, two-way by document and target type.

    Parameters
    ----------
    values : ndarray, shape (target, ...)
    document, target_type : ndarray of int, shape (target,)

    Returns
    -------
    mean, standard_error : ndarray, shape (...)
        The error is NaN with fewer than two documents or types.

    Examples
    --------
    Independent observations, each its own document and type, give the textbook value:

    >>> x = np.array([1.0, 2.0, 3.0, 6.0])
    >>> mean, error = clustered_mean(x, document=np.arange(4), target_type=np.arange(4))
    >>> float(mean), bool(np.isclose(error, x.std(ddof=1) / 2))
    (3.0, True)
    """
    pair = np.unique(np.stack([document, target_type]), axis=1, return_inverse=True)[1]
    labels = {"document": document, "type": target_type, "pair": pair.reshape(-1)}
    variance = {f"{name}_variance": _variance(values, label) for name, label in labels.items()}
    return values.mean(0), two_way_standard_error(**variance)


def _variance(values: Array, labels: NDArray) -> Array:
    """Variance of the mean with one cluster for each label."""
    found, place = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(found), *values.shape[1:]))
    np.add.at(sums, place, values)
    return cluster_variance(sums, np.bincount(place))
