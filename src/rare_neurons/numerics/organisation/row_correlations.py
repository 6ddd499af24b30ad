"""Eigenvalues of the correlations between weight rows of sets of neurons."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BATCH = 64
"""Sets whose correlation matrices are held at a time."""


def unit_rows(weights: NDArray[np.float64], directions: ArrayLike | None) -> NDArray[np.float64]:
    """Rows without their mean and without ``directions``, at unit length: their products are correlations.

    Parameters
    ----------
    weights : array [neuron, d_model]
    directions : array_like [k, d_model] or None

    Raises
    ------
    ValueError
        If a direction does not fit or is not finite, or a row vanishes.
    """
    width = weights.shape[1]
    span = [np.ones((1, width))]
    if directions is not None:
        extra = np.atleast_2d(np.asarray(directions, dtype=np.float64))
        if extra.shape[1] != width or not np.isfinite(extra).all():
            raise ValueError(f"directions of shape {extra.shape} must be finite and {width} wide, as the rows are")
        span.append(extra)
    stacked = np.concatenate(span)
    lengths = np.linalg.norm(stacked, axis=1, keepdims=True)
    _, sizes, basis = np.linalg.svd(stacked / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
    basis = basis[sizes > 1e-10 * sizes[0]]  # parallel or zero directions span less than their number
    projected = weights - (weights @ basis.T) @ basis
    norm = np.linalg.norm(projected, axis=1, keepdims=True)
    empty = np.flatnonzero(~(norm[:, 0] > 1e-10 * np.linalg.norm(weights, axis=1)))
    if empty.size:
        raise ValueError(
            f"{empty.size} of {len(weights)} rows vanish or are not finite after projection, first {empty[0]}"
        )
    return projected / norm


def top_eigenvalues(unit: NDArray[np.float64], sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Top eigenvalue and seed Hill index (NaN where undefined) of each set, ``[set, 2]``.

    Parameters
    ----------
    unit : array [neuron, d_model]
        `unit_rows`.
    sets : int array [set, g]
    """
    tail = max(1, sets.shape[1] // 10)
    results = []
    for start in range(0, len(sets), BATCH):
        rows = unit[sets[start : start + BATCH]]
        flipped = rows.transpose(0, 2, 1)
        gram = rows @ flipped if rows.shape[1] <= rows.shape[2] else flipped @ rows
        values = np.linalg.eigvalsh(gram)
        # Below rounding an eigenvalue is zero, and the Hill index over it is not defined.
        threshold = values[:, -tail - 1] if values.shape[1] > tail else np.zeros(len(values))
        threshold = np.where(threshold > 1e-12 * values[:, -1], threshold, np.nan)
        excess = np.log(values[:, -tail:] / threshold[:, None]).sum(axis=1)
        results.append(np.stack([values[:, -1], tail / np.where(excess > 0, excess, np.nan)], axis=1))
    return np.concatenate(results)
