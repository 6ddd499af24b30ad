"""Other ways to draw the random sets of a chosen set, which were tried beside propensities and not taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from rare_neurons.numerics.organisation.edge import edge_sets
from rare_neurons.numerics.organisation.matching import draw_matched_sets, propensity

Sets = NDArray[np.int64]


def deciles(chosen: Sets, covariates: NDArray[np.float64], rng: np.random.Generator, n_sets: int) -> Sets:
    """Replace each member by one of the ten or more neurons that are fewest deciles away in all covariates."""
    ranks = np.argsort(np.argsort(covariates, axis=0, kind="stable"), axis=0)
    bins = ranks * 10 // len(covariates)
    distance = np.abs(bins[chosen, None] - bins[None]).max(axis=2)
    reach = np.sort(distance, axis=1)[:, 9]
    return _one_of_each([np.flatnonzero(row <= gap) for row, gap in zip(distance, reach, strict=True)], rng, n_sets)


def neighbours(chosen: Sets, covariates: NDArray[np.float64], rng: np.random.Generator, n_sets: int) -> Sets:
    """Replace each member by one of the ten neurons nearest in the largest difference of ranks."""
    ranks = rankdata(covariates, axis=0)
    distance = np.abs(ranks[chosen, None] - ranks[None]).max(axis=2)
    return _one_of_each(list(np.argsort(distance, axis=1, kind="stable")[:, :10]), rng, n_sets)


def swaps(chosen: Sets, covariates: NDArray[np.float64], rng: np.random.Generator, n_sets: int) -> Sets:
    """Permute membership within strata of twelve neurons of like propensity."""
    order = np.argsort(-propensity(covariates, chosen), kind="stable")
    parts = []
    for start in range(0, len(order), 12):
        stratum = order[start : start + 12]
        members = np.isin(stratum, chosen).sum()
        parts.append(rng.permuted(np.tile(stratum, (n_sets, 1)), axis=1)[:, :members])
    return np.concatenate(parts, axis=1)


def propensities(chosen: Sets, covariates: NDArray[np.float64], rng: np.random.Generator, n_sets: int) -> Sets:
    """Draw by propensity, without the adjustment that `MatchedSets.adjusted` makes."""
    return draw_matched_sets(chosen, covariates, rng, n_sets=n_sets).sets


def edges(chosen: Sets, covariates: NDArray[np.float64], rng: np.random.Generator, n_sets: int) -> Sets:
    """Let members and others at the set's edge change places: taken where covariates alone choose the set."""
    return edge_sets(chosen, covariates, rng, n_sets=n_sets)


def without_common_directions(rows: NDArray[np.float64], chosen: Sets, k: int = 3) -> NDArray[np.float64]:
    """Project the first principal directions of all unchosen rows out of unit rows."""
    directions = np.linalg.svd(np.delete(rows, chosen, axis=0), full_matrices=False)[2][:k]
    left = rows - rows @ directions.T @ directions
    return left / np.linalg.norm(left, axis=1, keepdims=True)


def _one_of_each(candidates: Sequence[Sets], rng: np.random.Generator, n_sets: int) -> Sets:
    """One candidate of each member, without repeats within a set; a member that finds none left stays itself."""
    size = 1 + max(int(row.max()) for row in candidates)
    drawn = np.empty((n_sets, len(candidates)), dtype=np.int64)
    for one in drawn:
        used = np.zeros(size, dtype=bool)
        for member in rng.permutation(len(candidates)):
            free = candidates[member][~used[candidates[member]]]
            one[member] = rng.choice(free if free.size else candidates[member])
            used[one[member]] = True
    return drawn
