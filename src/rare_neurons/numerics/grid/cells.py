"""Sums and counts of targets per cell (document fold, type bin) of the grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def count_cells(rows: ArrayLike, columns: ArrayLike, *, n_folds: int) -> NDArray[np.float64]:
    """Count targets per cell.

    Parameters
    ----------
    rows, columns : array_like of int, shape (target,)
        Document fold and type bin of each target, in ``[0, n_folds)``.
    n_folds : int

    Returns
    -------
    ndarray, shape (n_folds, n_folds)
        Rows are document folds, columns type bins; empty cells are zero.

    Raises
    ------
    ValueError
        If a fold or bin is out of range, or the two differ in length.

    Examples
    --------
    >>> count_cells([0, 0, 1], [1, 1, 0], n_folds=2).tolist()
    [[0.0, 2.0], [1.0, 0.0]]
    """
    cell = _cell(rows, columns, n_folds)
    return np.bincount(cell, minlength=n_folds**2).reshape(n_folds, n_folds).astype(np.float64)


def sum_cells(values: ArrayLike, rows: ArrayLike, columns: ArrayLike, *, n_folds: int) -> NDArray[np.float64]:
    """Sum values per cell.

    Parameters
    ----------
    values : array_like, shape (target, ...)
        One row per target, for instance one column per neuron; summed in float64.
    rows, columns : array_like of int, shape (target,)
    n_folds : int

    Returns
    -------
    ndarray, shape (..., n_folds, n_folds)

    Raises
    ------
    ValueError
        As `count_cells`, or if a value is not finite.

    Examples
    --------
    >>> sum_cells([1.0, 2.0, 5.0], [0, 0, 1], [1, 1, 0], n_folds=2).tolist()
    [[0.0, 3.0], [5.0, 0.0]]
    """
    cell = _cell(rows, columns, n_folds)
    table = np.asarray(values)
    if len(table) != len(cell):
        raise ValueError(f"{len(table)} rows of values for {len(cell)} targets")
    order = np.argsort(cell, kind="stable")
    present, start = np.unique(cell[order], return_index=True)
    sums = np.zeros((n_folds**2, *table.shape[1:]))
    if len(order):
        sums[present] = np.add.reduceat(table[order], start, axis=0, dtype=np.float64)
    if not np.all(np.isfinite(sums)):
        raise ValueError(f"{int(np.count_nonzero(~np.isfinite(table)))} values are not finite; a cell sum needs all")
    return np.moveaxis(sums, 0, -1).reshape(*table.shape[1:], n_folds, n_folds)


def _cell(rows: ArrayLike, columns: ArrayLike, n_folds: int) -> NDArray[np.int64]:
    row, column = np.asarray(rows), np.asarray(columns)
    if row.shape != column.shape or row.ndim != 1:
        raise ValueError(f"rows have shape {row.shape}, columns {column.shape}, but both hold one number per target")
    for name, labels in (("document fold", row), ("type bin", column)):
        if labels.size and (labels.min() < 0 or labels.max() >= n_folds):
            raise ValueError(f"{name} {labels.min()} to {labels.max()} outside [0, {n_folds})")
    return (row * n_folds + column).astype(np.int64)
