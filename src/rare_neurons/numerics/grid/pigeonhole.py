"""Pigeonhole bootstrap: document folds and type bins drawn anew, each with replacement (Owen 2007)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cell_sums import CellSums
from .folds import N_FOLDS

Array = NDArray[np.float64]
_MOST_EMPTY = 0.05
"""Share of resamples without a target that an interval may be without."""


def pigeonhole_weights(*, n_resamples: int, seed: int, n_folds: int = N_FOLDS, n_blocks: int = 1) -> Array:
    """How often each cell is drawn: the multiplicity of its row times that of its column.

    Parameters
    ----------
    n_resamples, seed : int
        The same seed gives the same draw, so that strata and checkpoints that are resampled apart are resampled
        jointly.
    n_folds : int
    n_blocks : int
        Rows, and columns, are drawn within so many equal blocks of neighbours: 2 keeps every quadrant filled.

    Returns
    -------
    ndarray, shape (resample, fold, bin)

    Raises
    ------
    ValueError
        If the folds cannot be divided into so many blocks.

    Notes
    -----
    The variance of a mean is right in what rows and columns add, up to (k − 1)/k for k folds of a block, and up to
    three times too large in what cells alone add (Owen 2007, theorem 2): intervals are wide, never narrow, where
    single targets make the noise.
    """
    if n_folds % n_blocks:
        raise ValueError(f"{n_folds} folds cannot be divided into {n_blocks} equal blocks")
    rng, size = np.random.default_rng(seed), n_folds // n_blocks
    sides = [
        np.concatenate(
            [rng.multinomial(size, np.full(size, 1 / size), size=n_resamples) for _ in range(n_blocks)], axis=1
        )
        for _ in ("rows", "columns")
    ]
    return (sides[0][:, :, None] * sides[1][:, None, :]).astype(np.float64)


def resampled_influence(weights: Array, cells: CellSums) -> Array:
    """Influence of every neuron in each resample: the ratio of resampled sums and counts.

    Parameters
    ----------
    weights : ndarray, shape (resample, fold, bin)
    cells : CellSums

    Returns
    -------
    ndarray, shape (resample, neuron)

    Raises
    ------
    ValueError
        Where more than one in twenty resamples hold no target.

    Notes
    -----
    In place of a resample without a target stands the next that has one: the draw is that of resamples with targets.
    """
    drawn = np.tensordot(weights, cells.counts, axes=2)
    filled = np.flatnonzero(drawn > 0)
    empty = len(drawn) - len(filled)
    if empty > _MOST_EMPTY * len(drawn):
        used = np.count_nonzero(cells.counts)
        raise ValueError(f"{empty} of {len(drawn)} resamples hold no target: {used} cells have any; use a larger panel")
    chosen = filled[np.searchsorted(filled, np.arange(len(drawn))) % len(filled)]
    return np.tensordot(weights[chosen], cells.sums, axes=2) / drawn[chosen, None]
