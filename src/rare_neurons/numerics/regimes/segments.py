"""Continuous piecewise-linear least squares with exact breakpoints: a description of a curve, never evidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MIN_STEPS = 2  # data intervals a segment must span: one interval alone is fitted without error by any line
_BLOCK = 256  # rows of the breakpoint search held at once: 256 x 4,096 pairs are 8 MB
_RECHECK = 8  # best pairs of the search that are solved again directly, against rounding in the prefix sums


@dataclass(frozen=True)
class SegmentFit:
    """A continuous piecewise-linear fit of y over x.

    ``knots`` [segment - 1] are 0-based positions in x where the slope changes (a knot belongs to both sides),
    ``slopes`` [segment] run from left to right, ``intercept`` is the value at x = 0 of the first segment.
    """

    n_segments: int
    knots: tuple[int, ...]
    intercept: float
    slopes: tuple[float, ...]
    rss: float
    r_squared: float


def fit_segments(x: ArrayLike, y: ArrayLike, n_segments: int) -> SegmentFit:
    """Least-squares fit of one, two or three continuous straight pieces, breakpoints searched over *all* points.

    With hinges h_k(x) = max(x - x_k, 0), the fit is ``y = c + s x + sum_k e_k h_k(x)``. After the line is projected
    out, the sum of squares explained by a pair of hinges needs only their inner products, which are prefix sums:
    every pair of breakpoints is compared, none is searched for iteratively.

    Parameters
    ----------
    x : array [point]
        Strictly increasing (natural log of rank).
    y : array [point]
        Finite (natural log of value).
    n_segments : {1, 2, 3}
        Each segment spans at least 2 intervals of the data.

    Returns
    -------
    SegmentFit

    Raises
    ------
    ValueError
        On too few points, x not increasing or values that are not finite.

    Notes
    -----
    Cost: O(n) for one and two segments, O(n^2) vectorised for three (about 0.1 s at n = 4,096).

    Examples
    --------
    >>> fit_segments([0, 1, 2, 3, 4], [0, 0, 0, -1, -2], 2).knots
    (2,)
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    _check(x, y, n_segments)
    if n_segments == 1:
        return _solve(x, y, ())
    if n_segments == 2:
        hinges = _Hinges.of(x, y)
        return _best(x, y, [(int(k),) for k in _largest(hinges.score**2) + _MIN_STEPS])
    return _best(x, y, _search_pairs(_Hinges.of(x, y)))


