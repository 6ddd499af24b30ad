"""Mean and noise-free mean square over neurons from cell sums, with every leave-one-out value.

Cell sums ``S[i, a, b]`` of neuron i over counts ``N[a, b]``: rows a are document folds, columns b type bins. Whatever
documents and types add to a target is shared only by cells of one row or one column, so products of cells that share
neither have no noise in their expectation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .leave_outs import LeaveOuts

Array = NDArray[np.float64]


def mean_leave_outs(sums: ArrayLike, counts: ArrayLike) -> LeaveOuts:
    """Mean per target, a ratio of sums: ``Σ S / Σ N``.

    Parameters
    ----------
    sums : array_like, shape (..., fold, fold)
        Cell sums; average over neurons first for the mean influence of a network.
    counts : array_like, shape (fold, fold)

    Returns
    -------
    LeaveOuts
        In the units of the values.

    Raises
    ------
    ValueError
        If the shapes disagree, or one row or column holds all the targets.
    """
    cell_sums, cell_counts = check_cells(sums, counts)
    total, n = cell_sums.sum((-2, -1)), cell_counts.sum()
    return LeaveOuts(
        total / n,
        (total[..., None] - cell_sums.sum(-1)) / (n - cell_counts.sum(1)),
        (total[..., None] - cell_sums.sum(-2)) / (n - cell_counts.sum(0)),
        (total[..., None, None] - cell_sums) / (n - cell_counts),
    )


def disjoint_products(sums: ArrayLike) -> Array:
    """Product of each cell with all cells that share neither its row nor its column: ``S (T − R − C + S)``.

    T is the total, R and C the sums of the cell's row and column (inclusion and exclusion). Averaged over neurons
    these D x D numbers are all that the mean square and its leave-outs need.

    Parameters
    ----------
    sums : array_like, shape (..., fold, fold)

    Returns
    -------
    ndarray, shape (..., fold, fold)
    """
    s = np.asarray(sums, dtype=np.float64)
    rest = s.sum((-2, -1), keepdims=True) - s.sum(-1, keepdims=True) - s.sum(-2, keepdims=True) + s
    return s * rest


def mean_square_leave_outs(sums: ArrayLike, counts: ArrayLike) -> LeaveOuts:
    """Mean square over neurons without the squares of their noise.

    ``Q = mean_i {T² − ΣR² − ΣC² + ΣS²} / {the same of N}``: over all ordered pairs of cells that share neither row nor
    column, weighted by counts. Unbiased for the mean of θ² when cell sums are ``N θ`` plus effects of documents, of
    types and of single targets, whatever their variances and correlations over neurons. Can be negative.

    Parameters
    ----------
    sums : array_like, shape (neuron, fold, fold)
    counts : array_like, shape (fold, fold)

    Returns
    -------
    LeaveOuts
        Scalar, in squared units of the values.

    Raises
    ------
    ValueError
        If the shapes disagree, or the targets leave no disjoint pair of cells without some row or column.

    Notes
    -----
    A pair has at most one cell in any row, column or cell, so a leave-out is the total minus twice the products of
    what is left out; cost O(neuron · D²) with all leave-outs.

    Examples
    --------
    A constant effect without noise:

    >>> counts = np.array([[3.0, 1, 2], [2, 0, 4], [1, 1, 1]])
    >>> float(mean_square_leave_outs(0.5 * counts[None], counts).value)
    0.25
    """
    cell_sums, cell_counts = check_cells(sums, counts)
    return ratio_of_pairs(disjoint_products(cell_sums).mean(axis=0), cell_counts)


def signed_root(square: float) -> float:
    """Root that keeps the sign: an estimate of a mean square that is below zero is below zero as a root too."""
    return float(np.copysign(np.sqrt(abs(square)), square))


def gram(sums: ArrayLike) -> Array:
    """Mean over neurons of the products of any two cells: shape (D², D²), from shape (neuron, D, D)."""
    s = np.asarray(sums, dtype=np.float64).reshape(len(np.asarray(sums)), -1)
    return s.T @ s / len(s)


def mean_square_from_gram(products: ArrayLike, counts: ArrayLike) -> LeaveOuts:
    """Like `mean_square_leave_outs`, from the Gram matrix over neurons: ``ωᵀ (G ∘ M) ω``, M masking shared sides.

    Parameters
    ----------
    products : array_like, shape (D², D²)
        As `gram` gives it; cells in row-major order.
    counts : array_like, shape (D, D)

    Returns
    -------
    LeaveOuts
        Scalar.

    Raises
    ------
    ValueError
        If the shapes disagree, or as `mean_square_leave_outs`.
    """
    cell_counts = np.asarray(counts, dtype=np.float64)
    n_folds, matrix = len(cell_counts), np.asarray(products, dtype=np.float64)
    if matrix.shape != (n_folds**2, n_folds**2):
        raise ValueError(f"Gram matrix of shape {matrix.shape} for {n_folds} x {n_folds} cells")
    row, column = np.divmod(np.arange(n_folds**2), n_folds)
    disjoint = (row[:, None] != row) & (column[:, None] != column)
    return ratio_of_pairs((matrix * disjoint).sum(axis=1).reshape(n_folds, n_folds), cell_counts)


def ratio_of_pairs(products: ArrayLike, counts: ArrayLike) -> LeaveOuts:
    """Mean square from the mean over neurons of `disjoint_products`, shape (D, D)."""
    return ratio(_leave_out(np.asarray(products, dtype=np.float64)), _leave_out(disjoint_products(counts)))


def _leave_out(products: Array) -> LeaveOuts:
    """Sum over ordered pairs, and without a row, a column or a cell."""
    total = products.sum()
    return LeaveOuts(total, *(total - 2 * part for part in (products.sum(1), products.sum(0), products)))


def ratio(numerator: LeaveOuts, denominator: LeaveOuts) -> LeaveOuts:
    """Quotient; the denominator counts disjoint targets and must stay positive whatever is left out.

    Raises
    ------
    ValueError
        If it does not.
    """
    if not denominator.all_positive():
        raise ValueError("no disjoint cells with targets remain when one row or column is left out; use more text")
    return LeaveOuts(
        numerator.value / denominator.value,
        numerator.row / denominator.row,
        numerator.column / denominator.column,
        numerator.cell / denominator.cell,
    )


def check_cells(sums: ArrayLike, counts: ArrayLike) -> tuple[Array, Array]:
    """Cell sums and counts as float64.

    Raises
    ------
    ValueError
        If counts are not a square of at least 3 x 3, sums do not end in it, or one row or column holds all targets.
    """
    s, n = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if n.ndim != 2 or n.shape[0] != n.shape[1] or len(n) < 3:
        raise ValueError(f"counts of shape {n.shape}, but a grid is square with at least 3 folds")
    if s.shape[-2:] != n.shape:
        raise ValueError(f"sums of shape {s.shape} for counts of shape {n.shape}")
    if max(n.sum(1).max(), n.sum(0).max()) >= n.sum():
        raise ValueError(f"one fold holds all {n.sum():g} targets, so it cannot be left out")
    return s, n
