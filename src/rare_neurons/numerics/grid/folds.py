"""Balanced folds: whole documents to rows of the grid, whole token types to its columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_FOLDS = 12
"""Rows and columns of the grid: 144 cells keep coverage at 0.87 or more (docs/methods/evidence.md)."""


def balance_folds(counts: ArrayLike, *, n_folds: int = N_FOLDS) -> NDArray[np.int64]:
    """Fold of every label (a document or a token type) so that folds hold about equal numbers of targets.

    Labels go, largest first, where the squares of the loads grow least; with one stratum that is the emptiest fold
    (Graham 1969, longest processing time first). With several strata each stratum's loads are shares of its own
    targets, so that a small stratum is balanced as well as a large one. Deterministic: ties go to the earlier label
    and to the lower fold.

    Parameters
    ----------
    counts : array_like, shape (label,) or (label, stratum)
        Number of targets of each label, in each stratum; non-negative.
    n_folds : int
        At least 4: fewer leave no quadruple of disjoint cells.

    Returns
    -------
    ndarray of int, shape (label,)
        In ``[0, n_folds)``.

    Raises
    ------
    ValueError
        If a count is negative or not finite, a stratum is empty, or there are fewer labels with targets than folds.

    Notes
    -----
    Cost O(label · n_folds · stratum).

    Examples
    --------
    >>> balance_folds([9, 4, 3, 2, 2, 1], n_folds=4).tolist()
    [0, 1, 2, 3, 3, 2]
    """
    loads = _shares(counts, n_folds)
    size = loads.sum(axis=1)
    mixture = loads / np.where(size > 0, size, 1.0)[:, None]  # a label's own weighting of the strata
    total = np.zeros((n_folds, loads.shape[1]))
    fold = np.zeros(len(loads), dtype=np.int64)
    # A rounding difference between equal sizes or loads must not decide: the choice would differ between platforms and
    # with the order of the strata.
    for label in np.argsort(-np.round(size, 12), kind="stable"):
        fold[label] = np.argmin(np.round(total @ mixture[label], 12))
        total[fold[label]] += loads[label]
    return fold


def _shares(counts: ArrayLike, n_folds: int) -> NDArray[np.float64]:
    """Share of each stratum's targets that each label has, checked."""
    table = np.asarray(counts, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if n_folds < 4:
        raise ValueError(f"n_folds={n_folds}, but disjoint quadruples of cells need at least 4")
    if table.ndim != 2 or not np.all(np.isfinite(table)) or np.any(table < 0):
        raise ValueError(f"counts of shape {table.shape} must be [label] or [label, stratum], finite and not negative")
    present = int(np.count_nonzero(table.sum(axis=1)))
    if present < n_folds:
        raise ValueError(f"{present} labels with targets, but {n_folds} folds need at least {n_folds}; use more text")
    totals = table.sum(axis=0)
    if np.any(totals == 0):
        raise ValueError(f"stratum {int(np.argmin(totals))} has no targets, so its folds cannot be balanced")
    return table / totals
