"""Tail exponents with a fixed tail length: Hill, and Hill on windows of one aspect ratio (FARMS)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues, matrix_of

FARMS_FRACTION = 0.5
"""Share of the pooled eigenvalues in the Hill tail of FARMS (arXiv 2506.06280, median rule)."""


def hill_alpha(values: ArrayLike, k: int) -> float | None:
    """Hill estimate of the exponent of a density from the ``k`` largest values.

    ``alpha = 1 + k / sum_{i<=k} ln(x_(i) / x_(k+1))`` with ``x_(1)`` the largest (Hill 1975; the 1 turns the tail
    index of the distribution into the exponent of its density).

    Parameters
    ----------
    values : array_like, shape (n,)
        Finite, non-negative, any order.
    k : int
        Number of values in the tail, 1 <= k < n.

    Returns
    -------
    float or None
        ``None`` where it is not defined: ``x_(k+1)`` is zero or equals the largest value.

    Raises
    ------
    ValueError
        If ``k`` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> hill_alpha([1.0, np.e, np.e**2], 2)  # 1 + 2 / (2 + 1)
    1.6666666666666665
    """
    x = np.asarray(values, dtype=np.float64)
    if not 1 <= k < x.size:
        raise ValueError(f"a Hill tail of k={k} of {x.size} values; k must be between 1 and {x.size - 1}")
    top = np.partition(x, x.size - k - 1)[x.size - k - 1 :]
    if top[0] <= 0:
        return None
    excess = float(np.log(top[1:] / top[0]).sum())
    return 1 + k / excess if excess > 0 else None


def farms_alpha(
    matrix: ArrayLike, rng: np.random.Generator, *, windows: int = 4, aspect_ratio: float = 1.0
) -> float | None:
    """Exponent of the pooled eigenvalues of equally shaped windows of a matrix (FARMS, arXiv 2506.06280).

    The eigenvalue distribution of a matrix depends on rows / cols even without structure, so that exponents of layers
    of different shape do not compare. Here windows with one ``aspect_ratio`` (long over short side), half as wide as
    the matrix is narrow, are cut from a grid without overlap; their eigenvalues are pooled, and Hill's estimate is
    taken over the upper half of the pool.

    Parameters
    ----------
    matrix : array_like, shape (rows, cols)
        Weights, finite.
    rng : numpy.random.Generator
        Chooses the windows where the grid has more than ``windows`` of them.
    windows : int
        Largest number of windows, at least 1.
    aspect_ratio : float
        Long over short side of a window, at least 1.

    Returns
    -------
    float or None
        ``None`` where no window fits or Hill's estimate is not defined.

    Raises
    ------
    ValueError
        If ``matrix`` is no matrix, a window is not finite, or an option is out of range.
    """
    if windows < 1 or aspect_ratio < 1:
        raise ValueError(f"windows={windows}, aspect_ratio={aspect_ratio}; both must be at least 1")
    weights = matrix_of(matrix)
    if weights.shape[0] > weights.shape[1]:
        weights = weights.T
    pool = [eigenvalues(window) for window in _windows(weights, rng, windows, aspect_ratio)]
    if not pool or pool[0].size < 2:
        return None
    values = np.concatenate(pool)
    return hill_alpha(values, int(FARMS_FRACTION * values.size))


def _windows(wide: NDArray, rng: np.random.Generator, limit: int, aspect_ratio: float) -> list[NDArray]:
    """Up to ``limit`` windows of a matrix with rows <= cols, from a grid without overlap."""
    rows, cols = wide.shape
    short = min(rows // 2, int(cols / aspect_ratio))
    long = int(short * aspect_ratio)
    if short == 0:
        return []
    corners = [(r, c) for r in range(0, rows - short + 1, short) for c in range(0, cols - long + 1, long)]
    if len(corners) > limit:
        corners = [corners[i] for i in np.sort(rng.choice(len(corners), limit, replace=False))]
    return [wide[r : r + short, c : c + long] for r, c in corners]
