"""Resampling of the panel's folds, within its halves: the one place where contexts are drawn anew."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.panel.folds import HALF_A, HALF_B, N_FOLDS, FoldSums, half_of_fold


def influence_of_half(folds: FoldSums, half: int) -> NDArray[np.float64]:
    """Influence [neuron] from the folds of one half: the ratio of summed change of loss to summed targets."""
    mine = folds.half == half
    return folds.sums[mine].sum(axis=0) / folds.counts[mine].sum()


def resample_folds(half: ArrayLike, *, n_resamples: int, seed: int) -> NDArray[np.float64]:
    """Bootstrap weights [resample fold]: how often each fold is drawn, with replacement *within* its half.

    Parameters
    ----------
    half : array [fold]
        0 for half A, 1 for half B.
    n_resamples, seed : int
        The same folds and seed give the same draw, so that quantities resampled apart are resampled jointly.
    """
    half, rng = np.asarray(half), np.random.default_rng(seed)
    weights = np.zeros((n_resamples, len(half)))
    for code in (HALF_A, HALF_B):
        folds = np.flatnonzero(half == code)
        weights[:, folds] = rng.multinomial(len(folds), np.full(len(folds), 1 / len(folds)), size=n_resamples)
    return weights


def resample_panel(fold: ArrayLike, *, n_resamples: int, seed: int) -> NDArray[np.float64]:
    """Bootstrap weights [resample row] of rows that name their fold, from one draw of all the panel's folds.

    Rows of different strata and steps share the draw, also where one of them has no target in some fold.

    Parameters
    ----------
    fold : array of int [row]
        0..63.
    n_resamples, seed : int
    """
    every = half_of_fold(np.arange(N_FOLDS))
    return resample_folds(every, n_resamples=n_resamples, seed=seed)[:, np.asarray(fold)]


def resampled_counts(weights: NDArray, counts: ArrayLike) -> NDArray[np.float64]:
    """Targets in each resample of folds; raises ValueError where a resample holds none."""
    drawn = weights @ np.asarray(counts, dtype=float)
    empty = np.count_nonzero(drawn == 0)
    if empty:
        used = np.count_nonzero(counts)
        raise ValueError(f"{empty} of {len(drawn)} resamples hold no target: {used} folds have any; use a larger panel")
    return drawn


def resampled_influence(weights: NDArray, sums: ArrayLike, counts: ArrayLike) -> NDArray[np.float64]:
    """Influence [resample neuron]: the ratio of resampled sums [fold neuron] and counts [fold]; errors as above."""
    return (weights @ np.asarray(sums, dtype=float)) / resampled_counts(weights, counts)[:, None]


def resampled_mean(weights: NDArray, means: ArrayLike, counts: ArrayLike) -> NDArray[np.float64]:
    """Mean over targets [resample] from the folds' means and counts [fold]; NaN where a resample holds no target."""
    counts = np.asarray(counts, dtype=float)
    drawn = weights @ counts
    total = weights @ (np.asarray(means, dtype=float) * counts)
    return np.divide(total, drawn, out=np.full(len(drawn), np.nan), where=drawn > 0)
