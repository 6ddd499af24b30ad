"""Eigenvalues of WᵀW of a weight matrix, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_matrix(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return ``matrix`` as float64, or say what is wrong with it.

    Raises
    ------
    ValueError
        If it is not two-dimensional, is empty, or holds a NaN or an infinity.
    """
    weights = np.asarray(matrix, dtype=np.float64)
    if weights.ndim != 2 or 0 in weights.shape:
        raise ValueError(f"matrix has shape {weights.shape}, but a spectrum needs two non-empty axes")
    bad = int(weights.size - np.count_nonzero(np.isfinite(weights)))
    if bad:
        raise ValueError(f"{bad} of {weights.size} weights are not finite; the checkpoint is damaged")
    return weights


def eigenvalues(matrix: ArrayLike) -> NDArray[np.float64]:
    """Eigenvalues of WᵀW that may be non-zero, ascending.

    They are those of the smaller of WᵀW and WWᵀ by a symmetric solver, 2 to 4 times as fast as singular values.

    Parameters
    ----------
    matrix : array_like, shape (rows, cols)
        Weights, any floating dtype, finite.

    Returns
    -------
    ndarray, shape (min(rows, cols),), float64
        Non-negative. Values within rounding of zero (``max(rows, cols) * eps * largest``) are exactly 0.

    Raises
    ------
    ValueError
        If ``matrix`` is not two-dimensional, is empty or is not finite.

    Examples
    --------
    >>> eigenvalues([[3.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    array([4., 9.])
    """
    weights = checked_matrix(matrix)
    gram = weights.T @ weights if weights.shape[0] >= weights.shape[1] else weights @ weights.T
    values = np.linalg.eigvalsh(gram)
    # A rank-deficient matrix leaves rounding noise of either sign here, which must not count as small eigenvalues.
    values[values < max(weights.shape) * np.finfo(np.float64).eps * values[-1]] = 0.0
    return values
