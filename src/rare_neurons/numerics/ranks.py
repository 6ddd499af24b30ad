"""Ranks of values, without scipy.stats: its import takes longer than the whole work of many a job."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def average_ranks(values: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """Rank values along an axis from 1; equal values share the mean of their ranks.

    Parameters
    ----------
    values : array_like
        Where one along the axis is NaN, so are all of its ranks.
    axis : int

    Returns
    -------
    ndarray of float, of the same shape

    Examples
    --------
    >>> average_ranks([30.0, 10.0, 30.0, 20.0]).tolist()
    [3.5, 1.0, 3.5, 2.0]
    """
    return np.apply_along_axis(_ranks, axis, np.asarray(values))


def _ranks(values: NDArray) -> NDArray[np.float64]:
    if np.isnan(values).any():
        return np.full(values.shape, np.nan)
    ordered = np.sort(values)
    below, to = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return (below + 1 + to) / 2
