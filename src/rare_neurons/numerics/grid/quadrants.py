"""Parts of the grid that share neither documents nor token types: halves and thirds for cross-fitting."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .moments import check_cells


def opposite_quadrants(n_folds: int) -> NDArray[np.bool_]:
    """Halves of the grid for choosing on one and evaluating on the other.

    Opposite quadrants share neither rows nor columns. Both diagonals and both orders: average a cross-fitted statistic
    over the four splits, so that nothing depends on which part comes first.

    Parameters
    ----------
    n_folds : int
        Even.

    Returns
    -------
    ndarray of bool, shape (4, 2, n_folds, n_folds)
        Split, half, row, column.

    Raises
    ------
    ValueError
        If ``n_folds`` is odd or below 2.

    Examples
    --------
    >>> opposite_quadrants(2)[0].astype(int).tolist()
    [[[1, 0], [0, 0]], [[0, 0], [0, 1]]]
    """
    blocks = _blocks(n_folds, 2)
    pairs = [((0, 0), (1, 1)), ((1, 1), (0, 0)), ((0, 1), (1, 0)), ((1, 0), (0, 1))]
    return np.array([[blocks[row, column] for row, column in pair] for pair in pairs])


def disjoint_thirds(n_folds: int) -> NDArray[np.bool_]:
    """Three parts of the grid that share no side: for choosing, weighting and evaluating on different targets.

    Diagonal blocks of a third of the rows by a third of the columns, for each of the three shifts of the columns and
    in each cyclic order of the parts, so that every block plays every role.

    Parameters
    ----------
    n_folds : int
        Divisible by 3.

    Returns
    -------
    ndarray of bool, shape (9, 3, n_folds, n_folds)
        Split, part, row, column.

    Raises
    ------
    ValueError
        If ``n_folds`` is not divisible by 3.
    """
    blocks = _blocks(n_folds, 3)
    turns = [(shift, first) for shift in range(3) for first in range(3)]
    return np.array([[blocks[(first + k) % 3, (first + k + shift) % 3] for k in range(3)] for shift, first in turns])


def part_means(sums: ArrayLike, counts: ArrayLike, parts: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean per target within parts of the grid.

    Parameters
    ----------
    sums : array_like, shape (..., fold, fold)
    counts : array_like, shape (fold, fold)
    parts : ndarray of bool, shape (..., fold, fold)
        For instance one split of `opposite_quadrants`.

    Returns
    -------
    ndarray, shape (leading axes of parts, leading axes of sums)

    Raises
    ------
    ValueError
        If a part holds no target, or the shapes disagree.
    """
    cell_sums, cell_counts = check_cells(sums, counts)
    weights = np.asarray(parts, dtype=np.float64)
    n = np.tensordot(weights, cell_counts, axes=2)
    if np.any(n == 0):
        raise ValueError(
            f"{int(np.count_nonzero(n == 0))} of {n.size} parts hold no target; use fewer folds or more text"
        )
    totals = np.tensordot(weights, np.moveaxis(cell_sums, (-2, -1), (0, 1)), axes=2)
    return totals / n.reshape(n.shape + (1,) * (totals.ndim - n.ndim))


def _blocks(n_folds: int, k: int) -> NDArray[np.bool_]:
    """Masks [block row, block column, row, column] of a k x k division of the grid."""
    if n_folds < k or n_folds % k:
        raise ValueError(f"n_folds={n_folds} cannot be divided into {k} equal parts")
    block = np.arange(n_folds) * k // n_folds
    side = block == np.arange(k)[:, None]
    return side[:, None, :, None] & side[None, :, None, :]