def resampled_knots(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Knots [resample 2] and middle slope [resample] of three-segment fits to many short curves over the same x.

    ``y`` is [resample point]. The same fit as ``fit_segments(x, y[i], 3)``, for all rows at once: each pair's fit is
    linear in y. Memory: pairs x points x 4 doubles, so for binned curves, not for thousands of ranks.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    j, k = np.triu_indices(len(x), _MIN_STEPS)
    pairs = np.stack([j, k], axis=1)[(j >= _MIN_STEPS) & (k < len(x) - _MIN_STEPS)]
    line = np.broadcast_to(np.stack([np.ones_like(x), x], axis=1), (len(pairs), len(x), 2))
    design = np.concatenate([line, np.maximum(x[None, :, None] - x[pairs][:, None, :], 0)], axis=2)
    basis, triangle = np.linalg.qr(design)
    explained = np.square(np.tensordot(y, basis, axes=(1, 1))).sum(axis=2)
    best = np.argmax(explained, axis=1)
    to_coefficients = np.linalg.solve(triangle, np.swapaxes(basis, 1, 2))
    middle = to_coefficients[:, 1] + to_coefficients[:, 2]  # slope of the line plus the first hinge's
    return pairs[best], np.einsum("rm,rm->r", middle[best], y)


@dataclass(frozen=True)
class _Hinges:
    """Hinges at admissible points with the line projected out: normalised products with y and factors of their Gram.

    ``left @ right.T`` is the correlation of hinge j (row) with a later hinge k (column).
    """

    score: NDArray
    left: NDArray
    right: NDArray

    @classmethod
    def of(cls, x: NDArray, y: NDArray) -> "_Hinges":
        z = (x - x.mean()) / x.std()
        residual = y - y.mean()
        residual = residual - z * (z @ residual) / (z @ z)
        n, knot = len(z), slice(_MIN_STEPS, len(z) - _MIN_STEPS)
        s0, s1, s2 = (_after(z**power) for power in (0, 1, 2))
        h1 = s1 - z * s0  # sum of (z_i - z_k) over i > k
        h2 = s2 - 2 * z * s1 + z**2 * s0  # sum of its square
        on_constant, on_line = h1 / np.sqrt(n), (s2 - z * s1) / np.sqrt(n)
        product = _after(z * residual) - z * _after(residual)
        norm = np.sqrt((h2 - on_constant**2 - on_line**2)[knot])
        left = np.stack([np.ones(n), -z, -on_constant, -on_line], axis=1)[knot] / norm[:, None]
        right = np.stack([h2 + z * h1, h1, on_constant, on_line], axis=1)[knot] / norm[:, None]
        return cls(product[knot] / norm, left, right)


def _search_pairs(hinges: _Hinges) -> list[tuple[int, ...]]:
    """Find the best few pairs of knots by explained sum of squares, as positions in x."""
    m, found = len(hinges.score), []
    for start in range(0, m - _MIN_STEPS, _BLOCK):
        rows = slice(start, min(start + _BLOCK, m - _MIN_STEPS))
        first = start + _MIN_STEPS
        rho = hinges.left[rows] @ hinges.right[first:].T
        too_near = np.tri(*rho.shape, k=-1, dtype=bool)
        rho[too_near] = 0.0
        a, b = hinges.score[rows, None], hinges.score[None, first:]
        explained = (a * a + b * b - 2 * a * (rho * b)) / (1 - rho * rho)
        explained[too_near] = -np.inf
        for flat in _largest(explained.ravel()):
            j, k = divmod(int(flat), explained.shape[1])
            found.append((explained[j, k], (start + j + _MIN_STEPS, first + k + _MIN_STEPS)))
    return [pair for _, pair in sorted(found, reverse=True)[:_RECHECK]]


def _best(x: NDArray, y: NDArray, candidates: list[tuple[int, ...]]) -> SegmentFit:
    return min((_solve(x, y, knots) for knots in candidates), key=lambda fit: fit.rss)


def _solve(x: NDArray, y: NDArray, knots: tuple[int, ...]) -> SegmentFit:
    design = np.stack([np.ones_like(x), x, *(np.maximum(x - x[k], 0) for k in knots)], axis=1)
    coefficients, *_ = np.linalg.lstsq(design, y)
    rss = float(np.sum((y - design @ coefficients) ** 2))
    total = float(np.sum((y - y.mean()) ** 2))
    slopes = tuple(float(slope) for slope in np.cumsum(coefficients[1:]))
    return SegmentFit(
        len(knots) + 1, knots, float(coefficients[0]), slopes, rss, 1 - rss / total if total else float("nan")
    )


def _largest(values: NDArray) -> NDArray:
    count = min(_RECHECK, len(values))
    return np.argpartition(values, -count)[-count:]


def _after(values: NDArray) -> NDArray:
    """Sum over all later positions."""
    return np.append(np.cumsum(values[:0:-1])[::-1], 0.0)


def _check(x: NDArray, y: NDArray, n_segments: int) -> None:
    if n_segments not in (1, 2, 3):
        raise ValueError(f"n_segments={n_segments}; known: 1, 2, 3")
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x {x.shape} and y {y.shape} must both be [point]")
    needed = n_segments * _MIN_STEPS + 1
    if len(x) < needed:
        raise ValueError(f"{len(x)} points, but {n_segments} segments need {needed}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be finite; drop ranks whose value is zero before taking logarithms")
    if np.any(np.diff(x) <= 0):
        raise ValueError("x must be strictly increasing")
