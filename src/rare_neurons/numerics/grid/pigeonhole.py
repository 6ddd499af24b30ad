"""Pigeonhole bootstrap: document folds and type bins drawn anew, each with replacement (Owen 2007)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cell_sums import CellSums
from .folds import N_FOLDS

Array = NDArray[np.float64]


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
        Where a resample holds no target.
    """
    drawn = np.tensordot(weights, cells.counts, axes=2)
    empty = np.count_nonzero(drawn == 0)
    if empty:
        used = np.count_nonzero(cells.counts)
        raise ValueError(f"{empty} of {len(drawn)} resamples hold no target: {used} cells have any; use a larger panel")
    return np.tensordot(weights, cells.sums, axes=2) / drawn[:, None]
