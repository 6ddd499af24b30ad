"""Resampling of the panel's folds, within its halves: the one place where contexts are drawn anew."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def influence_of_half(fold_sum: NDArray, fold_n: NDArray, half_of_fold: NDArray, half: int) -> NDArray:
    """Influence [neuron] from the folds of one half: the ratio of summed change of loss to summed targets."""
    folds = half_of_fold == half
    return fold_sum[folds].sum(axis=0) / fold_n[folds].sum()


def resample_folds(half_of_fold: NDArray, n_resamples: int, seed: int) -> NDArray[np.float64]:
    """Bootstrap weights [resample fold]: how often each fold is drawn, with replacement *within* its half."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((n_resamples, len(half_of_fold)))
    for half in (0, 1):
        folds = np.flatnonzero(half_of_fold == half)
        weights[:, folds] = rng.multinomial(len(folds), np.full(len(folds), 1 / len(folds)), size=n_resamples)
    return weights


def resampled_counts(weights: NDArray, fold_n: ArrayLike) -> NDArray[np.float64]:
    """Targets in each resample of folds; raises ValueError where a resample holds none."""
    counts = weights @ np.asarray(fold_n, dtype=float)
    empty = np.count_nonzero(counts == 0)
    if empty:
        used = np.count_nonzero(fold_n)
        raise ValueError(
            f"{empty} of {len(counts)} resamples hold no target: {used} folds have any; use a larger panel"
        )
    return counts


def resampled_influence(weights: NDArray, fold_sum: ArrayLike, fold_n: ArrayLike) -> NDArray[np.float64]:
    """Influence [resample neuron]: the ratio of resampled sums [fold neuron] and counts [fold]; errors as above."""
    return (weights @ np.asarray(fold_sum, dtype=float)) / resampled_counts(weights, fold_n)[:, None]
