"""Indices of inequality in resampled contexts."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.influence.inequality import inequality
from rare_neurons.numerics.panel.resampling import resampled_influence


def indices_of(drawn: ArrayLike, index: str) -> NDArray[np.float64]:
    """One index of `Inequality` [draw] of each influence vector [draw neuron]; NaN where it is not defined.

    No noise is corrected: a drawn vector has no standard errors of its own.
    """
    values = [getattr(inequality(x, np.zeros_like(x)), index) for x in np.asarray(drawn, dtype=float)]
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def resampled_index(weights: NDArray, sums: ArrayLike, counts: ArrayLike, *, index: str) -> NDArray[np.float64]:
    """One index of `Inequality` [resample] of the influence in resampled contexts.

    Parameters
    ----------
    weights : array [resample fold]
        From `resample_folds` or `resample_panel`.
    sums : array [fold neuron]
    counts : array [fold]
    index : str
        Field of `Inequality`.

    Raises
    ------
    ValueError
        Where a resample holds no target.
    """
    return indices_of(resampled_influence(weights, sums, counts), index)
