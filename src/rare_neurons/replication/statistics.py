"""Arithmetic of the replication's tables and figures: arrays in, numbers out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.ranks import average_ranks

BAND = (0.05, 0.5, 0.95)
"""Quantiles that noise is reported at."""
HALF_NORMAL_GINI = 2**0.5 - 1
"""Gini index of |x| for normal x, whatever its scale."""
_TOP_SHARE = 0.05


@dataclass(frozen=True)
class Agreement:
    """How far two measurements of the same neurons agree, each made on two opposite quadrants of its grid.

    Attributes
    ----------
    reliability : tuple of float
        Rank correlation of the quadrants of each measurement.
    crossed : float
        Mean rank correlation of one quadrant of the one with the opposite one of the other.
    without_noise : float
        `crossed` over the geometric mean of the reliabilities; NaN unless both are positive.
    n_top, n_shared : int
        Size of the top 5 % of each by absolute value, and how many neurons are in both.
    n_by_chance : float
        How many two random sets of that size share on average.
    """

    reliability: tuple[float, float]
    crossed: float
    without_noise: float
    n_top: int
    n_shared: int
    n_by_chance: float


def measure_agreement(one: ArrayLike, other: ArrayLike) -> Agreement:
    """Compare two measurements of the same neurons.

    Parameters
    ----------
    one, other : array [3, neuron]
        On the whole panel, on quadrant A and on quadrant B, neurons in the same order.

    Notes
    -----
    Quadrant A of the one is set against quadrant B of the other. Each panel lays its own grid: where two panels hold
    the same documents these may still share some, which can only raise the agreement. The correction for the noise of
    each is Spearman's (1904, "The proof and measurement of association between two things"): a correlation over the
    geometric mean of the reliabilities.

    Examples
    --------
    >>> values = np.array([[4.0, -3.0, 2.0, 1.0]] * 3)
    >>> measure_agreement(values, values).without_noise
    1.0
    """
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    reliability = rank_correlation(one[1], one[2]), rank_correlation(other[1], other[2])
    crossed = float(np.mean([rank_correlation(one[1], other[2]), rank_correlation(one[2], other[1])]))
    n = one.shape[1]
    size = max(1, round(_TOP_SHARE * n))
    shared = np.intersect1d(*(np.argsort(-np.abs(x[0]), kind="stable")[:size] for x in (one, other)))
    free = disattenuated(crossed, reliability=reliability)
    return Agreement(reliability, crossed, free, size, len(shared), size**2 / n)


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float:
    """Spearman's correlation; NaN where one of them is constant."""
    ranks = np.array([average_ranks(one), average_ranks(other)])
    return float(np.corrcoef(ranks)[0, 1]) if (np.ptp(ranks, axis=1) > 0).all() else float("nan")


def disattenuated(correlation: float, *, reliability: tuple[float, float]) -> float:
    """Return a correlation without the noise of its two sides; NaN unless both reliabilities are positive."""
    one, other = reliability
    return float(correlation / np.sqrt(one * other)) if one > 0 and other > 0 else float("nan")


def quantile_band(values: ArrayLike) -> tuple[float, float, float]:
    """Return the 5, 50 and 95 % quantile of the values that are there."""
    x = np.asarray(values, dtype=float)
    low, middle, high = np.quantile(x[~np.isnan(x)], BAND)
    return float(low), float(middle), float(high)


def shares(*, plateau_end: float, decay_start: float, n: int) -> tuple[float, float, float]:
    """Return the shares of `n` neurons in plateau, power law and decay.

    Parameters
    ----------
    plateau_end, decay_start : float
        Last rank of the plateau and first of the decay, from 1; ranks beyond `n` are cut off.
    n : int

    Examples
    --------
    >>> shares(plateau_end=10, decay_start=51, n=100)
    (0.1, 0.4, 0.5)
    """
    end, start = min(plateau_end, n), min(decay_start, n + 1)
    return end / n, (start - 1 - end) / n, (n + 1 - start) / n


def ranked_over_median(values: ArrayLike) -> NDArray[np.float64]:
    """Return absolute values in falling order, over their median."""
    ranked = np.sort(np.abs(np.asarray(values, dtype=float)))[::-1]
    return ranked / np.median(ranked)


def rms_difference(one: ArrayLike, other: ArrayLike) -> float:
    """Root mean square difference of two series, pairs with a missing value left out."""
    return float(np.sqrt(np.nanmean((np.asarray(one, dtype=float) - np.asarray(other, dtype=float)) ** 2)))


def rms_step(values: ArrayLike, run: ArrayLike) -> float:
    """Root mean square difference of neighbouring values of the same run, in the order of the array."""
    x, run = np.asarray(values, dtype=float), np.asarray(run)
    return float(np.sqrt(np.nanmean(np.where(run[1:] == run[:-1], np.diff(x), np.nan) ** 2)))


def alternating(one: ArrayLike, other: ArrayLike, run: ArrayLike) -> NDArray[np.float64]:
    """Take values of the one and of the other in turn, beginning each run with the one.

    Examples
    --------
    >>> alternating([1, 2, 3, 4, 5], [-1, -2, -3, -4, -5], ["a", "a", "a", "b", "b"]).tolist()
    [1.0, -2.0, 3.0, 4.0, -5.0]
    """
    run = np.asarray(run)
    place = np.arange(len(run))
    begins = np.r_[True, run[1:] != run[:-1]] if len(run) else np.zeros(0, dtype=bool)
    since = place - np.maximum.accumulate(np.where(begins, place, 0))
    return np.where(since % 2 == 1, np.asarray(other, dtype=float), np.asarray(one, dtype=float))


def n_beyond_error(values: ArrayLike, error: ArrayLike, times: float) -> int:
    """Return how many values are further from zero than so many standard errors."""
    return int(np.count_nonzero(np.abs(np.asarray(values)) > times * np.asarray(error)))


def shares_by_class(inner: ArrayLike, *, n_classes: int) -> NDArray[np.float64]:
    """Return the share of each class 0 .. `n_classes` - 1, and of no class (-1) at the end."""
    inner = np.asarray(inner)
    return np.array([np.mean(inner == k) for k in range(n_classes)] + [np.mean(inner < 0)])
