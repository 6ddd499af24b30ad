"""Random sets of neurons that look like a given set in everything but the question asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_BINS = 10
"""Covariates are compared by decile."""


def deciles(covariates: ArrayLike) -> NDArray[np.int64]:
    """Decile (0 to 9) of each neuron in each covariate, by rank, ties in order of index.

    Parameters
    ----------
    covariates : array_like, shape (neuron, covariate)
    """
    values = np.asarray(covariates, dtype=np.float64)
    ranks = np.argsort(np.argsort(values, axis=0, kind="stable"), axis=0)
    return ranks * N_BINS // values.shape[0]


def matched_sets(
    chosen: ArrayLike, covariates: ArrayLike, rng: np.random.Generator, *, n_sets: int, min_candidates: int = 10
) -> tuple[NDArray[np.int64], int]:
    """Draw random sets of the size of ``chosen``, each member replaced by a neuron like it.

    A candidate for a member lies at most ``gap`` deciles from it in every covariate, where ``gap`` is the smallest that
    leaves ``min_candidates`` of them (the member itself included: under the null hypothesis the set is one of its own
    random sets). Draws are without replacement within a set. Should some set run out of candidates, all are drawn
    anew with twice as many.

    Parameters
    ----------
    chosen : array_like of int, shape (g,)
        Distinct neurons, at most half of all: a random set must be able to differ.
    covariates : array_like, shape (neuron, covariate)
        What is to be matched, finite.
    rng : numpy.random.Generator
    n_sets, min_candidates : int
        How many sets, and the smallest number of candidates per member.

    Returns
    -------
    sets : ndarray of int, shape (n_sets, g)
    gap : int
        The largest difference in deciles that any member needed.

    Raises
    ------
    ValueError
        If the set has repeated or unknown neurons or more than half of all, or a covariate is not finite.
    """
    members, values = np.asarray(chosen, dtype=np.int64), np.asarray(covariates, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"covariates of shape {values.shape} must be finite with axes (neuron, covariate)")
    n_neurons = values.shape[0]
    if members.ndim != 1 or members.size == 0 or np.unique(members).size != members.size:
        raise ValueError(f"set of shape {members.shape} must be a non-empty list of distinct neurons")
    if members.min() < 0 or members.max() >= n_neurons:
        raise ValueError(f"set holds neuron {members.max()} of {n_neurons}")
    if members.size > n_neurons // 2:
        raise ValueError(f"set of {members.size} of {n_neurons} neurons, but matching needs at most half of them")
    bins = deciles(values)
    distance = np.abs(bins[members, None, :] - bins[None, :, :]).max(axis=2)
    while True:
        least = min(min_candidates, n_neurons)
        gaps = np.sort(distance, axis=1)[:, least - 1]
        drawn = _draw(
            [np.flatnonzero(row <= gap) for row, gap in zip(distance, gaps, strict=True)], n_neurons, n_sets, rng
        )
        if drawn is not None:
            return drawn, int(gaps.max())
        min_candidates = 2 * least


def _draw(
    candidates: list[NDArray[np.int64]], n_neurons: int, n_sets: int, rng: np.random.Generator
) -> NDArray[np.int64] | None:
    """All sets at once, member by member; ``None`` if a set runs out of unused candidates."""
    used = np.zeros((n_sets, n_neurons), dtype=bool)
    drawn = np.empty((n_sets, len(candidates)), dtype=np.int64)
    every = np.arange(n_sets)
    for member in rng.permutation(len(candidates)):
        allowed = candidates[member]
        keys = rng.random((n_sets, allowed.size))
        keys[used[:, allowed]] = -1.0
        choice = keys.argmax(axis=1)
        if (keys[every, choice] < 0).any():
            return None
        drawn[:, member] = allowed[choice]
        used[every, drawn[:, member]] = True
    return drawn
