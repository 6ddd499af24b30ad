"""Noise-free mean fourth power over neurons, from all quadruples of cells of which no two share a row or a column."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .leave_outs import LeaveOuts, combine
from .moments import check_cells, ratio

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ORDER = 4
BLOCK = 512
"""Neurons whose products are summed at once."""

IN_CACHE = 64
"""Neurons at once before that: 13 tables of 794 partial sums each are 5 MB, of which two are in use at a time."""


def mean_fourth_leave_outs(sums: ArrayLike, counts: ArrayLike) -> LeaveOuts:
    """Mean fourth power over neurons without the powers of their noise.

    The sum of ``S S' S'' S'''`` over all quadruples of mutually disjoint cells, averaged over neurons, over the same
    of the counts; unbiased for the mean of θ⁴ in the sense of `moments.mean_square_leave_outs`.

    Parameters
    ----------
    sums : array_like, shape (neuron, fold, fold)
    counts : array_like, shape (fold, fold)

    Returns
    -------
    LeaveOuts
        Scalar, in fourth powers of the values' units. Can be negative.

    Raises
    ------
    ValueError
        If the grid has fewer than 5 folds or as `moments.mean_square_leave_outs`.

    Notes
    -----
    Inclusion and exclusion would take 33 alternating terms; summing over rows with the set of columns used so far
    (`1 + 12 + 66 + 220 + 495` sets) gives the same number without cancellation, and its derivatives give every
    leave-out, because a quadruple has at most one cell in any row, column or cell. About 0.2 s for 384 neurons.

    Examples
    --------
    >>> counts = np.ones((5, 5))
    >>> round(float(mean_fourth_leave_outs(np.stack([counts, 3 * counts]), counts).value), 9)
    41.0
    """
    cell_sums, cell_counts = check_cells(sums, counts)
    if len(cell_counts) <= ORDER:
        raise ValueError(f"{len(cell_counts)} folds, but leaving one out must leave quadruples: at least {ORDER + 1}")
    unit = float(np.abs(cell_sums).sum((-2, -1)).max()) or 1.0  # fourth powers of 1e-80 underflow
    products = np.zeros(cell_counts.shape)
    for start in range(0, len(cell_sums), BLOCK):
        products += disjoint_quadruples(cell_sums[start : start + BLOCK] / unit).sum(axis=0)
    n = cell_counts.sum()
    denominator = disjoint_quadruples(cell_counts[None] / n)[0]
    found = ratio(_leave_out(products / len(cell_sums)), _leave_out(denominator))
    return combine(lambda x: x * (unit / n) ** ORDER, found)


def disjoint_quadruples(sums: ArrayLike) -> Array:
    """Sum of the products of the disjoint quadruples that each cell belongs to.

    Parameters
    ----------
    sums : array_like, shape (neuron, fold, fold)

    Returns
    -------
    ndarray, shape (neuron, fold, fold)
        Each quadruple counts once in each of its four cells.
    """
    values = np.asarray(sums, dtype=np.float64)
    found = np.empty_like(values)
    for start in range(0, len(values), IN_CACHE):
        some = slice(start, start + IN_CACHE)
        found[some] = _quadruples(values[some])
    return found


def _quadruples(sums: Array) -> Array:
    """`disjoint_quadruples` of neurons whose tables a processor's cache holds."""
    s = np.ascontiguousarray(np.moveaxis(sums, 0, -1))
    n_folds, n_neurons, (moves, complete, n_sets) = len(s), s.shape[-1], _moves(len(s))
    one, two = np.empty((2, len(moves[0][0]), n_neurons))
    prefix = np.zeros((n_folds + 1, n_sets, n_neurons))  # sum over the rows so far, by the set of columns used
    prefix[0, 0] = 1.0
    for a in range(n_folds):
        prefix[a + 1] = prefix[a]
        for b, (small, large) in enumerate(moves):
            _add(prefix[a + 1], large, _rows(prefix[a], small, one), s[a, b], two)
    suffix = np.zeros((n_sets, n_neurons))  # derivative of the total by prefix[a + 1]
    suffix[complete] = 1.0
    before, slope = np.empty_like(suffix), np.empty_like(s)
    for a in reversed(range(n_folds)):
        before[:] = suffix
        for b, (small, large) in enumerate(moves):
            slope[a, b] = np.einsum("sn,sn->n", _rows(suffix, large, one), _rows(prefix[a], small, two))
            _add(before, small, one, s[a, b], two)
        suffix, before = before, suffix
    return np.moveaxis(s * slope, -1, 0)


def _rows(table: Array, index: Index, out: Array) -> Array:
    """Copy some rows of a table into a buffer: fresh arrays of this size are paged in each time."""
    return np.take(table, index, axis=0, out=out, mode="clip")


def _add(table: Array, index: Index, rows: Array, factor: Array, buffer: Array) -> None:
    """Add rows times a factor of each neuron to rows of a table, by the way overwriting `rows` and `buffer`."""
    rows *= factor
    table[index] = np.add(_rows(table, index, buffer), rows, out=buffer)


@cache
def _moves(n_folds: int) -> tuple[list[tuple[Index, Index]], Index, int]:
    """For each column the sets of at most 3 others and the same sets with it; the sets of 4; the number of sets."""
    sets = [chosen for size in range(ORDER + 1) for chosen in combinations(range(n_folds), size)]
    place = {chosen: k for k, chosen in enumerate(sets)}
    moves = []
    for column in range(n_folds):
        small = [chosen for chosen in sets if len(chosen) < ORDER and column not in chosen]
        large = [place[tuple(sorted((*chosen, column)))] for chosen in small]
        moves.append((np.array([place[chosen] for chosen in small]), np.array(large)))
    return moves, np.array([place[chosen] for chosen in sets if len(chosen) == ORDER]), len(sets)


def _leave_out(products: Array) -> LeaveOuts:
    """Sum over quadruples, and without a row, a column or a cell, from `disjoint_quadruples`."""
    total = products.sum()
    return LeaveOuts(total / ORDER, *(total / ORDER - part for part in (products.sum(1), products.sum(0), products)))
